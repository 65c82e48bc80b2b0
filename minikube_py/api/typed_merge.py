"""Merging a configuration into an object, and taking fields out of one, by schema.

The two halves of an apply: what the configuration says goes in (`merge`), what its applier no longer says comes out
(`remove`). Lists keep the order of the configuration as far as it tells; elements of others stay where they were.

Upstream: structured-merge-diff typed (merge.go, remove.go).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.field_paths import FieldSet, Path
from minikube_py.api.meta import Obj
from minikube_py.api.schema import Schema
from minikube_py.api.typed_walk import (
    ABSENT,
    Shape,
    child_schema,
    grouped,
    item_schema,
    list_elements,
    shape_of,
)

Tree = dict[str, "Tree"]
_MEMBER = "."


def merge(live: Any, config: Any, schema: Schema | None) -> Any:
    """Return `live` with all fields of `config` in it; parts that did not change are shared with the arguments.

    Raises:
        WalkError: an element of a keyed list has no keys.
    """
    if config is ABSENT:
        return live
    if live is ABSENT or live is None:
        return config
    shape = shape_of(schema, config)
    if shape == "leaf":
        return config
    if config is None:
        return live
    if shape == "map":
        keys = dict.fromkeys([*live, *config])
        return {key: merge(live.get(key, ABSENT), config.get(key, ABSENT), child_schema(schema, key)) for key in keys}
    return _merge_lists(live, config, schema, shape)


def _merge_lists(live: Sequence[Any], config: Sequence[Any], schema: Schema | None, shape: Shape) -> list[Any]:
    """Merge two keyed lists or sets.

    The elements that both have come in the configuration's order, with its new elements between them; the elements
    that only the live list has stay as near to their old neighbours as that allows.
    """
    old, new = list_elements(schema, live, shape, ()), list_elements(schema, config, shape, ())
    known, wanted = grouped(old), dict(new)
    shared = [element for element, _ in new if element in known]
    out: list[Any] = []
    done: set[str] = set()
    left, right = 0, 0
    while left < len(old) or right < len(new):
        element = old[left][0] if left < len(old) else ""
        if left < len(old) and element not in wanted:
            out.append(old[left][1])
            left += 1
            continue
        if right < len(new):
            waits = element in wanted and element != new[right][0] and bool(shared) and shared[0] != element
            if waits:
                left += 1
                continue
            if element in done:
                left += 1
            taken = new[right][0]
            before = known.get(taken, [])
            out.append(merge(before[0] if len(before) == 1 else ABSENT, wanted[taken], item_schema(schema)))
            done.add(taken)
            if shared and shared[0] == taken:
                shared.pop(0)
            left += element == taken
            right += 1
        else:
            left += 1
    return out


def remove(value: Any, paths: FieldSet, schema: Schema | None) -> Any:
    """Return `value` without the fields at `paths`; what is left empty by that becomes null."""
    return _remove(value, _tree(paths), schema)


def _tree(paths: FieldSet) -> Tree:
    tree: Tree = {}
    for path in paths:
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node[_MEMBER] = {}
    return tree


def _remove(value: Any, doomed: Tree, schema: Schema | None) -> Any:
    shape = shape_of(schema, value)
    if shape == "leaf" or not value or not any(element != _MEMBER for element in doomed):
        return value
    if shape == "map":
        left = {
            key: _remove(inner, doomed.get(f"f:{key}", {}), child_schema(schema, key))
            for key, inner in value.items()
            if _MEMBER not in doomed.get(f"f:{key}", {})
        }
        return left or None
    kept = [
        _remove(item, doomed.get(element, {}), item_schema(schema)) if shape == "keyed" else item
        for element, item in list_elements(schema, value, shape, ())
        if _MEMBER not in doomed.get(element, {})
    ]
    return kept or None


def with_named_fields(paths: FieldSet, schema: Schema | None) -> FieldSet:
    """Return `paths` and every named field that lies on the way to one of them.

    A set of `.spec.ports[...].name` then has `.spec` and `.spec.ports` too, but not the keys of maps and lists.
    """
    known: dict[Path, Schema | None] = {(): schema}
    out = set(paths)
    for path in paths:
        for end in range(1, len(path)):
            prefix = path[:end]
            parent = known[prefix[:-1]]
            if prefix not in known:
                known[prefix] = _below(parent, prefix[-1])
            if parent is not None and prefix[-1].startswith("f:") and prefix[-1][2:] in parent.fields:
                out.add(prefix)
    return frozenset(out)


def _below(schema: Schema | None, element: str) -> Schema | None:
    return child_schema(schema, element[2:]) if element.startswith("f:") else item_schema(schema)


def without_nulls(value: Any) -> Any:
    """Return a value without keys that hold null: for built-in kinds null is the same as absent."""
    if isinstance(value, Mapping):
        cleaned: Obj = {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
        return cleaned
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
