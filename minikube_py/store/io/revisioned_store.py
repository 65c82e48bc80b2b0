"""What all stores of this process share: reads from memory, watchers, waiting for a revision, telling listeners.

How a transaction becomes durable (or not) is left to MemoryStore, EmbeddedStore and EtcdStore; each applies it to the
state and ends in `_publish`.
"""

import asyncio
from collections.abc import Callable, Sequence

from minikube_py.kit.io.growth import Growth
from minikube_py.store.interface import Entry, StoreEvent, WatcherSlowError
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.watch_hub import WatcherState, WatchHub

Listener = Callable[[Sequence[StoreEvent]], None]


class StoreWatcher:
    """Implements Watcher: waits on a WatcherState."""

    def __init__(self, hub: WatchHub, prefix: str, after: int) -> None:
        self._news = asyncio.Event()
        self._hub = hub
        self._closed = False
        self.state = WatcherState(hub, prefix, after, self._news.set)

    async def next_batch(self) -> tuple[Sequence[StoreEvent], int]:
        """Wait for events; return them with the revision up to which the watcher is complete.

        Raises:
            WatcherSlowError: it was cut off, or closed.
        """
        while not self.state.has_news():
            if self.state.slow or self._closed:
                self.close()
                raise WatcherSlowError(f"the watch of {self.state.prefix} was cut off")
            self._news.clear()
            await self._news.wait()
        return self.state.fetch()

    def progress(self) -> int:
        """Return the revision up to which everything has been delivered."""
        return self.state.progress()

    def close(self) -> None:
        """Stop watching."""
        self._closed = True
        self._hub.remove(self.state)
        self.state.cut_off()


class RevisionedStore:
    """The reading half of Store, over one Mvcc."""

    def __init__(self, state: Mvcc) -> None:
        self._state = state
        self._hub = WatchHub(state.revision)
        self._listeners: list[Listener] = []
        self._growth = Growth()

    @property
    def state(self) -> Mvcc:
        """Return the state itself: for the fsck (store.check) and for metrics; read-only."""
        return self._state

    @property
    def revision(self) -> int:
        """The newest applied revision."""
        return self._state.revision

    @property
    def compact_revision(self) -> int:
        """History before and at this revision is gone."""
        return self._state.history.compact_revision

    def get(self, key: str) -> Entry | None:
        """Return the newest entry of `key`."""
        return self._state.get(key)

    def range(self, prefix: str, *, after: str = "", limit: int = 0) -> Sequence[Entry]:
        """Return entries under `prefix` sorted by key, those with key > `after`, at most `limit` (0: all)."""
        return self._state.range(prefix, after, limit)

    def range_at(self, prefix: str, revision: int, *, after: str = "", limit: int = 0) -> Sequence[Entry]:
        """As range, but the state at `revision`. Raises CompactedError."""
        return self._state.range_at(prefix, revision, after, limit)

    def count(self, prefix: str, *, after: str = "") -> int:
        """Return how many keys > `after` stand under `prefix`."""
        return self._state.count(prefix, after)

    def count_at(self, prefix: str, revision: int, *, after: str = "") -> int:
        """As count, but of the state at `revision`. Raises CompactedError."""
        return self._state.count_at(prefix, revision, after)

    def watch(self, prefix: str, after_revision: int) -> StoreWatcher:
        """Watch `prefix` from the revision after `after_revision` (may lie in the future).

        Raises:
            CompactedError: the history after it is not whole.
        """
        self._state.check_kept(after_revision)
        watcher = StoreWatcher(self._hub, prefix, after_revision)
        published = self._hub.revision
        watcher.state.replay(
            event
            for events in self._state.history.after(after_revision)
            if events[0].revision <= published
            for event in events
        )
        self._hub.add(watcher.state)
        return watcher

    def on_commit(self, listener: Listener) -> None:
        """Call `listener` synchronously, in order, with the events of each applied revision."""
        self._listeners.append(listener)

    async def wait_revision(self, revision: int, timeout_s: float) -> bool:
        """Wait until `revision` is applied; False when `timeout_s` passes first."""
        if self.revision >= revision:
            return True
        return await self._growth.wait(revision, timeout_s)

    async def read_barrier(self) -> int:
        """Return the newest revision: a write is acknowledged only after it is applied here."""
        return self.revision

    def _publish(self, events: Sequence[StoreEvent]) -> None:
        """Tell listeners, watchers and waiters of one applied revision."""
        for listener in self._listeners:
            listener(events)
        self._hub.publish(events)
        self._growth.reach(events[0].revision)

    def _advance(self, revision: int) -> None:
        """Tell watchers and waiters that nothing of theirs happened up to `revision`."""
        self._hub.advance(revision)
        self._growth.reach(revision)
