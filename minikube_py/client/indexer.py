"""A sorted copy of a resource's objects in memory, with indexes by values that the reader chooses.

Invariants: every index holds exactly the keys of the objects that give the value; names are kept sorted for each
namespace, so that a list costs what it returns and no sorting. Upstream: client-go tools/cache ThreadSafeStore.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence

from minikube_py.api.meta import Obj, ObjectKey, key_of
from minikube_py.client.interface import Change

IndexValues = Callable[[Obj], Sequence[str]]
"""The values under which an object is found in an index."""


class Indexer:
    """Objects by key, by namespace and by index value; objects are shared and read-only."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, Obj] = {}
        self._names: dict[str, list[str]] = {}
        self._values: dict[str, IndexValues] = {}
        self._indexes: dict[str, dict[str, set[ObjectKey]]] = {}

    @property
    def objects(self) -> Mapping[ObjectKey, Obj]:
        """Return the live mapping; read it before the next change, or copy it."""
        return self._objects

    def get(self, key: ObjectKey) -> Obj | None:
        """Return the object, or None."""
        return self._objects.get(key)

    def list(self, namespace: str = "") -> Sequence[Obj]:
        """Return all objects (of one namespace when given), sorted by key."""
        namespaces = (namespace,) if namespace else sorted(self._names)
        objects = self._objects
        return tuple(objects[ObjectKey(scope, name)] for scope in namespaces for name in self._names.get(scope, ()))

    def add_index(self, index: str, values: IndexValues) -> None:
        """Add a named index over the present and all later objects.

        Raises:
            ValueError: an index of that name is there.
        """
        if index in self._values:
            raise ValueError(f"index {index} is there already")
        self._values[index] = values
        self._indexes[index] = {}
        for key, obj in self._objects.items():
            self._index(index, key, obj)

    def by_index(self, index: str, value: str) -> Sequence[Obj]:
        """Return the objects under `value`, sorted by key."""
        return tuple(self._objects[key] for key in sorted(self._indexes[index].get(value, ())))

    def apply(self, change: Change) -> None:
        """Take over one change."""
        key = key_of(change.latest)
        old = self._objects.get(key)
        if old is not None:
            self._unindex(key, old)
        if change.new is None:
            self._remove(key)
            return
        if old is None:
            insort(self._names.setdefault(key.namespace, []), key.name)
        self._objects[key] = change.new
        for index in self._values:
            self._index(index, key, change.new)

    def _remove(self, key: ObjectKey) -> None:
        if self._objects.pop(key, None) is None:
            return
        names = self._names[key.namespace]
        del names[bisect_left(names, key.name)]
        if not names:
            del self._names[key.namespace]

    def _index(self, index: str, key: ObjectKey, obj: Obj) -> None:
        for value in self._values[index](obj):
            self._indexes[index].setdefault(value, set()).add(key)

    def _unindex(self, key: ObjectKey, obj: Obj) -> None:
        for index, values in self._values.items():
            held = self._indexes[index]
            for value in values(obj):
                keys = held.get(value)
                if keys is None:
                    continue
                keys.discard(key)
                if not keys:
                    del held[value]
