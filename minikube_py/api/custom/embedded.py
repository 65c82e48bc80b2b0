"""Embedded objects must be objects: they have an apiVersion and a kind, and their metadata is in order.

Upstream: apiextensions-apiserver apiserver/schema/objectmeta.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minikube_py.api.custom.nodes import EMBEDDED, Node, below, items_node, properties, values_node
from minikube_py.api.rules.faults import Faults, required
from minikube_py.api.rules.metadata import validate_metadata


def validate_embedded(value: Any, node: Node, path: str = "") -> Faults:
    """Yield the faults of all embedded objects in a value."""
    if isinstance(value, Mapping):
        if path and node.get(EMBEDDED):
            yield from _validate_object(value, path)
        named, values = properties(node), values_node(node)
        for key, inner in value.items():
            child = named.get(key, values)
            if child is not None:
                yield from validate_embedded(inner, child, below(path, key))
    elif isinstance(value, list) and (items := items_node(node)) is not None:
        for index, item in enumerate(value):
            yield from validate_embedded(item, items, f"{path}[{index}]")


def _validate_object(value: Mapping[str, Any], path: str) -> Faults:
    for field in ("apiVersion", "kind"):
        if not value.get(field):
            yield required(f"{path}.{field}", "must not be empty")
    meta = value.get("metadata")
    if isinstance(meta, Mapping):
        for fault in validate_metadata({"metadata": meta}):
            yield replace(fault, field=f"{path}.{fault.field}")
