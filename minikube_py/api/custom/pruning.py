"""Take out of an object what its structural schema does not name.

Invariants: `apiVersion`, `kind` and `metadata` of the object and of embedded objects stay; below a node that
preserves unknown fields everything stays that has no schema, and what has one is pruned by it.

Upstream: apiextensions-apiserver apiserver/schema/pruning.
"""

from typing import Any

from minikube_py.api.custom.nodes import (
    EMBEDDED,
    OBJECT_FIELDS,
    Node,
    below,
    items_node,
    keeps_unknown,
    properties,
    values_node,
)
from minikube_py.api.meta import Obj


def prune(obj: Obj, node: Node) -> tuple[str, ...]:
    """Prune an object in place; returns the paths of what went, in the object's order."""
    gone: list[str] = []
    _prune_object(obj, node, "", gone, is_resource=True)
    return tuple(gone)


def _prune_value(value: Any, node: Node, path: str, gone: list[str]) -> None:
    if isinstance(value, dict):
        _prune_object(value, node, path, gone, is_resource=bool(node.get(EMBEDDED)))
    elif isinstance(value, list):
        items = items_node(node)
        for index, item in enumerate(value):
            # elements that no schema describes: a list in preserved content, or a list that is no list
            if items is not None:
                _prune_value(item, items, f"{path}[{index}]", gone)
            elif not keeps_unknown(node):
                _prune_value(item, {}, f"{path}[{index}]", gone)


def _prune_object(obj: Obj, node: Node, path: str, gone: list[str], *, is_resource: bool) -> None:
    named, values, keeps = properties(node), values_node(node), keeps_unknown(node)
    for key in list(obj):
        here = below(path, key)
        if is_resource and key in OBJECT_FIELDS:
            continue
        if key in named:
            _prune_value(obj[key], named[key], here, gone)
        elif values is not None:
            _prune_value(obj[key], values, here, gone)
        elif not keeps:
            del obj[key]
            gone.append(here)
