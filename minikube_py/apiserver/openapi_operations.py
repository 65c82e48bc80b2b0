"""What can be asked of each resource, as values that both OpenAPI documents are rendered from.

kubectl reads more out of these than one may think: the PATCH operation of a kind tells it which patch types the kind
takes (strategic or not), and whether the server knows `dryRun` and `fieldValidation`. If one of them is missing it
falls back to older documents or older behaviour.

Upstream: apiserver endpoints/installer and kube-openapi pkg/builder.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from minikube_py.api.resource import Resource, Subresource
from minikube_py.api.schema import definition_name

Method = Literal["get", "post", "put", "patch", "delete"]

PATCH_MEDIA_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
CUSTOM_PATCH_MEDIA_TYPES = (PATCH_MEDIA_TYPES[0], PATCH_MEDIA_TYPES[1], PATCH_MEDIA_TYPES[3])
"""No strategic merge: kubectl takes from here which patch it may send."""
MEDIA_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
"""What create and update take; the answers come as the first two."""

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
STATUS = _META + "Status"
DELETE_OPTIONS = _META + "DeleteOptions"
PATCH_BODY = _META + "Patch"

_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_LIST = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "get": (),
    "list": _LIST,
    "create": _WRITE,
    "update": _WRITE,
    "patch": (*_WRITE, "force"),
    "delete": _DELETE,
    "deletecollection": tuple(sorted({*_DELETE, *_LIST} - {"allowWatchBookmarks", "watch"})),
    "connect": (),
}
_TYPES: Mapping[str, str] = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
_UPSTREAM_ACTION: Mapping[str, str] = {"create": "post", "update": "put"}
_METHODS: Mapping[str, Method] = {
    "get": "get",
    "list": "get",
    "create": "post",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
}


_WORDS: Mapping[str, tuple[str, str]] = {
    "get": ("read", ""),
    "update": ("replace", ""),
    "deletecollection": ("delete", "Collection"),
    "connect get": ("connect", "Get"),
    "connect create": ("connect", "Post"),
    "connect update": ("connect", "Put"),
    "connect patch": ("connect", "Patch"),
    "connect delete": ("connect", "Delete"),
}
"""Verb -> the word in operation ids, and what stands before the kind."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. Definitions are named by their bare name; empty means a plain string."""

    method: Method
    action: str
    """x-kubernetes-action: get, list, post, put, patch, delete, deletecollection or connect."""
    operation_id: str
    group: str
    version: str
    kind: str
    parameters: tuple[str, ...]
    """Names of the query parameters, sorted."""
    body: str
    takes: tuple[str, ...]
    """Media types of the body; empty: no body."""
    gives: str
    created: bool
    """Whether 201 is a possible answer."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path with its operations; `variables` are the names in braces."""

    path: str
    variables: tuple[str, ...]
    operations: tuple[Operation, ...]


def parameter_type(name: str) -> str:
    """Return the OpenAPI type of a query parameter."""
    return _TYPES.get(name, "string")


def definition_names(resource: Resource) -> tuple[str, str]:
    """Return the names of the definitions of an object and of a list; of custom ones as upstream makes them up.

    `widgets` of `ex.io/v1` are `io.ex.v1.Widget`.
    """
    if resource.custom is None:
        api_version, kind = resource.api_version, resource.kind
        return definition_name(api_version, kind), definition_name(api_version, f"{kind}List")
    package = ".".join((*reversed(resource.group.split(".")), resource.version))
    return f"{package}.{resource.kind}", f"{package}.{resource.list_kind}"


def paths_of(resource: Resource) -> Iterator[Path]:
    """Yield every path of a resource at which something can be asked: collections, the object, its subresources."""
    return (path for path in _paths_of(resource) if path.operations)


def _paths_of(resource: Resource) -> Iterator[Path]:
    namespace = "{namespace}" if resource.namespaced else ""
    variables = ("namespace",) if namespace else ()
    collection = _operations(resource, ("list", "create", "deletecollection"))
    if resource.namespaced:
        everywhere = _operations(resource, ("list",), suffix="ForAllNamespaces")
        yield Path(resource.path(), (), everywhere)
    yield Path(resource.path(namespace), variables, collection)
    item = _operations(resource, ("get", "update", "patch", "delete"))
    yield Path(resource.path(namespace, "{name}"), ("name", *variables), item)
    for subresource in resource.subresources:
        operations = tuple(_of_subresource(resource, subresource, verb) for verb in sorted(subresource.verbs))
        path = resource.path(namespace, "{name}", subresource.name)
        yield Path(path, ("name", *variables), operations)
        if subresource.name == "proxy":
            below = tuple(replace(each, operation_id=f"{each.operation_id}WithPath") for each in operations)
            yield Path(f"{path}/{{path}}", ("name", *variables, "path"), below)


def _operations(resource: Resource, verbs: tuple[str, ...], suffix: str = "") -> tuple[Operation, ...]:
    scope = "" if suffix or not resource.namespaced else "Namespaced"
    name = f"{scope}{resource.kind}{suffix}"
    return tuple(
        _operation(resource, verb, _operation_id(resource, verb, name)) for verb in verbs if verb in resource.verbs
    )


def _operation_id(resource: Resource, verb: str, name: str) -> str:
    """Return upstream's id, which client generators turn into method names: `readCoreV1NamespacedPod`."""
    word, infix = _WORDS.get(verb, (verb, ""))
    return f"{word}{_title(resource.group)}{_title(resource.version)}{infix}{name}"


def _operation(resource: Resource, verb: str, operation_id: str) -> Operation:
    whole, listed = definition_names(resource)
    gives = {
        "list": listed,
        "delete": STATUS,
        "deletecollection": STATUS,
    }.get(verb, whole)
    return Operation(
        method=_METHODS[verb],
        action=_UPSTREAM_ACTION.get(verb, verb),
        operation_id=operation_id,
        group=resource.group,
        version=resource.version,
        kind=resource.kind,
        parameters=_PARAMETERS[verb],
        body=_body(verb, whole),
        takes=_takes(resource, verb),
        gives=gives,
        created=verb in ("create", "update", "patch"),
    )


def _of_subresource(resource: Resource, subresource: Subresource, verb: str) -> Operation:
    group, version = (
        (subresource.group, subresource.version) if subresource.version else (resource.group, resource.version)
    )
    own = (group, version, subresource.kind) == (resource.group, resource.version, resource.kind)
    api_version = f"{group}/{version}" if group else version
    whole = definition_names(resource)[0] if own else definition_name(api_version, subresource.kind)
    scope = "Namespaced" if resource.namespaced else ""
    name = f"{scope}{resource.kind}{_title(subresource.name)}"
    connects = not whole
    return Operation(
        method=_METHODS[verb],
        action="connect" if connects else _UPSTREAM_ACTION.get(verb, verb),
        operation_id=_operation_id(resource, f"connect {verb}" if connects else verb, name),
        group=group,
        version=version,
        kind=subresource.kind,
        parameters=_PARAMETERS["connect" if connects else verb],
        body="" if connects else _body(verb, whole),
        takes=() if connects else _takes(resource, verb),
        gives="" if subresource.name == "log" else whole,
        created=not connects and verb in ("create", "update", "patch"),
    )


def _body(verb: str, whole: str) -> str:
    if verb in ("delete", "deletecollection"):
        return DELETE_OPTIONS
    if verb == "patch":
        return PATCH_BODY
    return whole if verb in ("create", "update") else ""


def _takes(resource: Resource, verb: str) -> tuple[str, ...]:
    custom = resource.custom is not None
    if verb == "patch":
        return CUSTOM_PATCH_MEDIA_TYPES if custom else PATCH_MEDIA_TYPES
    if verb in ("create", "update") and custom:
        return MEDIA_TYPES[:2]
    return MEDIA_TYPES if verb in ("create", "update", "delete", "deletecollection") else ()


def _title(text: str) -> str:
    """Return `core`, `apps` or `discovery.k8s.io` as operation ids have them: Core, Apps, Discovery."""
    first = text.split(".", maxsplit=1)[0] if text else "core"
    return first[:1].upper() + first[1:]
