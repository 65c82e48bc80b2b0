"""The watchers of one filter, and turns of the event loop in which many of them are told.

A small group is told in the moment of the commit. A large one is told in turns, each short, with everything else of
the process (heartbeats, probes, answers) between two of them. What happens meanwhile is told in one piece in the next
round: the busier it gets, the fewer system calls an event costs.

Upstream: apiserver storage/cacher (cacheWatcher; there each watcher is a goroutine with a channel).
"""

import asyncio
from collections import deque
from typing import Protocol

from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.watch_events import ChangeBatch, ChangeType, WatchedChange

TOLD_AT_ONCE_MAX = 32
"""Watchers of a group that are told in the moment of the commit; more, and they are told in turns."""
TURN_BYTES = 1 << 19
"""So much is written in one turn: about 3 ms behind TLS."""
WRITE_COST_BYTES = 4096
"""What a write costs whatever its size, as bytes."""


class Subscriber(Protocol):
    """One live watch."""

    def deliver(self, batch: ChangeBatch) -> None:
        """Take events; must not block, and must drop its own watch when it cannot keep up."""
        ...

    def end(self) -> None:
        """End the watch: its resource is gone or has become another; the client watches again."""
        ...


class Turns:
    """Gives groups with something to tell one short turn after the other, one in each run of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[WatchGroup] = deque()

    def wake(self, group: "WatchGroup") -> None:
        """Give the group turns until it has told everything; it must not wait already."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append(group)

    def _turn(self) -> None:
        group = self._waiting.popleft()
        if group.take_turn():
            self._waiting.append(group)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)


class WatchGroup:
    """The live watches with one filter; each has a position, the revision up to which it has been told everything."""

    def __init__(self, filter_: Filter, turns: Turns) -> None:
        self.filter = filter_
        self._turns = turns
        self._positions: dict[Subscriber, int] = {}
        self._pending: list[tuple[WatchedChange, ChangeType]] = []
        self._batch: ChangeBatch | None = None
        self._untold: list[Subscriber] = []

    def __len__(self) -> int:
        return len(self._positions)

    def join(self, subscriber: Subscriber, after: int) -> None:
        """Tell the subscriber what is newer than revision `after`."""
        self._positions[subscriber] = after

    def leave(self, subscriber: Subscriber) -> bool:
        """Tell the subscriber nothing more; False: it had left."""
        return self._positions.pop(subscriber, None) is not None

    def reached(self, subscriber: Subscriber, newest: int) -> int:
        """Return the revision up to which the subscriber has been told everything, `newest` being the store's."""
        position = self._positions.get(subscriber, 0)
        if self._batch is not None and position < self._batch.last_revision:
            return max(position, self._batch.first_revision - 1)
        if self._pending:
            return max(position, self._pending[0][0].event.revision - 1)
        return newest

    def _is_busy(self) -> bool:
        return bool(self._pending or self._batch)

    def publish(self, change: WatchedChange, change_type: ChangeType) -> None:
        """Tell everybody, now or in the next turns."""
        busy = self._is_busy()
        if not busy and len(self._positions) <= TOLD_AT_ONCE_MAX:
            batch = ChangeBatch(((change, change_type),))
            for subscriber in tuple(self._positions):
                self._tell(subscriber, batch)
            return
        self._pending.append((change, change_type))
        if not busy:
            self._turns.wake(self)

    def take_turn(self) -> bool:
        """Tell some watchers what they have not heard; returns whether there is more to tell."""
        batch = self._batch or self._next_batch()
        if batch is None:
            return False
        for _ in range(max(1, TURN_BYTES // (batch.size_bytes + WRITE_COST_BYTES))):
            if not self._untold:
                self._batch = None
                return bool(self._pending)
            self._tell(self._untold.pop(), batch)
        return True

    def end(self) -> None:
        """Tell what is left to tell, and end all watches."""
        while self.take_turn():
            pass
        for subscriber in tuple(self._positions):
            subscriber.end()

    def _next_batch(self) -> ChangeBatch | None:
        if not self._pending:
            return None
        self._batch = ChangeBatch(tuple(self._pending))
        self._pending.clear()
        self._untold = list(reversed(self._positions))
        return self._batch

    def _tell(self, subscriber: Subscriber, batch: ChangeBatch) -> None:
        position = self._positions.get(subscriber)
        if position is None or position >= batch.last_revision:
            return
        self._positions[subscriber] = batch.last_revision
        newer = batch.after(position)
        if newer is not None:
            subscriber.deliver(newer)
