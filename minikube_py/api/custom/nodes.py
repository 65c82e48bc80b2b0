"""Reading a structural schema: the questions that pruning, defaulting and validation ask of a node.

A node is a JSONSchemaProps as JSON has it (`{"type": "object", "properties": {...}}`). Nodes are read where they
stand, never compiled: a definition of a megabyte costs nothing until an object of it is written, and then only the
part that the object reaches.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Node: TypeAlias = Mapping[str, Any]
"""One JSONSchemaProps."""

EMBEDDED = "x-kubernetes-embedded-resource"
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_MAP_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
VALIDATIONS = "x-kubernetes-validations"
OBJECT_FIELDS = ("apiVersion", "kind", "metadata")
"""What every object has, and every embedded one, without the schema saying so."""


def properties(node: Node) -> Mapping[str, Node]:
    """Return the named fields of an object."""
    named: Mapping[str, Node] = node.get("properties") or {}
    return named


def values_node(node: Node) -> Node | None:
    """Return the schema of the values under free keys, None when there is none."""
    values = node.get("additionalProperties")
    return values if isinstance(values, Mapping) else None


def keeps_unknown(node: Node) -> bool:
    """Return whether fields without a name in the schema stay."""
    return bool(node.get(PRESERVE)) or node.get("additionalProperties") is True


def items_node(node: Node) -> Node | None:
    """Return the schema of a list's elements."""
    items = node.get("items")
    return items if isinstance(items, Mapping) else None


def below(path: str, key: str) -> str:
    """Return the path of a field: `spec.size`."""
    return f"{path}.{key}" if path else key
