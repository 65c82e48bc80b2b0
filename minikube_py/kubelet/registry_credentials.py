"""Which credentials a pull may use: pods' secrets and the node's own file, each only for the registries it names.

A password must reach no other registry than the one it was given for. An entry names a host, with a path when it is
meant for a part of the registry only, and `*` may stand for parts of the host's name; entries with longer and later
names are tried first, then all others that fit. An entry that fits nothing but Docker Hub's own name serves images
without a host.

Upstream: pkg/credentialprovider (keyring.go, config.go) and its secrets.go.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, name_of, namespace_of, uid_of
from minikube_py.kubelet.cri import RegistryAuth

HUB = "docker.io"
HUB_ENTRY = "index.docker.io"
"""The name that `docker login` writes."""

_CONFIG_JSON = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson")
_CONFIG_OLD = ("kubernetes.io/dockercfg", ".dockercfg")


class BadCredentialsError(ValueError):
    """A document with credentials that cannot be read; the message says which and why, never what stands in it."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One entry: where it is for, and what it is."""

    place: str
    """Host and path, without a scheme."""
    auth: RegistryAuth
    secret: str = ""
    """`uid/namespace/name` of the Secret it comes from, or which service account got it from a program; empty: it is
    the node's, any pod may use it."""


def parse_docker_config(text: bytes | str, secret: str = "", *, old: bool = False) -> tuple[Credential, ...]:
    """Return the entries of a `config.json`, or of the `old` form (`.dockercfg`: the entries alone).

    Raises:
        BadCredentialsError: it is none.
    """
    try:
        document = json.loads(text)
        entries = document if old else document.get("auths") or {}
        return tuple(credential_of(str(place), entry or {}, secret) for place, entry in entries.items())
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCredentialsError(f"cannot read registry credentials: {_harmless(error)}") from error


def _harmless(error: Exception) -> str:
    # A decoder's message may quote what it could not read.
    return str(error) if isinstance(error, json.JSONDecodeError | BadCredentialsError) else "not of the right form"


def credential_of(place: str, entry: Mapping[str, Any], secret: str = "") -> Credential:
    """Return one entry of such a document.

    Raises:
        BadCredentialsError: its `auth` field is no credential.
    """
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        username, password = decode_auth(str(entry["auth"]))
    return Credential(_normal_place(place), RegistryAuth(username, password, place), secret)


def decode_auth(text: str) -> tuple[str, str]:
    """Return user and password of an `auth` field.

    Raises:
        BadCredentialsError: it is no base64 of `user:password`.
    """
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    username, colon, password = decoded.partition(":")
    if not colon:
        raise BadCredentialsError("an auth field must be base64 of username:password")
    return username, password.rstrip("\0")


def _normal_place(place: str) -> str:
    host, slash, path = re.sub(r"^https?://", "", place).partition("/")
    path = slash + path
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return host if path in ("", "/") else host + path


def secret_credentials(secrets: Sequence[Obj]) -> tuple[Credential, ...]:
    """Return the entries of pull secrets; secrets of other types give none.

    Raises:
        BadCredentialsError: one of them cannot be read; the message names it.
    """
    found: list[Credential] = []
    for secret in secrets:
        identity = f"{uid_of(secret)}/{namespace_of(secret)}/{name_of(secret)}"
        for (type_, key), old in ((_CONFIG_JSON, False), (_CONFIG_OLD, True)):
            data = (secret.get("data") or {}).get(key)
            if secret.get("type") != type_ or not data:
                continue
            try:
                found += parse_docker_config(base64.b64decode(data), identity, old=old)
            except (binascii.Error, BadCredentialsError) as error:
                raise BadCredentialsError(f'secret "{name_of(secret)}": {error}') from error
    return tuple(found)


def matching_credentials(credentials: Sequence[Credential], repository: str) -> tuple[Credential, ...]:
    """Return what may be tried for a repository (host and path, as ImageName has it), the most specific first."""
    fitting = [c for c in credentials if place_fits(c.place, repository)]
    fitting.sort(key=lambda c: c.place, reverse=True)
    if not fitting and repository.partition("/")[0] == HUB:
        fitting = [c for c in credentials if c.place == HUB_ENTRY]
    distinct: dict[tuple[str, str, str], Credential] = {}
    for credential in fitting:
        key = (credential.auth.username, credential.auth.password, credential.auth.identity_token)
        distinct.setdefault(key, credential)
    return tuple(distinct.values())


def place_fits(place: str, repository: str) -> bool:
    """Return whether an entry's place covers a repository (both host and path)."""
    host, _, path = place.partition("/")
    wanted_host, _, wanted_path = repository.partition("/")
    name, _, port = host.partition(":")
    wanted_name, _, wanted_port = wanted_host.partition(":")
    parts, wanted_parts = name.split("."), wanted_name.split(".")
    return (
        port == wanted_port
        and len(parts) == len(wanted_parts)
        and wanted_path.startswith(path)
        and all(_part_fits(*pair) for pair in zip(parts, wanted_parts, strict=True))
    )


def _part_fits(pattern: str, part: str) -> bool:
    if not set("*?[") & set(pattern):
        return pattern == part
    # As Go's filepath.Match, minus escapes, which no host name has.
    expression = re.sub(r"\[\\?\^", "[^", re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
    expression = expression.replace(r"\[", "[").replace(r"\]", "]").replace(r"\-", "-")
    try:
        return re.fullmatch(expression, part) is not None
    except re.error:
        return False
