"""OpenAPI v3: an index, and one document for each served group version.

kubectl 1.30 and later take everything from here (explain, client-side validation, patch types); older ones need
`openapi_v2`. The index names each document with its hash, so that clients keep documents on disk for good: a changed
table gives a changed hash.

Documents are built on first use and kept as bytes. The largest one (v1) costs about 5 ms of CPU; a server that must
not stall builds them one at a time with `building_steps`.

Upstream: kube-openapi pkg/handler3 and pkg/builder3.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.served import GIT_VERSION
from minikube_py.apiserver import openapi_v2
from minikube_py.apiserver.discovery import served_groups, served_versions
from minikube_py.apiserver.openapi_custom import LIST_META, OBJECT_META, custom_definitions
from minikube_py.apiserver.openapi_operations import MEDIA_TYPES, Operation, Path, parameter_type, paths_of
from minikube_py.apiserver.openapi_schemas import known, reachable, render_definition

_COMPONENTS = "#/components/schemas/"
_TWO_TYPES: Mapping[str, tuple[str, str]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("integer", "string"),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("string", "number"),
}
"""What v2 cannot say: these values are of either type."""


class Document(NamedTuple):
    """An encoded document and the hash under which clients may cache it."""

    body: bytes
    hash: str


CUSTOM_DOCUMENTS_MAX = 256
"""Documents of group versions with custom resources that are kept; the least used ones are built again."""


def openapi_v3_index(catalog: Catalog = STATIC, others: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the answer of `/openapi/v3`; builds every document, whose hashes it names.

    `others` are the documents of other servers: path -> serverRelativeURL, with their hashes.
    """
    paths = {
        _root(group, version): {
            "serverRelativeURL": f"/openapi/v3/{_root(group, version)}?hash={_document(group, version, catalog).hash}"
        }
        for group, version in _group_versions(catalog)
    }
    paths |= {path: {"serverRelativeURL": url} for path, url in others.items()}
    return orjson.dumps({"paths": paths})


def openapi_v3(group: str, version: str, catalog: Catalog = STATIC) -> Document | None:
    """Return the document of a group version (`""`, `v1` for the core), or None when it is not served."""
    return _document(group, version, catalog) if (group, version) in _group_versions(catalog) else None


def building_steps(catalog: Catalog = STATIC) -> Iterator[str]:
    """Build every document (v2 too), one a step: let the event loop run between two `next` calls."""
    for group, version in _group_versions(catalog):
        _document(group, version, catalog)
        yield _root(group, version)
    yield from openapi_v2.building_steps(catalog)
    _schema.cache_clear()


def _group_versions(catalog: Catalog) -> tuple[tuple[str, str], ...]:
    return tuple((group, version) for group in served_groups(catalog) for version in served_versions(group, catalog))


def _root(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


class _Rows(tuple[Resource, ...]):
    """The rows of one document; two of them are the same when they are the very same rows."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(tuple(map(id, self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rows) and list(map(id, self)) == list(map(id, other))


def _document(group: str, version: str, catalog: Catalog) -> Document:
    rows = _Rows(row for row in catalog.rows if (row.group, row.version) == (group, version))
    if any(row.custom is not None for row in rows):
        return _custom_document(rows)
    return _static_document(rows)


@cache
def _static_document(rows: _Rows) -> Document:
    return _build(rows)


@lru_cache(maxsize=CUSTOM_DOCUMENTS_MAX)
def _custom_document(rows: _Rows) -> Document:
    return _build(rows)


def _build(rows: _Rows) -> Document:
    paths = [path for resource in rows for path in paths_of(resource)]
    names = {name for path in paths for operation in path.operations for name in (operation.body, operation.gives)}
    own = {name: schema for row in rows for name, schema in custom_definitions(row, _reference).items()}
    roots = known(names | ({OBJECT_META, LIST_META} if own else set()))
    body = orjson.dumps(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": GIT_VERSION},
            "paths": {path.path: _path(path) for path in sorted(paths, key=lambda path: path.path)},
            "components": {"schemas": {**{name: _schema(name) for name in reachable(roots)}, **own}},
        }
    )
    return Document(body, hashlib.sha256(body).hexdigest().upper())


def _reference(name: str, beside: Mapping[str, Any]) -> Obj:
    """Wrap a reference that has neighbours: OpenAPI 3.0 ignores whatever stands beside a `$ref`."""
    pointer = {"$ref": _COMPONENTS + name}
    return {**beside, "allOf": [pointer]} if beside else pointer


@cache
def _schema(name: str) -> orjson.Fragment:
    """Return a definition as JSON text, which several documents share."""
    rendered = render_definition(name, _reference)
    if name in _TWO_TYPES:
        del rendered["type"]
        rendered["oneOf"] = [{"type": each} for each in _TWO_TYPES[name]]
    return orjson.Fragment(orjson.dumps(rendered))


def _path(path: Path) -> Obj:
    rendered: Obj = {operation.method: _operation(operation) for operation in path.operations}
    if path.variables:
        rendered["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
            for name in path.variables
        ]
    return rendered


def _operation(operation: Operation) -> Obj:
    answer = _content(operation.gives, MEDIA_TYPES)
    responses: Obj = {"200": {"description": "OK", "content": answer}}
    if operation.created:
        responses["201"] = {"description": "Created", "content": answer}
    rendered: Obj = {
        "operationId": operation.operation_id,
        "responses": responses | {"401": {"description": "Unauthorized"}},
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {
            "group": operation.group,
            "version": operation.version,
            "kind": operation.kind,
        },
    }
    if operation.parameters:
        rendered["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": parameter_type(name), "uniqueItems": True}}
            for name in operation.parameters
        ]
    if operation.takes:
        rendered["requestBody"] = {"required": True, "content": _content(operation.body, operation.takes)}
    return rendered


def _content(definition: str, media_types: tuple[str, ...]) -> Obj:
    if not definition:
        return {"text/plain": {"schema": {"type": "string"}}}
    return {media_type: {"schema": {"$ref": _COMPONENTS + definition}} for media_type in media_types}
