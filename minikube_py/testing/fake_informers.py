"""Informers over a FakeClient that follow it at once, so that a test of a loop needs no waiting (Informers).

By default a change is seen as soon as it is made. `pause` holds the copies where they are, as a slow watch does, and
`resume` lets them catch up: the way to test what a component does with a stale copy.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from minikube_py.api.meta import Obj, ObjectKey, key_of
from minikube_py.api.resource import Resource
from minikube_py.client.deltas import compute_event_changes
from minikube_py.client.indexer import Indexer, IndexValues
from minikube_py.client.interface import EVERYTHING, Change, Selection
from minikube_py.testing.fake_client import HISTORY_MAX, FakeClient, Recorded, event_for
from minikube_py.testing.fake_selection import selects


class FakeInformer:
    """Implements Informer; always synced."""

    def __init__(self, resource: Resource, selection: Selection, present: Sequence[Obj], revision: int) -> None:
        self.resource = resource
        self._selection = selection
        self._indexer = Indexer()
        self._handlers: list[Callable[[Change], None]] = []
        self._revision = revision
        self._moved = asyncio.Event()
        for obj in present:
            self._indexer.apply(Change(None, obj))

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
        """Return at once."""

    async def wait_revision(self, revision: int, timeout_s: float) -> bool:
        """Wait until the copy has reached `revision`; False when `timeout_s` of the loop's time passes first."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._revision < revision:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def follow(self, recorded: Recorded) -> None:
        """Take over one change of the server."""
        self._revision = recorded.revision
        event = (
            event_for(self.resource, self._selection, recorded)
            if recorded.resource == self.resource.qualified
            else None
        )
        if event is not None:
            for change in compute_event_changes(self._indexer.get(key_of(event.object)), event):
                self._indexer.apply(change)
                for handler in self._handlers:
                    handler(change)
        self._moved.set()


class FakeInformers:
    """Makes and shares informers over one FakeClient."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self._informers: dict[tuple[str, Selection], FakeInformer] = {}
        self._held: deque[Recorded] | None = None
        client.on_commit(self._on_commit)

    def informer(self, resource: Resource, selection: Selection = EVERYTHING) -> FakeInformer:
        """Return the shared informer, filled with what is there."""
        key = (resource.qualified, selection)
        if key not in self._informers:
            present = [obj for obj in self._client.objects(resource) if selects(resource, selection, obj)]
            self._informers[key] = FakeInformer(resource, selection, present, self._client.revision)
        return self._informers[key]

    def forget(self, resource: Resource) -> None:
        """Drop all informers of a resource."""
        for key in [key for key in self._informers if key[0] == resource.qualified]:
            del self._informers[key]

    def pause(self) -> None:
        """Hold all copies where they are; at most HISTORY_MAX changes wait."""
        if self._held is None:
            self._held = deque(maxlen=HISTORY_MAX)

    def resume(self) -> None:
        """Let all copies catch up, and follow at once again."""
        held, self._held = self._held or deque(maxlen=HISTORY_MAX), None
        for recorded in held:
            self._follow(recorded)

    def _on_commit(self, recorded: Recorded) -> None:
        if self._held is not None:
            self._held.append(recorded)
        else:
            self._follow(recorded)

    def _follow(self, recorded: Recorded) -> None:
        for informer in list(self._informers.values()):
            informer.follow(recorded)
