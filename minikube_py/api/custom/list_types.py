"""Lists that are sets, and lists with keys: no element may stand twice.

Upstream: apiextensions-apiserver apiserver/schema/listtype.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.custom.nodes import (
    LIST_MAP_KEYS,
    LIST_TYPE,
    Node,
    below,
    items_node,
    properties,
    values_node,
)
from minikube_py.api.errors import FieldError
from minikube_py.api.rules.faults import Faults


def validate_lists(value: Any, node: Node, path: str = "") -> Faults:
    """Yield a fault for each element that another one before it equals, or has the keys of."""
    if isinstance(value, Mapping):
        named, values = properties(node), values_node(node)
        for key, inner in value.items():
            child = named.get(key, values)
            if child is not None:
                yield from validate_lists(inner, child, below(path, key))
    elif isinstance(value, list):
        items = items_node(node)
        if items is None:
            return
        yield from _duplicates(value, node, items, path)
        for index, item in enumerate(value):
            yield from validate_lists(item, items, f"{path}[{index}]")


def _duplicates(value: list[Any], node: Node, items: Node, path: str) -> Faults:
    kind = node.get(LIST_TYPE)
    if kind not in ("set", "map"):
        return
    seen: set[bytes] = set()
    for index, item in enumerate(value):
        shown = item if kind == "set" else _keys_of(item, node, items)
        identity = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        if identity in seen:
            yield FieldError("FieldValueDuplicate", f"{path}[{index}]", "", shown)
        seen.add(identity)


def _keys_of(item: Any, node: Node, items: Node) -> Any:
    if not isinstance(item, Mapping):
        return item
    named = properties(items)
    keys = {key: item.get(key, named.get(key, {}).get("default")) for key in node.get(LIST_MAP_KEYS) or ()}
    return {key: value for key, value in keys.items() if value is not None}
