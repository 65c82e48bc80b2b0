"""Fill in the defaults that a structural schema gives.

A default is set where the field is left out, or where it is null and may not be; only in objects that are there. A
null that may not be there and has no default goes before that, so that clients that write null for "not given" pass.

Upstream: apiextensions-apiserver apiserver/schema/defaulting.
"""

from typing import Any

import orjson

from minikube_py.api.custom.nodes import OBJECT_FIELDS, Node, items_node, properties, values_node
from minikube_py.api.meta import Obj, copy_object


def set_defaults(obj: Obj, node: Node) -> None:
    """Set the defaults of an object in place; its metadata is nobody's business but the server's."""
    for key, value in _known(obj, node, skip=OBJECT_FIELDS):
        _default_value(obj, key, value)


def has_defaults(node: Node) -> bool:
    """Return whether anything in the schema has a default."""
    # most have none, which their text tells in a tenth of the time
    return b'"default":' in orjson.dumps(node) and _has_defaults(node)


def _has_defaults(node: Node) -> bool:
    if "default" in node:
        return True
    inner = [*properties(node).values(), values_node(node), items_node(node)]
    return any(child is not None and _has_defaults(child) for child in inner)


def _known(obj: Obj, node: Node, skip: tuple[str, ...] = ()) -> list[tuple[str, Node]]:
    """Return the fields that have a schema, or are given: named ones that have a default, and those of the object."""
    named, values = properties(node), values_node(node)
    known = {key: child for key, child in named.items() if key not in skip and ("default" in child or key in obj)}
    if values is not None:
        known.update((key, values) for key in obj if key not in named and key not in skip)
    return list(known.items())


def _default_value(parent: Obj, key: str, node: Node) -> None:
    value = parent.get(key)
    if value is None and not (key in parent and node.get("nullable")):
        if "default" not in node:
            parent.pop(key, None)
            return
        if node["default"] is None and not node.get("nullable"):
            parent.pop(key, None)
            return
        value = parent[key] = _copied(node["default"])
    _default_inside(value, node)


def _default_inside(value: Any, node: Node) -> None:
    if isinstance(value, dict):
        for key, child in _known(value, node):
            _default_value(value, key, child)
    elif isinstance(value, list):
        items = items_node(node)
        if items is not None:
            for item in value:
                _default_inside(item, items)


def _copied(default: Any) -> Any:
    return copy_object({"v": default})["v"] if isinstance(default, dict | list) else default
