"""Tokens of service accounts: JSON Web Tokens that say whose they are, for whom, how long, and with what they end.

A token is good while it is in its time, its account is there with the same uid, and what it is bound to (a pod, a
secret, a node) is there with the same uid; so a stolen token ends with the pod that it was made for.

Upstream: pkg/serviceaccount claims.go, registry/core/serviceaccount/storage/token.go, authentication/v1 validation.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj, format_time, name_of, namespace_of, uid_of
from minikube_py.api.resource import Fields
from minikube_py.api.rules.faults import invalid, items, part, required, too_long
from minikube_py.apiserver.users import AUTHENTICATED, UserInfo

ISSUER = "https://kubernetes.default.svc.cluster.local"
DEFAULT_EXPIRATION_S = 3600
EXPIRATION_S_MIN = 600
EXPIRATION_S_MAX = 2**32
TOKEN_LENGTH_MAX = 16 * 1024
"""A longer text is no token of ours."""
BOUND_KINDS = ("Node", "Pod", "Secret")
_PRIVATE = "kubernetes.io"
_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class SplitToken:
    """A token taken apart: what it claims, what was signed, and the signature; nothing is verified yet."""

    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def set_request_defaults(request: Obj) -> None:
    """Fill in a TokenRequest: an hour, for this API server."""
    spec = request.setdefault("spec", {})
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = DEFAULT_EXPIRATION_S
    if not spec.get("audiences"):
        spec["audiences"] = [ISSUER]


def request_faults(request: Mapping[str, Any]) -> Fields:
    """Return the faults of a TokenRequest."""
    spec = part(request, "spec")
    seconds, faults = spec.get("expirationSeconds") or 0, list[FieldError]()
    if seconds < EXPIRATION_S_MIN:
        faults.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > EXPIRATION_S_MAX:
        faults.append(too_long("spec.expirationSeconds", EXPIRATION_S_MAX))
    bound = spec.get("boundObjectRef")
    if bound is not None and not bound.get("name"):
        faults.append(required("spec.boundObjectRef.name"))
    return tuple(faults)


def make_claims(
    account: Mapping[str, Any], spec: Mapping[str, Any], bound: Mapping[str, Any] | None, jti: str, wall_s: float
) -> Obj:
    """Return the claims of a new token for an account; `bound` is the object that it ends with."""
    private: Obj = {
        "namespace": namespace_of(account),
        "serviceaccount": {"name": name_of(account), "uid": uid_of(account)},
    }
    if bound is not None:
        private[str(bound.get("kind")).lower()] = {"name": name_of(bound), "uid": uid_of(bound)}
    now = int(wall_s)
    return {
        "aud": list(items(spec, "audiences")),
        "exp": now + int(spec["expirationSeconds"]),
        "iat": now,
        "iss": ISSUER,
        "jti": jti,
        "kubernetes.io": private,
        "nbf": now,
        "sub": f"{_PREFIX}{namespace_of(account)}:{name_of(account)}",
    }


def issued(request: Mapping[str, Any], account: Mapping[str, Any], token: str, claims: Mapping[str, Any]) -> Obj:
    """Return the answer to a TokenRequest."""
    meta = {
        "name": name_of(account),
        "namespace": namespace_of(account),
        "creationTimestamp": format_time(claims["iat"]),
    }
    return {
        **request,
        "metadata": meta,
        "status": {"token": token, "expirationTimestamp": format_time(claims["exp"])},
    }


def signing_input(claims: Mapping[str, Any], key_id: str) -> bytes:
    """Return what is signed: header and claims (RFC 7515)."""
    header = {"alg": "ES256", "kid": key_id}
    return _encode(orjson.dumps(header)) + b"." + _encode(orjson.dumps(claims))


def join_token(signed: bytes, signature: bytes) -> str:
    """Return the token."""
    return (signed + b"." + _encode(signature)).decode()


def split_token(token: str) -> SplitToken | None:
    """Take a token apart; None when it has not the form of ours."""
    parts = token.encode().split(b".")
    if len(token) > TOKEN_LENGTH_MAX or len(parts) != 3:
        return None
    try:
        header, claims, signature = (
            orjson.loads(_decode(parts[0])),
            orjson.loads(_decode(parts[1])),
            _decode(parts[2]),
        )
    except (binascii.Error, ValueError):
        return None
    if not isinstance(header, dict) or header.get("alg") != "ES256" or not isinstance(claims, dict):
        return None
    return SplitToken(claims, parts[0] + b"." + parts[1], signature)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def is_in_its_time(claims: Mapping[str, Any], wall_s: float) -> bool:
    """Return whether a (verified) token is ours, for this server, and neither too young nor too old."""
    audiences = claims.get("aud")
    return (
        claims.get("iss") == ISSUER
        and isinstance(audiences, list)
        and ISSUER in audiences
        and int(claims.get("nbf", 0)) <= wall_s < int(claims.get("exp", 0))
    )


def references_of(claims: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Return what must still be there for a token to be good: kind in lower case -> name and uid."""
    private = part(claims, _PRIVATE)
    kinds = ("serviceaccount", *(kind.lower() for kind in BOUND_KINDS))
    return {kind: private[kind] for kind in kinds if isinstance(private.get(kind), dict)}


def namespace_in(claims: Mapping[str, Any]) -> str:
    """Return the namespace of the token's account."""
    return str(part(claims, _PRIVATE).get("namespace") or "")


def user_of_claims(claims: Mapping[str, Any]) -> UserInfo:
    """Return the user that a token stands for."""
    namespace = namespace_in(claims)
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    references = references_of(claims)
    account = references["serviceaccount"]
    return UserInfo(f"{_PREFIX}{namespace}:{account['name']}", groups, account.get("uid", ""), _extra(claims))


def _extra(claims: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what else a token tells: which one it is, and the pod and node that it is bound to."""
    extra: dict[str, str] = {"credential-id": f"JTI={claims['jti']}"} if claims.get("jti") else {}
    for kind, reference in references_of(claims).items():
        if kind in ("pod", "node"):
            extra |= {f"{kind}-name": reference.get("name", ""), f"{kind}-uid": reference.get("uid", "")}
    return tuple((f"authentication.kubernetes.io/{key}", (value,)) for key, value in sorted(extra.items()))
