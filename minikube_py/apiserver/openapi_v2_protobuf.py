"""An OpenAPI v2 document as protobuf, the only form of it that kubectl takes.

A writer for the part of gnostic's `openapi.v2.Document` that a Kubernetes document uses, driven by tables of field
numbers; nothing is ever decoded here. Vendor extensions (`x-...`) go in as YAML text, for which JSON is good enough.

A document is written in parts that are simply put one after another: a protobuf reader merges a field that comes more
than once. So no part takes long, however large the document is.

Upstream: github.com/google/gnostic openapiv2/OpenAPIv2.proto.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from minikube_py.api.protobuf import encode_varint

Writer = Callable[[Any], bytes]
"""Encodes the content of one field of a message, without its tag."""

_VARINT = 0
_BYTES = 2


def encode_head(title: str, version: str) -> bytes:
    """Return the first part of a Document: what it is."""
    return _field(1, _text("2.0")) + _field(2, _field(1, _text(title)) + _field(2, _text(version)))


def encode_paths(paths: Mapping[str, Any]) -> bytes:
    """Return a part of a Document that holds some of its paths."""
    return _field(8, b"".join(_field(2, _named(name, _path_item(value))) for name, value in paths.items()))


def encode_definitions(definitions: Mapping[str, Any]) -> bytes:
    """Return a part of a Document that holds some of its definitions."""
    return _field(9, _named_list(definitions, _schema))


def _field(number: int, content: bytes) -> bytes:
    return encode_varint(number << 3 | _BYTES) + encode_varint(len(content)) + content


def _flag(number: int, *, value: bool) -> bytes:
    """Encode a bool field; proto3 leaves false out."""
    return encode_varint(number << 3 | _VARINT) + b"\x01" if value else b""


def _text(value: str) -> bytes:
    return value.encode()


def _named(name: str, content: bytes) -> bytes:
    """Encode one entry of gnostic's Named* messages: 1 is the key, 2 the value."""
    return _field(1, _text(name)) + _field(2, content)


def _named_list(entries: Mapping[str, Any], write: Writer) -> bytes:
    return b"".join(_field(1, _named(name, write(value))) for name, value in entries.items())


def _texts(number: int, values: Iterable[str]) -> bytes:
    return b"".join(_field(number, _text(value)) for value in values)


def _message(value: Mapping[str, Any], fields: Mapping[str, tuple[int, Writer]], extension: int) -> bytes:
    """Encode a message whose members are length-delimited; `x-` members become vendor extensions."""
    parts = []
    for key, member in value.items():
        if key.startswith("x-"):
            parts.append(_field(extension, _named(key, _field(2, orjson.dumps(member)))))
        elif key in fields:
            number, write = fields[key]
            parts.append(_field(number, write(member)))
    return b"".join(parts)


def _schema(value: Mapping[str, Any]) -> bytes:
    return _message(value, _SCHEMA, 31) + _texts(19, value.get("required", ()))


_SCHEMA: Mapping[str, tuple[int, Writer]] = {
    "$ref": (1, _text),
    "format": (2, _text),
    "description": (4, _text),
    "additionalProperties": (21, lambda value: _field(1, _schema(value))),
    "type": (22, lambda value: _field(1, _text(value))),
    "items": (23, lambda value: _field(1, _schema(value))),
    "properties": (25, lambda value: _named_list(value, _schema)),
}


def _path_item(value: Mapping[str, Any]) -> bytes:
    methods = b"".join(_field(_METHODS[key], _operation(value[key])) for key in _METHODS if key in value)
    return methods + b"".join(_field(9, _parameter(parameter)) for parameter in value.get("parameters", ()))


_METHODS: Mapping[str, int] = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def _operation(value: Mapping[str, Any]) -> bytes:
    return b"".join(
        (
            _field(5, _text(value["operationId"])),
            _texts(6, value["produces"]),
            _texts(7, value["consumes"]),
            b"".join(_field(8, _parameter(parameter)) for parameter in value["parameters"]),
            _field(9, _named_list(value["responses"], _response)),
            _texts(10, value["schemes"]),
            _message(value, {}, 13),
        )
    )


def _response(value: Mapping[str, Any]) -> bytes:
    schema = _field(2, _field(1, _schema(value["schema"]))) if "schema" in value else b""
    return _field(1, _field(1, _text(value["description"])) + schema)


def _parameter(value: Mapping[str, Any]) -> bytes:
    """Encode a ParametersItem: a body parameter, or one in the query or the path."""
    required = bool(value.get("required"))
    name, place = _text(value["name"]), _text(value["in"])
    if value["in"] == "body":
        body = _field(2, name) + _field(3, place) + _flag(4, value=required) + _field(5, _schema(value["schema"]))
        return _field(1, _field(1, body))
    number, type_number = (3, 6) if value["in"] == "query" else (4, 5)
    inner = _flag(1, value=required) + _field(2, place) + _field(4, name) + _field(type_number, _text(value["type"]))
    return _field(1, _field(2, _field(number, inner)))
