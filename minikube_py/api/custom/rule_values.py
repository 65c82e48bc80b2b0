"""Custom objects as CEL sees them: values by their schema, and the types for checking rules before there are values.

A `number` is a double even when it is written without a point; texts with the formats date-time, date, duration and
byte are timestamps, durations and bytes. Of an object's metadata rules see the name and the generateName.

Upstream: apiserver cel/common/values.go, apiextensions apiserver/schema/cel/model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.check import DYN, Shape, Simple
from minikube_py.api.cel.library_standard import to_bytes
from minikube_py.api.cel.library_time import parse_duration, parse_timestamp
from minikube_py.api.cel.values import CelError
from minikube_py.api.custom.nodes import (
    EMBEDDED,
    INT_OR_STRING,
    Node,
    items_node,
    keeps_unknown,
    properties,
    values_node,
)

_METADATA = ("name", "generateName")
_SCALARS: Mapping[str, str] = {"integer": "int", "number": "double", "boolean": "bool"}
_TEXTS: Mapping[str, str] = {
    "date-time": "google.protobuf.Timestamp",
    "date": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "byte": "bytes",
}


def cel_value(value: Any, node: Node, *, is_resource: bool = False) -> Any:
    """Return a value as CEL sees it."""
    kind = node.get("type")
    if isinstance(value, dict):
        return _object(value, node, is_resource=is_resource or bool(node.get(EMBEDDED)))
    if isinstance(value, list):
        items = items_node(node)
        return [cel_value(item, items) for item in value] if items is not None else value
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind == "integer" and isinstance(value, float):
        return int(value)
    if kind == "string" and isinstance(value, str) and node.get("format") in _TEXTS:
        return _text(value, str(node["format"]))
    return value


def _object(value: Mapping[str, Any], node: Node, *, is_resource: bool) -> dict[str, Any]:
    named, values = properties(node), values_node(node)
    seen: dict[str, Any] = {}
    for key, inner in value.items():
        if is_resource and key == "metadata":
            seen[key] = {field: inner[field] for field in _METADATA if field in inner}
            continue
        child = named.get(key, values)
        seen[key] = cel_value(inner, child) if child is not None else inner
    return seen


def _text(value: str, form: str) -> Any:
    try:
        if form == "byte":
            return to_bytes(value)
        if form == "duration":
            return parse_duration(value)
        return parse_timestamp(f"{value}T00:00:00Z" if form == "date" else value)
    except CelError:
        return value  # the schema says that it is none; rules that look at it find a text


@dataclass(frozen=True, slots=True)
class NodeShape:
    """The type that a schema gives (api.cel.check.Shape)."""

    node: Node
    is_resource: bool = False

    @property
    def kind(self) -> str:
        """Return the CEL type, `object` for objects with named fields."""
        if self.node.get(INT_OR_STRING):
            return "dyn"
        kind = str(self.node.get("type") or "")
        if kind == "string":
            return _TEXTS.get(str(self.node.get("format") or ""), "string")
        if kind == "object":
            return self._object_kind()
        return "list" if kind == "array" else _SCALARS.get(kind, "dyn")

    def _object_kind(self) -> str:
        if values_node(self.node) is not None:
            return "map"
        has_fields = bool(properties(self.node)) or self.is_resource
        return "object" if has_fields and not keeps_unknown(self.node) else "dyn"

    def field(self, name: str) -> Shape | None:
        """Return the type of a field."""
        if self.is_resource or self.node.get(EMBEDDED):
            if name == "metadata":
                return NodeShape({"type": "object", "properties": {key: {"type": "string"} for key in _METADATA}})
            if name in ("apiVersion", "kind"):
                return Simple("string")
        child = properties(self.node).get(name)
        return NodeShape(child) if child is not None else None

    def item(self) -> Shape:
        """Return the type of elements or values."""
        inner = items_node(self.node) if self.kind == "list" else values_node(self.node)
        return NodeShape(inner) if inner is not None else DYN
