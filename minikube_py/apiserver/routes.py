"""From method and path to what is asked: first without the resource table (for authorization), then with it.

Two steps, as upstream: `parse_request` reads the path into names (RequestInfo; enough to ask "may this user do
that?", also of resources that do not exist), `resolve` finds the row of the resource table and refuses what the row
does not serve. There is no table of 500 route patterns: a path is split once.

Upstream: apiserver endpoints/request RequestInfoFactory and endpoints/installer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.errors import MethodNotSupportedError, NotFoundError
from minikube_py.api.resource import Resource
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.users import LOOPBACK, UserInfo

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]

_BY_METHOD: Mapping[str, Verb] = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")
_LONG_RUNNING = ("attach", "exec", "log", "portforward", "proxy")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks, by the path alone (upstream: request.RequestInfo).

    For paths that are no resource requests only `verb` (the method in lower case) and `path` are set.
    """

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    tail: str = ""
    """What follows the subresource (proxy paths)."""

    @property
    def is_long_running(self) -> bool:
        """Return whether the answer may go on for long after it has begun (upstream: LongRunningFunc)."""
        return self.verb == "watch" or self.subresource in _LONG_RUNNING


@dataclass(frozen=True, slots=True)
class Route:
    """A request to a resource that is served, with a verb that it serves."""

    resource: Resource
    verb: Verb
    namespace: str
    name: str
    subresource: str = ""
    tail: str = ""
    user: UserInfo = LOOPBACK
    """Who asks: admission tells it to webhooks and policies."""
    trail: AuditTrail | None = field(default=None, compare=False)
    """Where what is done is written down for the audit log."""


def is_true(text: str | None) -> bool:
    """Return whether a boolean query parameter is set: also by its name alone (`?watch`), as upstream reads them."""
    return text is not None and text != "0" and text.lower() != "false"


def parse_request(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Return what `method path?query` asks; never fails."""
    parts = [part for part in path.split("/") if part]
    split = _group_version(parts)
    if split is None:
        return RequestInfo(path=path, verb=method.lower())
    group, version, rest = split
    watch_prefix = rest[0] in ("watch", "proxy") and len(rest) > 1
    is_watch = watch_prefix and rest[0] == "watch"
    if watch_prefix:
        rest = rest[1:]
    namespace, rest = _split_namespace(rest)
    resource, name, subresource = [*rest, "", "", ""][:3]
    return RequestInfo(
        path=path,
        verb=_verb(method, name, subresource, query, is_watch=is_watch),
        is_resource=True,
        group=group,
        version=version,
        namespace=namespace,
        resource=resource,
        name=name,
        subresource=subresource,
        tail="/".join(rest[3:]),
    )


def _group_version(parts: list[str]) -> tuple[str, str, list[str]] | None:
    """Split `/api/v1/...` and `/apis/group/version/...`; None when the path ends before a resource."""
    if len(parts) > 2 and parts[0] == "api":
        return "", parts[1], parts[2:]
    if len(parts) > 3 and parts[0] == "apis":
        return parts[1], parts[2], parts[3:]
    return None


def _split_namespace(rest: list[str]) -> tuple[str, list[str]]:
    """Split `namespaces/x/pods/...`; a Namespace itself is in the namespace of its own name, as upstream says."""
    if rest[0] != "namespaces" or len(rest) < 2:
        return "", rest
    if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
        return rest[1], rest[2:]
    return rest[1], rest


def _verb(method: str, name: str, subresource: str, query: Mapping[str, str], *, is_watch: bool) -> str:
    verb = _BY_METHOD.get(method, method.lower())
    if is_watch and verb == "get":
        return "watch"
    if verb == "get" and not subresource:
        wants_watch = is_true(query.get("watch"))
        if not name:
            return "watch" if wants_watch else "list"
        return "watch" if wants_watch else "get"
    if verb == "delete" and not name:
        return "deletecollection"
    return verb


def resolve(
    info: RequestInfo,
    catalog: Catalog = STATIC,
    user: UserInfo = LOOPBACK,
    trail: AuditTrail | None = None,
) -> Route:
    """Return the route of a resource request of `user`.

    Raises:
        NotFoundError: no such group, version, resource or subresource.
        MethodNotSupportedError: the resource is served, but not with this verb.
    """
    resource = catalog.find(info.group, info.version, info.resource)
    if resource is None:
        raise unknown_resource()
    if info.subresource:
        subresource = resource.subresource(info.subresource)
        if subresource is None or (info.tail and subresource.name != "proxy"):
            raise unknown_resource()
        served = subresource.verbs
    else:
        served = resource.verbs
    verb = info.verb
    if verb not in served or not _fits(info, resource):
        raise MethodNotSupportedError("the server does not allow this method on the requested resource")
    return Route(
        resource=resource,
        verb=verb,  # type: ignore[arg-type]  # it is one of the row's verbs
        namespace=info.namespace if resource.namespaced else "",
        name=info.name,
        subresource=info.subresource,
        tail=info.tail,
        user=user,
        trail=trail,
    )


def unknown_resource() -> NotFoundError:
    """Return upstream's answer to a path that leads nowhere."""
    return NotFoundError("the server could not find the requested resource", {})


def _fits(info: RequestInfo, resource: Resource) -> bool:
    """Return whether the path has what the verb needs: a name or none, a namespace for namespaced writes."""
    if info.subresource:
        return bool(info.name)
    match info.verb:
        case "create":
            return not info.name and (bool(info.namespace) or not resource.namespaced)
        case "list" | "deletecollection":
            return not info.name and (info.verb == "list" or bool(info.namespace) or not resource.namespaced)
        case "watch":
            return True
        case _:
            return bool(info.name) and (bool(info.namespace) or not resource.namespaced)
