"""Objects as sets of fields, by schema: which paths a value has, and what differs between two values.

Server-side apply treats a value by what its schema says of it:

    leaf      scalars, atomic lists and maps: one field, replaced as a whole
    map       named fields and free keys: each key is a field of its own
    keyed     lists with keys (containers by name): each element is a field, and its fields are too
    set       lists of scalars that are sets (finalizers): each scalar is a field

Without a schema (custom resources that have none) maps are maps and lists are leaves.

Go has values that are never absent: `spec` of a Deployment is there even when it is empty. They are not "added" by
whoever fills them, and therefore count as present on both sides of a comparison.

Upstream: structured-merge-diff typed (tofieldset.go, compare.go) and kube-openapi schemaconv.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.field_paths import (
    FieldSet,
    Path,
    key_element,
    path_text,
    value_element,
)
from minikube_py.api.schema import Field, Schema

Shape = Literal["leaf", "map", "keyed", "set"]


class Absent:
    """The type of ABSENT."""


ABSENT = Absent()
"""Stands for a value that is not there; null is a value."""

_KEY_DEFAULTS: Mapping[str, Any] = {"protocol": "TCP"}
"""Keys of list elements that may be left out (ports of containers and services)."""

_NEVER_ABSENT = frozenset(
    {
        "metadata",
        "spec",
        "status",
        "template",
        "strategy",
        "loadBalancer",
        "nodeInfo",
        "daemonEndpoints",
        "kubeletEndpoint",
        "features",
        "involvedObject",
        "source",
        "state",
        "lastState",
    }
)
"""Fields of the served kinds that are plain structs in Go, not pointers."""


_CUSTOM_NEVER_ABSENT = frozenset({"metadata"})
"""A custom resource is no Go struct; only its metadata is."""


class WalkError(Exception):
    """A value does not fit its schema: the text is upstream's, with the path in front."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path_text(path)}: {why}")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different in a second value: paths that it has in addition, no more, or with another value."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet

    @property
    def taken(self) -> FieldSet:
        """Return the paths that whoever made the change now owns."""
        return self.added | self.modified

    def ignoring(self, prefixes: FieldSet) -> "Changes":
        """Return the changes outside of the given paths and everything below them."""
        if not prefixes:
            return self
        return Changes(*(outside(paths, prefixes) for paths in (self.added, self.removed, self.modified)))


def outside(paths: FieldSet, prefixes: FieldSet) -> FieldSet:
    """Return the paths that neither are nor lie below one of `prefixes` (upstream: RecursiveDifference)."""
    if not prefixes:
        return paths
    return frozenset(p for p in paths if not any(p[: len(prefix)] == prefix for prefix in prefixes))


def shape_of(schema: Schema | None, value: Any) -> Shape:
    """Return how a value with this schema is taken apart."""
    if schema is None or schema.type == "any":
        return "map" if isinstance(value, Mapping) else "leaf"
    if schema.type in ("object", "map"):
        return "leaf" if schema.map_type == "atomic" or "replace" in schema.patch_strategy else "map"
    return _shape_of_list(schema) if schema.type == "list" else "leaf"


def _shape_of_list(schema: Schema) -> Shape:
    match schema.list_type:
        case "map":
            return "keyed"
        case "set":
            return "set"
        case "" if "merge" in schema.patch_strategy:
            return "keyed" if schema.merge_key else "set"
        case _:
            return "leaf"


def list_keys(schema: Schema | None) -> tuple[str, ...]:
    """Return the keys of a keyed list."""
    assert schema is not None
    return schema.list_map_keys or (schema.merge_key,)


def child_schema(schema: Schema | None, key: str) -> Schema | None:
    """Return the schema of a map's value; values below `any` and unknown fields are `any` too."""
    return schema.child(key) if schema is not None else None


def item_schema(schema: Schema | None) -> Schema | None:
    """Return the schema of a list's elements."""
    return schema.item if schema is not None else None


def list_elements(schema: Schema | None, items: Sequence[Any], shape: Shape, path: Path) -> list[tuple[str, Any]]:
    """Return each element of a keyed list or set with its path element; duplicates stay.

    Raises:
        WalkError: an element has none of the list's keys.
    """
    if shape == "set":
        return [(value_element(item), item) for item in items]
    return [(_keys_of(schema, item, index, path), item) for index, item in enumerate(items)]


def _keys_of(schema: Schema | None, item: Any, index: int, path: Path) -> str:
    if not isinstance(item, Mapping):
        raise WalkError(path, f"element {index}: associative list with keys may not have non-map elements")
    names = list_keys(schema)
    values = {name: item.get(name, _KEY_DEFAULTS.get(name)) for name in names}
    present = {name: value for name, value in values.items() if value is not None}
    if not present:
        shown = "[" + " ".join(f'"{name}"' for name in names) + "]"
        raise WalkError(
            path,
            f"element {index}: associative list with keys has an element that omits all key fields {shown}"
            " (and doesn't have default values for any key fields)",
        )
    return key_element(present)


def field_set(value: Any, schema: Schema | None) -> FieldSet:
    """Return the paths that an applier of `value` owns; of an element that occurs twice only the element itself.

    Raises:
        WalkError: an element of a keyed list has no keys.
    """
    return frozenset(_owned((), value, schema))


def _owned(path: Path, value: Any, schema: Schema | None) -> Iterator[Path]:
    shape = shape_of(schema, value)
    if shape == "leaf":
        if path:
            yield path
    elif value is None:
        return
    elif shape == "map":
        yield from _owned_of_map(path, value, schema)
    else:
        yield from _owned_of_list(path, value, schema, shape)


def _owned_of_map(path: Path, value: Mapping[str, Any], schema: Schema | None) -> Iterator[Path]:
    named = schema.fields if schema is not None else {}
    for key, inner in value.items():
        below = (*path, f"f:{key}")
        yield from _owned(below, inner, child_schema(schema, key))
        if inner is None or inner == {} or key not in named:
            yield below


def _owned_of_list(path: Path, value: Sequence[Any], schema: Schema | None, shape: Shape) -> Iterator[Path]:
    for element, items in grouped(list_elements(schema, value, shape, path)).items():
        below = (*path, element)
        yield below
        if shape == "keyed" and len(items) == 1:
            yield from _owned(below, items[0], item_schema(schema))


class _Found:
    """What a comparison has come upon so far."""

    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.removed: set[Path] = set()
        self.modified: set[Path] = set()

    def leaf(self, path: Path, old: Any, new: Any) -> None:
        if old is ABSENT:
            self.added.add(path)
        elif new is ABSENT:
            self.removed.add(path)
        elif old != new:
            self.modified.add(path)


def compare(old: Any, new: Any, schema: Schema | None) -> Changes:
    """Return what `new` has added, removed and modified; costs little where both are equal.

    Raises:
        WalkError: an element of a keyed list has no keys.
    """
    found = _Found()
    _compare((), old, new, schema, found)
    return Changes(frozenset(found.added), frozenset(found.removed), frozenset(found.modified))


def _compare(path: Path, old: Any, new: Any, schema: Schema | None, found: _Found) -> None:
    if old is not ABSENT and new is not ABSENT and old == new:
        return
    shape = shape_of(schema, new if new is not ABSENT else old)
    before, after = _filled(old), _filled(new)
    if shape == "leaf" or not (before or after) or not (_fits(shape, before) and _fits(shape, after)):
        found.leaf(path, old, new)
        return
    if shape == "map":
        _compare_maps(path, before or {}, after or {}, schema, found)
    else:
        _compare_lists(path, (before or (), after or ()), schema, shape, found)
    if old is ABSENT or new is ABSENT:
        found.leaf(path, old, new)


def _fits(shape: Shape, value: Any) -> bool:
    """Return whether a value is of the type that its shape needs (None: nothing is there)."""
    if value is None or type(value) is (dict if shape == "map" else list):
        return True
    return isinstance(value, Mapping if shape == "map" else list)


def _filled(value: Any) -> Any:
    """Return the value when there is something in it, else None."""
    return value if value is not ABSENT and value else None


def _compare_maps(
    path: Path, old: Mapping[str, Any], new: Mapping[str, Any], schema: Schema | None, found: _Found
) -> None:
    fields = schema.fields if schema is not None else {}
    custom = schema is not None and schema.own_fields is not None
    for key, after in new.items():
        before = old.get(key, ABSENT)
        if before is ABSENT:
            before = when_absent(fields.get(key), custom=custom)
        elif before == after:
            continue
        _compare((*path, f"f:{key}"), before, after, child_schema(schema, key), found)
    for key, before in old.items():
        if key not in new:
            after = when_absent(fields.get(key), custom=custom)
            _compare((*path, f"f:{key}"), before, after, child_schema(schema, key), found)


def when_absent(field: Field | None, *, custom: bool) -> Any:
    """Return what Go has where JSON has nothing: an empty struct, null for a list that must be there, or ABSENT."""
    if field is None:
        return ABSENT
    if field.schema.type == "object":
        return {} if field.name in (_CUSTOM_NEVER_ABSENT if custom else _NEVER_ABSENT) else ABSENT
    return None if field.required and field.schema.type in ("list", "map") else ABSENT


def _compare_lists(
    path: Path, both: tuple[Sequence[Any], Sequence[Any]], schema: Schema | None, shape: Shape, found: _Found
) -> None:
    old, new = (grouped(list_elements(schema, items, shape, path)) for items in both)
    for element in old.keys() | new.keys():
        below, before, after = (*path, element), old.get(element, []), new.get(element, [])
        if len(before) > 1 or len(after) > 1:
            found.leaf(below, before or ABSENT, after or ABSENT)
        else:
            pair = (before[0] if before else ABSENT, after[0] if after else ABSENT)
            _compare(below, *pair, item_schema(schema), found)


def grouped(elements: Sequence[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Return all elements with the same path element together, in the order in which they came."""
    groups: dict[str, list[Any]] = {}
    for element, item in elements:
        groups.setdefault(element, []).append(item)
    return groups
