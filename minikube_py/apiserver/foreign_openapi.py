"""Swagger documents of other servers, put into the form that this server's own have.

Nobody vouches for such a document: what is not well-formed is left out, what operations leave out is filled in, and
shared parameters (`#/parameters/x`) are put where they are used. So the writers of the merged document need to know
one form only.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj

DEPTH_MAX = 64
"""What is nested deeper in a schema is left out."""
_SHARED = "#/parameters/"
_METHODS = ("get", "put", "post", "delete", "patch")
_TEXT_FIELDS = ("$ref", "format", "description", "type")


def tidy_schema(value: Any, depth: int = 0) -> Obj:
    """Return a schema whose members have the types that they should have."""
    if not isinstance(value, Mapping) or depth > DEPTH_MAX:
        return {}
    tidy = {str(key): member for key, member in value.items()}
    for key in _TEXT_FIELDS:
        if key in tidy and not isinstance(tidy[key], str):
            del tidy[key]
    for key in ("items", "additionalProperties"):
        if isinstance(tidy.get(key), Mapping):
            tidy[key] = tidy_schema(tidy[key], depth + 1)
        else:
            tidy.pop(key, None)
    if isinstance(tidy.get("properties"), Mapping):
        tidy["properties"] = {str(name): tidy_schema(each, depth + 1) for name, each in tidy["properties"].items()}
    else:
        tidy.pop("properties", None)
    if "required" in tidy:
        tidy["required"] = _texts(tidy["required"])
    return tidy


def tidy_path(item: Any, shared: Mapping[str, Any]) -> Obj:
    """Return a path with its operations; `shared` are the document's parameters."""
    if not isinstance(item, Mapping):
        return {}
    tidy: Obj = {
        method: _operation(item[method], shared) for method in _METHODS if isinstance(item.get(method), Mapping)
    }
    parameters = _parameters(item.get("parameters"), shared)
    return {**tidy, "parameters": parameters} if parameters else tidy


def _operation(value: Mapping[str, Any], shared: Mapping[str, Any]) -> Obj:
    responses = value.get("responses")
    found = responses.items() if isinstance(responses, Mapping) else ()
    extensions = {key: member for key, member in value.items() if isinstance(key, str) and key.startswith("x-")}
    return {
        "operationId": str(value.get("operationId") or ""),
        "produces": _texts(value.get("produces")),
        "consumes": _texts(value.get("consumes")),
        "schemes": _texts(value.get("schemes")),
        "parameters": _parameters(value.get("parameters"), shared),
        "responses": {str(code): _response(answer) for code, answer in found if isinstance(answer, Mapping)},
        **extensions,
    }


def _response(value: Mapping[str, Any]) -> Obj:
    tidy: Obj = {"description": str(value.get("description") or "")}
    if isinstance(value.get("schema"), Mapping):
        tidy["schema"] = tidy_schema(value["schema"])
    return tidy


def _parameters(values: Any, shared: Mapping[str, Any]) -> list[Obj]:
    tidy: list[Obj] = []
    for value in values if isinstance(values, list) else ():
        if not isinstance(value, Mapping):
            continue
        pointer = value.get("$ref")
        found = shared.get(pointer.removeprefix(_SHARED)) if isinstance(pointer, str) else value
        if isinstance(found, Mapping) and isinstance(found.get("name"), str):
            tidy.extend(_parameter(found))
    return tidy


def _parameter(value: Mapping[str, Any]) -> list[Obj]:
    named: Obj = {"name": value["name"], "in": value.get("in"), "required": bool(value.get("required"))}
    if value.get("in") == "body":
        return [{**named, "schema": tidy_schema(value.get("schema"))}]
    if value.get("in") in ("query", "path"):
        kind = value.get("type")
        return [{**named, "type": kind if isinstance(kind, str) else "string"}]
    return []


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
