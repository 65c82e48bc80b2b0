"""Informers that follow a server through reflectors, and the set that shares and runs them.

Upstream: client-go SharedIndexInformer and SharedInformerFactory. Handlers are called in the loop, right after the
copy changed and before the next event is read: a handler enqueues a key and returns.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from minikube_py.api.meta import Obj, ObjectKey, key_of, resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.client.deltas import compute_event_changes, compute_relist_changes
from minikube_py.client.indexer import Indexer, IndexValues
from minikube_py.client.interface import EVERYTHING, Change, ListWatch, ObjectList, Selection, WatchEvent
from minikube_py.client.io.reflector import Reflector
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.growth import Growth

log = logging.getLogger("client")

INFORMERS_MAX = 1000
"""Distinct (resource, selection) pairs of one process; more are a bug (a selection for each object), and refused."""


class ReflectorInformer:
    """Implements Informer; the set hands it to a Reflector as its target."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._indexer = Indexer()
        self._handlers: list[Callable[[Change], None]] = []
        self._revision = 0
        self._synced = asyncio.Event()
        self._growth = Growth()

    def get(self, key: ObjectKey) -> Obj | None:
        """Return the object, or None."""
        return self._indexer.get(key)

    def list(self, namespace: str = "") -> Sequence[Obj]:
        """Return all objects (of one namespace when given), sorted by key."""
        return self._indexer.list(namespace)

    def add_index(self, index: str, values: IndexValues) -> None:
        """Add a named index."""
        self._indexer.add_index(index, values)

    def by_index(self, index: str, value: str) -> Sequence[Obj]:
        """Return the objects under `value`, sorted by key."""
        return self._indexer.by_index(index, value)

    def subscribe(self, handler: Callable[[Change], None]) -> None:
        """Call `handler` for every change from now on; objects already present come at once as additions."""
        self._handlers.append(handler)
        for obj in self._indexer.list():
            handler(Change(None, obj))

    def revision(self) -> int:
        """Return the version that the copy has reached."""
        return self._revision

    async def wait_synced(self) -> None:
        """Wait until the first list has arrived."""
        await self._synced.wait()

    async def wait_revision(self, revision: int, timeout_s: float) -> bool:
        """Wait until the copy has reached `revision`; False when `timeout_s` passes first."""
        if self._revision >= revision:
            return True
        return await self._growth.wait(revision, timeout_s)

    def replace(self, listed: ObjectList) -> None:
        """Take over a whole list (ReflectorTarget)."""
        self._tell(compute_relist_changes(self._indexer.objects, listed.items))
        self.reach(int(listed.resource_version or 0))
        self._synced.set()

    def follow(self, event: WatchEvent) -> None:
        """Take over one event (ReflectorTarget)."""
        self._tell(compute_event_changes(self._indexer.get(key_of(event.object)), event))
        self.reach(resource_version_of(event.object))

    def reach(self, revision: int) -> None:
        """Note that the copy is complete up to `revision` (ReflectorTarget)."""
        self._revision = revision
        self._growth.reach(revision)

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._indexer.apply(change)
            for handler in self._handlers:
                handler(change)


class InformerSet:
    """Implements Informers: shares informers, and runs a reflector for each from the moment that `run` runs."""

    def __init__(self, client: ListWatch, clock: Clock, pick_fraction: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._pick_fraction = pick_fraction
        self._informers: dict[tuple[str, Selection], ReflectorInformer] = {}
        self._reflectors: dict[tuple[str, Selection], Reflector] = {}
        self._tasks: dict[tuple[str, Selection], asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def informer(self, resource: Resource, selection: Selection = EVERYTHING) -> ReflectorInformer:
        """Return the shared informer; it starts at once when the set runs, else with the set."""
        key = (resource.qualified, selection)
        if key not in self._informers:
            assert len(self._informers) < INFORMERS_MAX, "an informer for each object?"
            informer = ReflectorInformer(resource)
            reflector = Reflector(self._client, resource, selection, informer, self._clock, self._pick_fraction)
            self._informers[key] = informer
            self._reflectors[key] = reflector
            if self._group is not None:
                self._start(key, self._group)
        return self._informers[key]

    def _start(self, key: tuple[str, Selection], group: asyncio.TaskGroup) -> None:
        task = group.create_task(self._reflectors[key].run(), name=f"reflector {key[0]}")
        self._tasks[key] = task

    def forget(self, resource: Resource) -> None:
        """Stop and drop all informers of a resource that is served no more; fine when there is none."""
        for key in [key for key in self._informers if key[0] == resource.qualified]:
            del self._informers[key], self._reflectors[key]
            task = self._tasks.pop(key, None)
            if task is not None:
                task.cancel()

    async def run(self) -> None:
        """Run all reflectors, those of later informers too, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for key in tuple(self._reflectors):
                    self._start(key, group)
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None

    async def wait_synced(self) -> None:
        """Wait until every informer asked for so far has its first list."""
        for informer in list(self._informers.values()):
            await informer.wait_synced()
