"""Programs that know passwords of registries: how they are set up, asked, understood, and how long an answer holds.

    apiVersion: kubelet.config.k8s.io/v1
    kind: CredentialProviderConfig
    providers:
    - name: ecr-credential-provider
      apiVersion: credentialprovider.kubelet.k8s.io/v1
      matchImages: ["*.dkr.ecr.*.amazonaws.com"]
      defaultCacheDuration: 12h
      args: [get-credentials]
      env: [{name: AWS_PROFILE, value: pulls}]

A program reads a CredentialProviderRequest and writes a CredentialProviderResponse, whose entries are used as those
of any other source: each only for the registries that it names. With `tokenAttributes` it is told which service
account pulls, by a token for its own audience and by annotations, and its answers are for that account alone.

Upstream: pkg/credentialprovider/plugin, k8s.io/kubelet config/v1 and apis/credentialprovider/v1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, name_of, namespace_of, uid_of
from minikube_py.kit.durations import DurationError, parse_duration
from minikube_py.kubelet.registry_credentials import Credential, credential_of, place_fits

_CONFIGS = tuple(f"kubelet.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_PROTOCOLS = tuple(f"credentialprovider.kubelet.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_FIELDS = {"name", "matchImages", "defaultCacheDuration", "apiVersion", "args", "env", "tokenAttributes"}
_TOKEN_FIELDS = {
    "serviceAccountTokenAudience",
    "cacheType",
    "requireServiceAccount",
    "requiredServiceAccountAnnotationKeys",
    "optionalServiceAccountAnnotationKeys",
}
_CACHE_KEYS = ("Image", "Registry", "Global")


class CredentialProviderError(ValueError):
    """A configuration or an answer that cannot be used; of a configuration every fault, one a line."""


@dataclass(frozen=True, slots=True)
class TokenAttributes:
    """What a program wants to know of the service account of the pod that pulls."""

    audience: str
    cache_by_token: bool
    """An answer holds for one token; else for the account while its annotations stay."""
    required: bool
    """Without an account the program is not asked."""
    required_annotations: tuple[str, ...] = ()
    """Without these annotations it is not asked either."""
    optional_annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """A service account, as a program is told of it."""

    token: str
    annotations: Mapping[str, str]
    cache_part: str
    """What an answer's key in the cache has besides."""
    origin: str
    """What credentials that this account got are remembered by."""


@dataclass(frozen=True, slots=True)
class CredentialProvider:
    """One program; its file is `name` in the folder of such programs."""

    name: str
    protocol: str
    """The apiVersion that it is spoken to in."""
    match_images: tuple[str, ...]
    """Registries, or parts of them, that it is asked about."""
    default_cache_s: float
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    token: TokenAttributes | None = None

    def matches(self, repository: str) -> bool:
        """Return whether it is asked about a repository (host and path, as ImageName has it)."""
        return any(place_fits(pattern, repository) for pattern in self.match_images)


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a program said."""

    cache_key: str
    """For which repositories it holds; see `cache_key_of`."""
    cache_s: float
    """How long it holds; 0: for this pull only."""
    credentials: tuple[Credential, ...]


def parse_providers(document: object) -> tuple[CredentialProvider, ...]:
    """Return the programs of a CredentialProviderConfig.

    Raises:
        CredentialProviderError: every fault.
    """
    if not isinstance(document, dict):
        raise CredentialProviderError("it must be a CredentialProviderConfig")
    faults: list[str] = []
    if document.get("kind") != "CredentialProviderConfig" or document.get("apiVersion") not in _CONFIGS:
        faults.append(f"it must be of kind CredentialProviderConfig and apiVersion {_CONFIGS[0]}")
    providers = [_provider(raw, at, faults) for at, raw in enumerate(document.get("providers") or ())]
    names = [provider.name for provider in providers]
    if not providers:
        faults.append("providers: at least one is needed")
    faults += [f"providers: {name!r} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise CredentialProviderError("\n".join(faults))
    return tuple(providers)


def _provider(raw: object, at: int, faults: list[str]) -> CredentialProvider:
    where = f"providers[{at}]"
    fields: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    name, protocol = str(fields.get("name") or ""), str(fields.get("apiVersion") or "")
    faults += [f"{where}: {key!r} is not known to this kubelet" for key in fields if key not in _FIELDS]
    if not name or "/" in name or name in (".", "..") or " " in name:
        faults.append(f"{where}.name: {name!r} is no name of a program")
    if protocol not in _PROTOCOLS:
        faults.append(f"{where}.apiVersion: {protocol!r} is not one of {', '.join(_PROTOCOLS)}")
    if not fields.get("matchImages"):
        faults.append(f"{where}.matchImages: at least one is needed")
    try:
        cache_s = parse_duration(str(fields.get("defaultCacheDuration") or ""))
    except DurationError as error:
        faults.append(f"{where}.defaultCacheDuration: {error}")
        cache_s = 0.0
    if fields.get("tokenAttributes") is not None and protocol != _PROTOCOLS[0]:
        faults.append(f"{where}.tokenAttributes: only with apiVersion {_PROTOCOLS[0]}")
    token = _token_attributes(fields.get("tokenAttributes"), f"{where}.tokenAttributes", faults)
    env = tuple((str(e.get("name")), str(e.get("value"))) for e in fields.get("env") or ())
    images = tuple(str(image) for image in fields.get("matchImages") or ())
    return CredentialProvider(name, protocol, images, cache_s, tuple(map(str, fields.get("args") or ())), env, token)


def _token_attributes(raw: object, where: str, faults: list[str]) -> TokenAttributes | None:
    if raw is None:
        return None
    fields: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    faults += [f"{where}: {key!r} is not known" for key in fields if key not in _TOKEN_FIELDS]
    if not fields.get("serviceAccountTokenAudience"):
        faults.append(f"{where}.serviceAccountTokenAudience: it is needed")
    if fields.get("cacheType") not in ("ServiceAccount", "Token"):
        faults.append(f"{where}.cacheType: {fields.get('cacheType')!r} is neither ServiceAccount nor Token")
    if not isinstance(fields.get("requireServiceAccount"), bool):
        faults.append(f"{where}.requireServiceAccount: it must be true or false")
    return TokenAttributes(
        str(fields.get("serviceAccountTokenAudience")),
        fields.get("cacheType") == "Token",
        bool(fields.get("requireServiceAccount")),
        tuple(map(str, fields.get("requiredServiceAccountAnnotationKeys") or ())),
        tuple(map(str, fields.get("optionalServiceAccountAnnotationKeys") or ())),
    )


def missing_annotations(wanted: TokenAttributes, account: Obj) -> tuple[str, ...]:
    """Return the annotations that an account must have and has not."""
    return tuple(key for key in wanted.required_annotations if key not in annotations_of(account))


def origin_of(account: Obj) -> str:
    """Return what credentials that a service account got are remembered by."""
    return f"serviceaccount/{uid_of(account)}/{namespace_of(account)}/{name_of(account)}"


def caller_of(wanted: TokenAttributes, account: Obj, token: str) -> Caller:
    """Return how a program is told of an account that has a token."""
    keys = (*wanted.required_annotations, *wanted.optional_annotations)
    shown = {key: text for key, text in annotations_of(account).items() if key in keys}
    origin = origin_of(account)
    known_by = token if wanted.cache_by_token else json.dumps([origin, sorted(shown.items())])
    return Caller(token, shown, sha256(known_by.encode()).hexdigest(), origin)


def render_request(provider: CredentialProvider, repository: str, caller: Caller | None = None) -> bytes:
    """Return what a program reads."""
    request: Obj = {"apiVersion": provider.protocol, "kind": "CredentialProviderRequest", "image": repository}
    if caller is not None:
        request |= {"serviceAccountToken": caller.token, "serviceAccountAnnotations": dict(caller.annotations)}
    return json.dumps(request).encode()


def cache_key_of(key_type: str, repository: str) -> str:
    """Return under which key an answer about a repository is kept."""
    match key_type:
        case "Image":
            return repository
        case "Registry":
            return repository.partition("/")[0]
        case _:
            return ""


def cache_keys(repository: str) -> tuple[str, ...]:
    """Return the keys under which an answer about a repository may be found, the narrowest first."""
    return tuple(cache_key_of(key_type, repository) for key_type in _CACHE_KEYS)


def parse_answer(
    provider: CredentialProvider, repository: str, text: str, caller: Caller | None = None
) -> ProviderAnswer:
    """Return what a program said about a repository.

    Raises:
        CredentialProviderError: it cannot be understood; the message tells none of it.
    """
    origin = caller.origin if caller is not None else ""
    try:
        document = json.loads(text)
        said = (document["kind"], document["apiVersion"])
        key_type, duration = document["cacheKeyType"], document.get("cacheDuration")
        entries = dict(document.get("auth") or {})
        credentials = tuple(
            credential_of(place, {key: auth[key] for key in ("username", "password")}, origin)
            for place, auth in entries.items()
        )
        cache_s = provider.default_cache_s if duration is None else parse_duration(str(duration))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CredentialProviderError("its answer is not of the right form") from error
    if said != ("CredentialProviderResponse", provider.protocol):
        raise CredentialProviderError(f"its answer must be a CredentialProviderResponse of {provider.protocol}")
    if key_type not in _CACHE_KEYS:
        raise CredentialProviderError(f"its answer's cacheKeyType must be one of {', '.join(_CACHE_KEYS)}")
    return ProviderAnswer(cache_key_of(key_type, repository), cache_s, credentials)


def missing_programs(providers: Sequence[CredentialProvider], folder: str, present: Sequence[str]) -> tuple[str, ...]:
    """Return what is wrong with a folder of programs, one text a fault."""
    return tuple(
        f"the credential provider {provider.name} is not in {folder}"
        for provider in providers
        if provider.name not in present
    )
