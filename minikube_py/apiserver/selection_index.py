"""Which objects of a resource have a certain label or field: kept for what lists ask for, so that they look at few.

An index holds, for one label key or field path, the keys of the objects by their value. It costs one dictionary
change for each write of the resource, and is made when a list first asks for an equality of that label or field.

Invariant: for every object that was noted, `_value_of[key]` is its value, and `_keys_of` holds the key under it.

Upstream: storage/cacher (indexers of spec.nodeName alone); labels are not indexed there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.meta import labels_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.list_options import Filter, read_field

INDEXES_MAX = 16
"""Indexes of one resource (label keys are the clients' choice); the one that was not used for longest goes."""


@dataclass(frozen=True, slots=True)
class IndexName:
    """What an index is of: a label's key or a field's path."""

    kind: Literal["label", "field"]
    path: str

    def read(self, resource: Resource, obj: Mapping[str, Any]) -> str | None:
        """Return an object's value; None when it has no such label."""
        if self.kind == "label":
            return labels_of(obj).get(self.path)
        return read_field(resource, self.path, obj)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One equality that a filter asks for."""

    index: IndexName
    values: tuple[str, ...]


def equalities(filter_: Filter) -> tuple[Wanted, ...]:
    """Return the equalities that all objects of the filter fulfil, which is where an index helps."""
    labels = tuple(
        Wanted(IndexName("label", requirement.key), requirement.values)
        for requirement in filter_.labels
        if requirement.operator in ("=", "in")
    )
    fields = tuple(
        Wanted(IndexName("field", requirement.path), (requirement.value,))
        for requirement in filter_.fields
        if requirement.equal
    )
    return fields + labels


class SelectionIndex:
    """One index of one resource."""

    def __init__(self, name: IndexName) -> None:
        self.name = name
        self.complete = False
        """Whether every object that is there has been noted."""
        self._keys_of: dict[str, dict[str, None]] = {}
        self._value_of: dict[str, str] = {}

    def note(self, resource: Resource, key: str, obj: Mapping[str, Any] | None) -> None:
        """Note an object as it is now; None: it is gone."""
        value = self.name.read(resource, obj) if obj is not None else None
        before = self._value_of.get(key)
        if before == value:
            return
        if before is not None:
            keys = self._keys_of[before]
            del keys[key]
            if not keys:
                del self._keys_of[before]
        if value is None:
            self._value_of.pop(key, None)
        else:
            self._value_of[key] = value
            self._keys_of.setdefault(value, {})[key] = None

    def count(self, values: Sequence[str]) -> int:
        """Return how many objects have one of the values."""
        return sum(len(self._keys_of.get(value, ())) for value in dict.fromkeys(values))

    def keys(self, values: Sequence[str], prefix: str, after: str) -> list[str]:
        """Return the keys under `prefix` and greater than `after` of the objects with one of the values, in order."""
        found = [
            key
            for value in dict.fromkeys(values)
            for key in self._keys_of.get(value, ())
            if key > after and key.startswith(prefix)
        ]
        return sorted(found)
