"""What a new object has: its fields as a FieldsV1 tree, in one walk and without a set of paths in between.

Whoever creates an object owns all of it, and of the work of a creation this was the largest part. The rules are those
of `typed_walk.compare` with nothing on the other side; a walker is a closure for one schema, made once, as in
`decode_check`. Custom resources bring their own schemas, which are compared as every other change is.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from minikube_py.api.field_paths import ITSELF
from minikube_py.api.meta import Obj
from minikube_py.api.schema import Schema
from minikube_py.api.typed_walk import ABSENT, Shape, grouped, list_elements, shape_of, when_absent

Walker = Callable[[Any], Obj | None]
"""A value -> the tree of what is below it; None: it is one field as a whole."""


def added_fields(obj: Mapping[str, Any], schema: Schema) -> Obj:
    """Return the FieldsV1 tree of all fields of an object of a built-in kind.

    Raises:
        WalkError: an element of a keyed list has no keys.
    """
    return _walker(schema)(obj) or {}


@cache
def _walker(schema: Schema | None) -> Walker:
    """Return the walker for one schema (as many as there are schemas: the cache is bounded by the table)."""
    if schema is None or schema.type == "any":
        return _walk_free
    shape = shape_of(schema, None)
    if shape == "leaf":
        return _walk_leaf
    if shape != "map":
        return _list_walker(schema, shape)
    return _object_walker(schema) if schema.type == "object" else _map_walker(schema)


def _walk_leaf(value: Any) -> None:
    del value


def _walk_free(value: Any) -> Obj | None:
    if type(value) is not dict:
        return None
    return {f"f:{key}": _member(_walk_free(inner)) for key, inner in value.items()}


def _member(below: Obj | None) -> Obj:
    """Return the node of a field that is owned itself, with what is below it."""
    if not below:
        return {}
    below[ITSELF] = {}
    return below


class _Named(NamedTuple):
    """A field of an object: its path element, its walker, and what Go has where JSON has nothing."""

    element: str
    walk: Walker
    absent: Any


def _object_walker(schema: Schema) -> Walker:
    known: dict[str, _Named] = {}

    def look_up(key: str) -> _Named:
        field = schema.fields.get(key)
        if field is None:
            return _Named(f"f:{key}", _walk_free, ABSENT)  # not remembered: clients choose the names
        known[key] = _Named(f"f:{key}", _walker(field.schema), when_absent(field, custom=False))
        return known[key]

    def walk(value: Any) -> Obj | None:
        if type(value) is not dict:
            return None
        tree: Obj = {}
        for key, inner in value.items():
            element, walk_inner, absent = known.get(key) or look_up(key)
            if absent is ABSENT:
                tree[element] = {} if walk_inner is _walk_leaf else _member(walk_inner(inner))
            elif inner != absent:
                # What is never absent in Go is no field of its own, unless it is set as a whole.
                below = walk_inner(inner) if inner else None
                if below is None or below:
                    tree[element] = below or {}
        return tree

    return walk


def _map_walker(schema: Schema) -> Walker:
    walk_inner = _walker(schema.item)
    if walk_inner is _walk_leaf:
        return lambda value: {f"f:{key}": {} for key in value} if type(value) is dict else None
    return lambda value: (
        {f"f:{key}": _member(walk_inner(inner)) for key, inner in value.items()} if type(value) is dict else None
    )


def _list_walker(schema: Schema, shape: Shape) -> Walker:
    def walk(value: Any) -> Obj | None:
        if type(value) is not list:
            return None
        walk_inner = _walker(schema.item)  # looked up here: definitions refer to one another
        groups = grouped(list_elements(schema, value, shape, ()))
        return {
            element: _member(walk_inner(items[0])) if len(items) == 1 else {} for element, items in groups.items()
        }

    return walk
