"""A WorkQueue that workers can wait on: the clock and the waking are here, the rules in `client.workqueue`."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

from minikube_py.client.workqueue import FAILURES, WorkQueue
from minikube_py.kit.backoff import BackoffPolicy
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.waiting import wait_event_or_sleep

K = TypeVar("K", bound=Hashable)


class WaitingQueue(Generic[K]):
    """Keys to process; handlers add without waiting, workers `get`, process, and call `done`."""

    def __init__(self, clock: Clock, failures: BackoffPolicy = FAILURES) -> None:
        self._clock = clock
        self._queue: WorkQueue[K] = WorkQueue(failures)
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Return whether nothing waits, is processed or is due later."""
        return self._queue.idle

    def add(self, key: K) -> None:
        """Let the key be processed soon."""
        self._queue.add(key)
        self._changed.set()

    def add_after(self, key: K, delay_s: float) -> None:
        """Let the key be processed in `delay_s`, or earlier when that was asked for."""
        self._queue.add_after(key, delay_s, self._clock.now_s())
        self._changed.set()

    def requeue_failed(self, key: K) -> float:
        """Let the key be processed again after its back-off; return the delay in seconds."""
        delay_s = self._queue.requeue_failed(key, self._clock.now_s())
        self._changed.set()
        return delay_s

    def forget(self, key: K) -> None:
        """Forget the key's failures."""
        self._queue.forget(key)

    def done(self, key: K) -> None:
        """Note that the key is processed."""
        self._queue.done(key)
        self._changed.set()

    async def get(self) -> K:
        """Wait for a key and return it; nobody else gets it before `done`."""
        while True:
            now_s = self._clock.now_s()
            key = self._queue.take(now_s)
            if key is not None:
                return key
            self._changed.clear()
            wakeup_s = self._queue.next_wakeup_s()
            if wakeup_s is None:
                await self._changed.wait()
            else:
                await wait_event_or_sleep(self._changed, self._clock, wakeup_s - now_s)
