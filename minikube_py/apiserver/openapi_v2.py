"""OpenAPI v2 (Swagger): one document for everything that is served, as JSON and as protobuf.

kubectl 1.27 to 1.29 fetch the protobuf form for apply, diff and explain and do not fall back to JSON; conformance
tests and older tools read the JSON form. Both are built on first use and kept as bytes.

Upstream: kube-openapi pkg/handler and pkg/builder.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.resources import RESOURCES
from minikube_py.api.served import GIT_VERSION
from minikube_py.apiserver.openapi_operations import MEDIA_TYPES, Operation, Path, parameter_type, paths_of
from minikube_py.apiserver.openapi_schemas import reachable, render_definition
from minikube_py.apiserver.openapi_v2_protobuf import encode_document

PROTOBUF_MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""What a client accepts that wants the protobuf form; upstream answers application/octet-stream."""

_DEFINITIONS = "#/definitions/"


@cache
def openapi_v2_json() -> bytes:
    """Return the JSON answer of `/openapi/v2`."""
    return orjson.dumps(_document())


@cache
def openapi_v2_protobuf() -> bytes:
    """Return the protobuf answer of `/openapi/v2`: a gnostic openapi.v2.Document."""
    return encode_document(_document())


@cache
def openapi_v2_etag() -> str:
    """Return the entity tag of either form, with its quotes."""
    return f'"{hashlib.sha256(openapi_v2_json()).hexdigest().upper()}"'


def _document() -> Obj:
    paths = [path for resource in RESOURCES for path in paths_of(resource)]
    roots = {name for path in paths for operation in path.operations for name in (operation.body, operation.gives)}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": {path.path: _path(path) for path in sorted(paths, key=lambda path: path.path)},
        "definitions": {name: render_definition(name, _reference) for name in reachable(roots)},
    }


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
