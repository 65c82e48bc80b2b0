"""Pods that wait for a node: ready to be tried, backing off, or parked until the cluster changes.

Rules (upstream: pkg/scheduler/backend/queue):
1. Active pods come out by priority, then by how long they wait.
2. A pod that found no node is parked; a change of the cluster that might help moves all parked pods on, but none
   sooner than its back-off (1 s, 2 s, ... 10 s) allows.
3. A change during a pod's own attempt counts: it is not parked but backs off, else it could miss the change.
4. Parked pods are tried again after PARKED_MAX_S whatever happens, should a change have been missed.

Bounded by the number of pods: each is in one place. `now_s` is monotonic.
"""

from dataclasses import dataclass, replace
from enum import Enum
from heapq import heappop, heappush
from itertools import count

from minikube_py.api.meta import ObjectKey

BACKOFF_INITIAL_S = 1.0
BACKOFF_MAX_S = 10.0
PARKED_MAX_S = 300.0


class Place(Enum):
    """Where a pod waits."""

    ACTIVE = "active"
    BACKOFF = "backoff"
    PARKED = "unschedulable"
    TRYING = "trying"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One pod; `order` tells a heap's entry from an outdated one of the same pod."""

    priority: int
    since_s: float
    place: Place
    order: int
    attempts: int = 0
    failed_s: float = 0.0
    parked_s: float = 0.0
    ready_s: float = 0.0
    """In back-off: when it becomes active."""
    change: int = 0
    """The change counter when its attempt began; -1: the pod itself changed meanwhile."""


class SchedulingQueue:
    """Keys of pods without a node."""

    def __init__(self) -> None:
        self._pods: dict[ObjectKey, _Waiting] = {}
        self._active: list[tuple[int, float, int, ObjectKey]] = []
        self._backoff: list[tuple[float, int, ObjectKey]] = []
        self._parked: dict[ObjectKey, None] = {}
        """In the order in which they were parked."""
        self._order = count()
        self._changes = 0

    def __len__(self) -> int:
        """Return how many pods are in it, those being tried included."""
        return len(self._pods)

    def add(self, key: ObjectKey, priority: int, now_s: float) -> None:
        """Add a pod that has no node, or note that a waiting one changed: that may be what it needed."""
        waiting = self._pods.get(key)
        if waiting is None:
            self._activate(key, _Waiting(priority, now_s, Place.ACTIVE, 0))
        elif waiting.place is Place.PARKED:
            self._move_on(key, waiting, now_s)
        elif waiting.place is Place.TRYING:
            self._pods[key] = replace(waiting, change=-1)

    def remove(self, key: ObjectKey) -> None:
        """Forget a pod: it has a node, or is gone."""
        self._pods.pop(key, None)
        self._parked.pop(key, None)

    def take(self, now_s: float) -> ObjectKey | None:
        """Return the pod to try next, None when none is ready; `park`, `retry` or `remove` it afterwards."""
        self._promote(now_s)
        while self._active:
            _, _, order, key = heappop(self._active)
            waiting = self._pods.get(key)
            if waiting is not None and waiting.place is Place.ACTIVE and waiting.order == order:
                attempts = waiting.attempts + 1
                self._pods[key] = replace(waiting, place=Place.TRYING, change=self._changes, attempts=attempts)
                return key
        return None

    def park(self, key: ObjectKey, now_s: float) -> None:
        """Note that no node could take the pod."""
        waiting = self._pods.get(key)
        if waiting is None:
            return
        if waiting.change != self._changes:
            self._back_off(key, replace(waiting, failed_s=now_s))
        else:
            self._pods[key] = replace(waiting, place=Place.PARKED, failed_s=now_s, parked_s=now_s)
            self._parked[key] = None

    def retry(self, key: ObjectKey, now_s: float) -> None:
        """Note that an attempt failed for a reason of its own (the binding was refused): try after the back-off."""
        waiting = self._pods.get(key)
        if waiting is not None:
            self._back_off(key, replace(waiting, failed_s=now_s))

    def note_change(self, now_s: float) -> None:
        """Note that the cluster changed so that parked pods may fit now."""
        self._changes += 1
        for key in list(self._parked):
            self._move_on(key, self._pods[key], now_s)

    def next_ready_s(self) -> float | None:
        """Return when the next pod becomes ready by itself, None when none does."""
        moments = [ready_s for ready_s, _, _ in self._backoff[:1]]
        oldest = next(iter(self._parked), None)
        if oldest is not None:
            moments.append(self._pods[oldest].parked_s + PARKED_MAX_S)
        return min(moments, default=None)

    def _activate(self, key: ObjectKey, waiting: _Waiting) -> None:
        order = next(self._order)
        self._pods[key] = replace(waiting, place=Place.ACTIVE, order=order)
        heappush(self._active, (-waiting.priority, waiting.since_s, order, key))

    def _back_off(self, key: ObjectKey, waiting: _Waiting) -> None:
        order = next(self._order)
        ready_s = waiting.failed_s + min(BACKOFF_INITIAL_S * 2 ** min(waiting.attempts - 1, 10), BACKOFF_MAX_S)
        self._pods[key] = replace(waiting, place=Place.BACKOFF, order=order, ready_s=ready_s)
        heappush(self._backoff, (ready_s, order, key))

    def _move_on(self, key: ObjectKey, waiting: _Waiting, now_s: float) -> None:
        self._parked.pop(key, None)
        self._back_off(key, waiting)
        moved = self._pods[key]
        if moved.ready_s <= now_s:
            self._activate(key, moved)

    def _promote(self, now_s: float) -> None:
        while self._backoff and self._backoff[0][0] <= now_s:
            _, order, key = heappop(self._backoff)
            waiting = self._pods.get(key)
            if waiting is not None and waiting.place is Place.BACKOFF and waiting.order == order:
                self._activate(key, waiting)
        while (oldest := next(iter(self._parked), None)) is not None:
            if now_s - self._pods[oldest].parked_s < PARKED_MAX_S:
                break
            self._move_on(oldest, self._pods[oldest], now_s)
