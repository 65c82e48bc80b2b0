"""OpenAPI v2 (Swagger): one document for everything that is served, as JSON and as protobuf.

kubectl 1.27 to 1.29 fetch the protobuf form for apply, diff and explain and do not fall back to JSON; conformance
tests and older tools read the JSON form. Both are built on first use and kept as bytes.

Upstream: kube-openapi pkg/handler and pkg/builder.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

import orjson

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.meta import Obj
from minikube_py.api.served import GIT_VERSION
from minikube_py.apiserver.merged_openapi import NOTHING_ELSE, OtherSpecs, merge_parts
from minikube_py.apiserver.openapi_custom import custom_definitions
from minikube_py.apiserver.openapi_operations import MEDIA_TYPES, Operation, Path, parameter_type, paths_of
from minikube_py.apiserver.openapi_schemas import reachable, render_definition
from minikube_py.apiserver.openapi_v2_protobuf import encode_definitions, encode_head, encode_paths

PROTOBUF_MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""What a client accepts that wants the protobuf form; upstream answers application/octet-stream."""

_TITLE = "Kubernetes"
_DEFINITIONS = "#/definitions/"
_Kind = Literal["paths", "definitions"]
_PART_ENTRIES_MAX = 32
"""So many paths or definitions are encoded in one step (2 to 6 ms); the next ones come in the next step."""


class _Built(NamedTuple):
    """A document in both forms, and its tag."""

    json: bytes
    protobuf: bytes
    etag: str


def openapi_v2_json(catalog: Catalog = STATIC, others: OtherSpecs = NOTHING_ELSE) -> bytes:
    """Return the JSON answer of `/openapi/v2`."""
    return _built(catalog, others).json


def openapi_v2_protobuf(catalog: Catalog = STATIC, others: OtherSpecs = NOTHING_ELSE) -> bytes:
    """Return the protobuf answer of `/openapi/v2`: a gnostic openapi.v2.Document."""
    return _built(catalog, others).protobuf


def openapi_v2_etag(catalog: Catalog = STATIC, others: OtherSpecs = NOTHING_ELSE) -> str:
    """Return the entity tag of either form, with its quotes."""
    return _built(catalog, others).etag


def building_steps(catalog: Catalog = STATIC) -> Iterator[str]:
    """Build both forms, a few milliseconds a step; what is built-in is built once for all catalogs."""
    _json_parts()
    yield "openapi/v2 JSON"
    for kind, names in _chunks():
        _part(kind, names)
        yield f"openapi/v2 protobuf {kind}"
    _built(catalog, NOTHING_ELSE)


@lru_cache(maxsize=3)
def _built(catalog: Catalog, others: OtherSpecs) -> _Built:
    """Put the built-in parts, those of custom resources and those of other servers together."""
    paths, definitions = _custom(catalog)
    if others is not NOTHING_ELSE:
        other_paths, other_definitions = merge_parts(others, {**_built_in_definitions(), **definitions})
        paths = {**other_paths, **paths}
        definitions = {**other_definitions, **definitions}
    fixed_paths, fixed_definitions = _json_parts()
    head = orjson.dumps({"swagger": "2.0", "info": {"title": _TITLE, "version": GIT_VERSION}})[:-1]
    json = b"".join(
        (
            head,
            b',"paths":{',
            _joined(fixed_paths, orjson.dumps(paths)[1:-1]),
            b'},"definitions":{',
            _joined(fixed_definitions, orjson.dumps(definitions)[1:-1]),
            b"}}",
        )
    )
    parts = [_part(*chunk) for chunk in _chunks()]
    if paths:
        parts += [encode_paths(paths), encode_definitions(definitions)]
    protobuf = b"".join((encode_head(_TITLE, GIT_VERSION), *parts))
    return _Built(json, protobuf, f'"{hashlib.sha256(json).hexdigest().upper()}"')


def _joined(first: bytes, second: bytes) -> bytes:
    return first + b"," + second if second else first


def _custom(catalog: Catalog) -> tuple[Obj, Obj]:
    """Return the paths and definitions of custom resources."""
    paths: Obj = {}
    definitions: Obj = {}
    for row in catalog.custom:
        paths.update((path.path, _path(path)) for path in paths_of(row))
        definitions.update(custom_definitions(row, _reference, simple=True))
    return paths, definitions


@cache
def _all_paths() -> Mapping[str, Path]:
    paths = [path for resource in STATIC.rows for path in paths_of(resource)]
    return {path.path: path for path in sorted(paths, key=lambda path: path.path)}


@cache
def _all_definitions() -> tuple[str, ...]:
    operations = [operation for path in _all_paths().values() for operation in path.operations]
    return reachable({name for operation in operations for name in (operation.body, operation.gives)})


def _built_in_definitions() -> Obj:
    return {name: render_definition(name, _reference) for name in _all_definitions()}


@cache
def _json_parts() -> tuple[bytes, bytes]:
    """Return the built-in paths and definitions as JSON members, without the braces around them."""
    paths = orjson.dumps({name: _path(path) for name, path in _all_paths().items()})
    definitions = orjson.dumps(_built_in_definitions())
    return paths[1:-1], definitions[1:-1]


def _chunks() -> Iterator[tuple[_Kind, tuple[str, ...]]]:
    kinds: tuple[tuple[_Kind, tuple[str, ...]], ...] = (
        ("paths", tuple(_all_paths())),
        ("definitions", _all_definitions()),
    )
    for kind, names in kinds:
        for start in range(0, len(names), _PART_ENTRIES_MAX):
            yield kind, names[start : start + _PART_ENTRIES_MAX]


@cache
def _part(kind: _Kind, names: tuple[str, ...]) -> bytes:
    if kind == "paths":
        return encode_paths({name: _path(_all_paths()[name]) for name in names})
    return encode_definitions({name: render_definition(name, _reference) for name in names})


def _reference(name: str, beside: Mapping[str, Any]) -> Obj:
    return {**beside, "$ref": _DEFINITIONS + name}


def _path(path: Path) -> Obj:
    rendered: Obj = {operation.method: _operation(operation) for operation in path.operations}
    if path.variables:
        rendered["parameters"] = [
            {"name": name, "in": "path", "required": True, "type": "string"} for name in path.variables
        ]
    return rendered


def _operation(operation: Operation) -> Obj:
    parameters: list[Obj] = []
    if operation.body:
        parameters.append(
            {
                "name": "body",
                "in": "body",
                "required": operation.method != "delete",
                "schema": {"$ref": _DEFINITIONS + operation.body},
            }
        )
    parameters += [{"name": name, "in": "query", "type": parameter_type(name)} for name in operation.parameters]
    answer = {"$ref": _DEFINITIONS + operation.gives} if operation.gives else {"type": "string"}
    responses: Obj = {"200": {"description": "OK", "schema": answer}}
    if operation.created:
        responses["201"] = {"description": "Created", "schema": answer}
    return {
        "operationId": operation.operation_id,
        "consumes": list(operation.takes) or ["*/*"],
        "produces": list(MEDIA_TYPES) if operation.gives else ["text/plain"],
        "schemes": ["https"],
        "parameters": parameters,
        "responses": responses | {"401": {"description": "Unauthorized"}},
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {
            "group": operation.group,
            "version": operation.version,
            "kind": operation.kind,
        },
    }
