"""The queue between an informer's handlers and a controller's workers: keys, not changes.

Invariants:
  1. A key waits at most once, however often it is added: the newest state is read when it is processed.
  2. A key is never processed twice at the same time; one that is added meanwhile waits again when it is done.
  3. A delayed key is due at the earliest moment that was asked for.

The queue holds no more than one place, one delay and one back-off for each object, so objects are its bound. It knows
no clock: `now_s` comes in, `next_wakeup_s` tells when to ask again. Upstream: client-go util/workqueue (Type,
DelayingInterface, RateLimitingInterface with the item exponential failure limiter).
"""

import heapq
from collections import deque
from collections.abc import Hashable
from itertools import count
from typing import Generic, TypeVar

from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff

K = TypeVar("K", bound=Hashable)

FAILURES = BackoffPolicy(initial_s=0.005, maximum_s=1000.0, reset_after_s=3600.0)
"""Upstream's default for controllers: 5 ms, doubling, up to 1000 s; a success forgets it."""


class WorkQueue(Generic[K]):
    """Keys that wait to be processed, are being processed, or are due later."""

    def __init__(self, failures: BackoffPolicy = FAILURES) -> None:
        self._failures = failures
        self._waiting: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._due: list[tuple[float, int, K]] = []
        self._due_s: dict[K, float] = {}
        self._order = count()
        self._backoffs: dict[K, BackoffState] = {}

    def __len__(self) -> int:
        """Return how many keys wait (upstream's depth: neither delayed ones nor those being processed)."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Return whether nothing waits, is processed or is due later."""
        return not (self._waiting or self._processing or self._due_s)

    def add(self, key: K) -> None:
        """Let the key be processed soon."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._waiting.append(key)

    def add_after(self, key: K, delay_s: float, now_s: float) -> None:
        """Let the key be processed in `delay_s`; an earlier moment that was asked for before stays."""
        if delay_s <= 0:
            self.add(key)
            return
        due_s = now_s + delay_s
        if due_s < self._due_s.get(key, float("inf")):
            self._due_s[key] = due_s
            heapq.heappush(self._due, (due_s, next(self._order), key))

    def requeue_failed(self, key: K, now_s: float) -> float:
        """Let the key be processed again after the back-off that this failure earned; return the delay."""
        state = next_backoff(self._failures, self._backoffs.get(key), now_s)
        self._backoffs[key] = state
        self.add_after(key, state.delay_s, now_s)
        return state.delay_s

    def forget(self, key: K) -> None:
        """Forget the key's failures: it was processed well, or is gone."""
        self._backoffs.pop(key, None)

    def take(self, now_s: float) -> K | None:
        """Return a key to process, or None when nothing is ready; call `done` with it afterwards."""
        while self._due and self._due[0][0] <= now_s:
            due_s, _, key = heapq.heappop(self._due)
            if self._due_s.get(key) == due_s:
                del self._due_s[key]
                self.add(key)
        if not self._waiting:
            return None
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        """Note that the key is processed; when it was added meanwhile it waits again."""
        self._processing.discard(key)
        if key in self._dirty:
            self._waiting.append(key)

    def next_wakeup_s(self) -> float | None:
        """Return the moment of the earliest delayed key, or None; only of use when `take` gave None."""
        return self._due[0][0] if self._due else None
