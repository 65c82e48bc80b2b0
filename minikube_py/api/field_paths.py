"""Paths of fields, and sets of them, on the wire and in memory.

A path is a tuple of path elements in upstream's own spelling:

    ("f:spec", "f:containers", 'k:{"name":"c"}', "f:image")

`f:` names a field or a map's key, `k:` a list element by its keys, `v:` a scalar of a set, `i:` an index. A set of
paths is a plain frozenset, so that union, intersection and difference are Python's own. On the wire (FieldsV1) a set
is a tree in which `.` says that the inner node itself belongs to the set:

    {"f:data": {".": {}, "f:a": {}}}     = {("f:data",), ("f:data", "f:a")}
    {"f:data": {"f:a": {}}}              = {("f:data", "f:a")}

Most writes touch few of an object's fields, so trees are changed as they are (`with_paths`, `without_paths`).

Upstream: structured-merge-diff fieldpath.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from minikube_py.api.meta import Obj

Path = tuple[str, ...]
FieldSet = frozenset[Path]

NO_FIELDS: FieldSet = frozenset()

NESTING_MAX = 200
"""A FieldsV1 tree deeper than this is refused."""

ITSELF = "."
"""The node that says that the one above it is a member too."""
_PREFIXES = ("f:", "k:", "v:", "i:")


class ManagedFieldsError(Exception):
    """managedFields that a client wrote cannot be read."""


def contains(fields_v1: Mapping[str, Any], path: Path) -> bool:
    """Return whether a FieldsV1 tree has the path as a member."""
    node = fields_v1
    for element in path:
        inner = node.get(element)
        if inner is None:
            return False
        node = inner
    return not node or ITSELF in node


def with_paths(fields_v1: Mapping[str, Any], paths: Iterable[Path]) -> Mapping[str, Any]:
    """Return a FieldsV1 tree with these members too; it shares with the other what stays as it was."""
    for path in paths:
        fields_v1 = _with(fields_v1, path)
    return fields_v1


def _with(node: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    if not path:
        return {**node, ITSELF: {}} if node else node
    element, *rest = path
    inner = node.get(element)
    if inner is None:
        below: Mapping[str, Any] = encode_fields([tuple(rest)])
    elif not inner and rest:
        below = {ITSELF: {}, **encode_fields([tuple(rest)])}
    else:
        below = _with(inner, tuple(rest))
    return {**node, element: below}


def without_paths(fields_v1: Mapping[str, Any], paths: Iterable[Path], *, below: bool = False) -> Mapping[str, Any]:
    """Return a FieldsV1 tree without these members; the very same one when it has none of them.

    Args:
        fields_v1: the tree.
        paths: the members.
        below: without all that is below them, too.
    """
    for path in paths:
        left = _without(fields_v1, path, below=below)
        fields_v1 = {} if left is None else left
    return fields_v1


def _without(node: Mapping[str, Any], path: Path, *, below: bool) -> Mapping[str, Any] | None:
    """Return what is left of a node; None: nothing."""
    if not path:
        return None if below or not node else _without_element(node, ITSELF)
    inner = node.get(path[0])
    left = _without(inner, path[1:], below=below) if inner is not None else None
    if left is inner:
        return node
    return {**node, path[0]: left} if left is not None else _without_element(node, path[0])


def _without_element(node: Mapping[str, Any], element: str) -> Mapping[str, Any] | None:
    if element not in node:
        return node
    others = {name: kept for name, kept in node.items() if name != element}
    return {} if others.keys() == {ITSELF} else others or None


def encode_fields(fields: Iterable[Path]) -> Obj:
    """Return a set of paths as a FieldsV1 tree; its keys have no order until it is written (apiserver.canonical)."""
    tree: Obj = {}
    ends: list[Obj] = []
    for path in fields:
        node = tree
        for element in path:
            inner = node.get(element)
            if inner is None:
                inner = node[element] = {}
            node = inner
        ends.append(node)
    for node in ends:
        if node:
            node[ITSELF] = {}  # a member in which there are others
    return tree


def decode_fields(fields_v1: Mapping[str, Any]) -> FieldSet:
    """Return the paths of a FieldsV1 tree.

    Raises:
        ManagedFieldsError: it is no such tree.
    """
    found: set[Path] = set()
    todo: list[tuple[Path, Mapping[str, Any]]] = [((), fields_v1)]
    while todo:
        path, node = todo.pop()
        for element, inner in node.items():
            if element == ITSELF:
                found.add(path)
                continue
            if not element.startswith(_PREFIXES) or not isinstance(inner, Mapping) or len(path) > NESTING_MAX:
                raise ManagedFieldsError(f"not a path element: {element[:80]}")
            below = (*path, element)
            if inner:
                todo.append((below, inner))
            else:
                found.add(below)
    return frozenset(found)


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the path element of a list element that is found by its keys."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    """Return the path element of a scalar in a set."""
    return "v:" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def path_text(path: Path) -> str:
    """Return a path as messages show it: `.spec.containers[name="c"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, rest = element[:2], element[2:]
    match kind:
        case "f:":
            return f".{rest}"
        case "k:":
            keys = orjson.loads(rest)
            return "[" + ",".join(f"{name}={orjson.dumps(keys[name]).decode()}" for name in sorted(keys)) + "]"
        case "v:":
            return f"[={rest}]"
        case _:
            return f"[{rest}]"
