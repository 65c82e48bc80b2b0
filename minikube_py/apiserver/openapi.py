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
from functools import cache
from typing import Any, NamedTuple

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.resources import RESOURCES
from minikube_py.api.served import GIT_VERSION
from minikube_py.apiserver import openapi_v2
from minikube_py.apiserver.discovery import served_groups, served_versions
from minikube_py.apiserver.openapi_operations import MEDIA_TYPES, Operation, Path, parameter_type, paths_of
from minikube_py.apiserver.openapi_schemas import reachable, render_definition

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


@cache
def openapi_v3_index() -> bytes:
    """Return the answer of `/openapi/v3`; builds every document, whose hashes it names."""
    paths = {
        _root(group, version): {
            "serverRelativeURL": f"/openapi/v3/{_root(group, version)}?hash={_document(group, version).hash}"
        }
        for group, version in _group_versions()
    }
    return orjson.dumps({"paths": paths})


def openapi_v3(group: str, version: str) -> Document | None:
    """Return the document of a group version (`""`, `v1` for the core), or None when it is not served."""
    return _document(group, version) if (group, version) in _group_versions() else None


def building_steps() -> Iterator[str]:
    """Build every document (v2 too), one a step: let the event loop run between two `next` calls."""
    for group, version in _group_versions():
        _document(group, version)
        yield _root(group, version)
    openapi_v3_index()
    yield from openapi_v2.building_steps()
    _schema.cache_clear()


@cache
def _group_versions() -> tuple[tuple[str, str], ...]:
    return tuple((group, version) for group in served_groups() for version in served_versions(group))


def _root(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


@cache
def _document(group: str, version: str) -> Document:
    rows = [resource for resource in RESOURCES if (resource.group, resource.version) == (group, version)]
    paths = [path for resource in rows for path in paths_of(resource)]
    roots = {name for path in paths for operation in path.operations for name in (operation.body, operation.gives)}
    body = orjson.dumps(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": GIT_VERSION},
            "paths": {path.path: _path(path) for path in sorted(paths, key=lambda path: path.path)},
            "components": {"schemas": {name: _schema(name) for name in reachable(roots)}},
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
