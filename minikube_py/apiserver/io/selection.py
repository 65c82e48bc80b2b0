"""The objects of a collection that pass a filter, without holding up the loop: by an index, or in slices.

Everything is read from one state: the entries are taken together before anything is awaited.
"""

import asyncio
from collections.abc import Mapping, Sequence

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode, peek
from minikube_py.apiserver.glance import Glance, glance
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.selection_index import INDEXES_MAX, IndexName, SelectionIndex, Wanted, equalities
from minikube_py.apiserver.slices import slices
from minikube_py.store.interface import Entry, Store, StoreEvent
from minikube_py.store.key_index import bucket_of

SLICE = 200
"""So many objects are decoded or compared before others run,"""
SLICE_BYTES = 1 << 20
"""or objects of so many bytes (a few milliseconds)."""
WORTH_AN_INDEX = 100
"""Smaller collections are looked through."""


READ_HERE_BYTES_MAX = 128 << 10
"""Longer objects are parsed on another thread."""


def is_short(entry: Entry) -> bool:
    """Return whether an entry may be parsed on the loop."""
    return len(entry.value) <= READ_HERE_BYTES_MAX


async def read_object(entry: Entry) -> Obj:
    """Return an entry's object: shared, as `decode` gives it, or a long one made for this time only."""
    if is_short(entry):
        return decode(entry)
    return await asyncio.to_thread(peek, entry)


async def look_at(resource: Resource, entry: Entry) -> Glance:
    """Return what a table shows of a long entry of a built-in kind; nothing is kept."""
    return await asyncio.to_thread(glance, resource, entry)


class Selections:
    """The indexes of all resources of one store."""

    def __init__(self, store: Store, resources: Sequence[Resource]) -> None:
        self._store = store
        self._by_prefix = {resource.storage_prefix: resource for resource in resources}
        self._indexes: dict[str, dict[IndexName, SelectionIndex]] = {}
        store.on_commit(self._on_commit)

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        for event in events:
            prefix = bucket_of(event.key)
            indexes = self._indexes.get(prefix)
            if not indexes:
                continue
            obj = decode(event.entry) if event.entry is not None else None
            for index in tuple(indexes.values()):
                index.note(self._by_prefix[prefix], event.key, obj)

    async def find(self, resource: Resource, filter_: Filter, prefix: str, after: str) -> Sequence[Entry]:
        """Return the newest entries under `prefix` and after the key `after` that may pass the filter, in order."""
        name = filter_.name()
        if name and (filter_.namespace or not resource.namespaced):
            entry = self._store.get(resource.storage_key(filter_.namespace, name))
            return [entry] if entry is not None and entry.key > after else []
        wanted = equalities(filter_)
        if wanted and self._store.count(resource.storage_prefix) >= WORTH_AN_INDEX:
            best, index = await self._best(resource, wanted)
            # From here on nothing is awaited: the keys and their entries are of one state.
            entries = (self._store.get(key) for key in index.keys(best.values, prefix, after))
            return [entry for entry in entries if entry is not None]
        return self._store.range(prefix, after=after)

    async def _best(self, resource: Resource, wanted: Sequence[Wanted]) -> tuple[Wanted, SelectionIndex]:
        """Return the equality that the fewest objects fulfil, with its index."""
        found = [(each, await self._index(resource, each.index)) for each in wanted[:2]]
        return min(found, key=lambda pair: pair[1].count(pair[0].values))

    async def _index(self, resource: Resource, name: IndexName) -> SelectionIndex:
        indexes = self._indexes.setdefault(resource.storage_prefix, {})
        index = indexes.pop(name, None) or SelectionIndex(name)
        indexes[name] = index  # the newest in use comes last
        while len(indexes) > INDEXES_MAX:
            del indexes[next(iter(indexes))]
        if not index.complete:
            await self._fill(resource, index)
        return index

    async def _fill(self, resource: Resource, index: SelectionIndex) -> None:
        """Note all that is there; what is committed meanwhile is noted by _on_commit."""
        entries = self._store.range(resource.storage_prefix)
        for some in slices(entries, SLICE, SLICE_BYTES):
            for entry in some:
                await self._note_newest(resource, index, entry.key)
            await asyncio.sleep(0)
        index.complete = True

    async def _note_newest(self, resource: Resource, index: SelectionIndex, key: str) -> None:
        while (newest := self._store.get(key)) is not None:
            if is_short(newest):
                index.note(resource, key, peek(newest))
                return
            obj = await read_object(newest)
            if self._store.get(key) is newest:
                index.note(resource, key, obj)
                return


async def matching(
    resource: Resource, filter_: Filter, entries: Sequence[Entry], limit: int = 0
) -> tuple[Sequence[Entry], bool]:
    """Return those of `entries` that pass, at most `limit` (0: all), and whether there are more."""
    found: list[Entry] = []
    for some in slices(entries, SLICE, SLICE_BYTES):
        for entry in some:
            if filter_.matches(resource, decode(entry) if is_short(entry) else await read_object(entry)):
                found.append(entry)
                if limit and len(found) > limit:
                    return found[:limit], True
        await asyncio.sleep(0)
    return found, False


def selections_of(stores: Mapping[bool, Store], resources: Sequence[Resource]) -> Mapping[bool, Selections]:
    """Return the indexes of the durable store (True) and of the volatile one (False)."""
    return {
        durable: Selections(store, [resource for resource in resources if resource.durable is durable])
        for durable, store in stores.items()
    }
