"""May this user do that? The first authorizer: fixed rules by group, until RBAC takes this seam.

Rules, in order: system:masters may do everything; nodes, the control plane's components and the API server itself
may do everything; everybody may ask for health and version; users that are known may read discovery and OpenAPI, and
ask about themselves; a host that joins may ask for a certificate.

Upstream: apiserver endpoints/filters/authorization.go (the texts), plugin/pkg/auth/authorizer/rbac (what RBAC's
bootstrap roles system:discovery and system:public-info-viewer allow).
"""

from dataclasses import dataclass

from minikube_py.api.errors import ForbiddenError, forbidden
from minikube_py.api.join_tokens import BOOTSTRAPPERS_GROUP
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import AUTHENTICATED, SYSTEM_MASTERS, UserInfo

_NODES = "system:nodes"
_COMPONENT_PREFIX = "system:kube-"
_PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_PUBLIC_PREFIXES = ("/healthz/", "/livez/", "/readyz/")
_DISCOVERY_PATHS = ("/api", "/apis", "/openapi", "/")
_DISCOVERY_PREFIXES = ("/api/", "/apis/", "/openapi/")
_SELF_REVIEWS = (
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
)
"""Questions about oneself (upstream: the bootstrap role system:basic-user)."""
_BOOTSTRAP_VERBS = ("create", "get", "list", "watch")
_SIGNING_REQUESTS = ("certificates.k8s.io", "certificatesigningrequests")
"""What a host that joins may do (upstream: the bootstrap role system:node-bootstrapper)."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The user may."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The user may not; `why` is added to the message when it says more."""

    why: str = ""


ALLOWED = Allowed()
DENIED = Denied()


def authorize(user: UserInfo, info: RequestInfo) -> Allowed | Denied:
    """Return whether `user` may make the request."""
    if _may_do_everything(user):
        return ALLOWED
    if _asks_about_oneself(user, info) or _asks_for_certificate(user, info):
        return ALLOWED
    if info.is_resource or info.verb not in ("get", "head"):
        return DENIED
    if info.path in _PUBLIC_PATHS or info.path.startswith(_PUBLIC_PREFIXES):
        return ALLOWED
    if AUTHENTICATED in user.groups and (info.path in _DISCOVERY_PATHS or info.path.startswith(_DISCOVERY_PREFIXES)):
        return ALLOWED
    return DENIED


def _asks_about_oneself(user: UserInfo, info: RequestInfo) -> bool:
    review = info.verb == "create" and (info.group, info.resource) in _SELF_REVIEWS
    return review and AUTHENTICATED in user.groups


def _asks_for_certificate(user: UserInfo, info: RequestInfo) -> bool:
    of_requests = (info.group, info.resource) == _SIGNING_REQUESTS and not info.subresource
    return of_requests and info.verb in _BOOTSTRAP_VERBS and BOOTSTRAPPERS_GROUP in user.groups


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """What may be done with resources; `*` stands for all."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NonResourceRule:
    """What may be done with other paths; a `*` at the end stands for the rest."""

    verbs: tuple[str, ...]
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserRules:
    """All that a user may do."""

    resource_rules: tuple[ResourceRule, ...] = ()
    non_resource_rules: tuple[NonResourceRule, ...] = ()


def rules_of(user: UserInfo) -> UserRules:
    """Return what `user` may do: what `authorize` says, as a list."""
    if _may_do_everything(user):
        return UserRules((ResourceRule(("*",), ("*",), ("*",)),), (NonResourceRule(("*",), ("*",)),))
    public = (*_PUBLIC_PATHS, *(f"{prefix}*" for prefix in _PUBLIC_PREFIXES))
    rules = [NonResourceRule(("get",), public)]
    resource_rules: tuple[ResourceRule, ...] = ()
    if AUTHENTICATED in user.groups:
        known = (*_DISCOVERY_PATHS, *(f"{prefix}*" for prefix in _DISCOVERY_PREFIXES))
        rules.append(NonResourceRule(("get",), known))
        resource_rules = tuple(ResourceRule(("create",), (group,), (plural,)) for group, plural in _SELF_REVIEWS)
    if BOOTSTRAPPERS_GROUP in user.groups:
        group, plural = _SIGNING_REQUESTS
        resource_rules = (*resource_rules, ResourceRule(_BOOTSTRAP_VERBS, (group,), (plural,)))
    return UserRules(resource_rules, tuple(rules))


def _may_do_everything(user: UserInfo) -> bool:
    return SYSTEM_MASTERS in user.groups or _NODES in user.groups or user.name.startswith(_COMPONENT_PREFIX)


def forbidden_request(user: UserInfo, info: RequestInfo, why: str) -> ForbiddenError:
    """Return upstream's words for a request that is denied."""
    tail = f": {why}" if why else ""
    if not info.is_resource:
        return ForbiddenError(f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"{tail}', {})
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    scope = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return forbidden(
        info.group,
        info.resource,
        info.name,
        f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {scope}{tail}',
    )
