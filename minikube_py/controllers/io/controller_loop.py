"""The one reconcile loop of the product; it runs any controller of `controllers.table`.

For each item: observe from the listers -> reconcile (pure) -> perform -> wait until the cache shows what was written
-> forget, or come again after a back-off. The wait is what upstream's expectations are for: an item is never
reconciled from a cache that does not know its own last writes. It has a deadline, after which the item simply is
reconciled (level, not edge).

Killed at any await, the loop starts again from what it observes; nothing is kept that matters.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import uid_of
from minikube_py.client.interface import Change, Client, Informer, Informers
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.client.io.waiting_queue import WaitingQueue
from minikube_py.controllers.io.custom_informers import CustomInformers
from minikube_py.controllers.io.perform import Outcome, Performer, Write
from minikube_py.controllers.plan import Failure, Item, Listers
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.kit.backoff import BackoffPolicy
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.io.logs import write_note

log = logging.getLogger("controllers")

RETRY = BackoffPolicy(initial_s=0.005, maximum_s=30.0, reset_after_s=120.0)
"""Upstream goes on to 1000 s; who mends a quota should not have to wait a quarter of an hour."""
CACHE_WAIT_S = 5.0
"""How long to wait for the cache to show a write."""

Spec = ControllerSpec[Any]


class ControllerLoop:
    """Runs one controller."""

    def __init__(self, spec: Spec, listers: Listers, performer: Performer, clock: Clock) -> None:
        self._spec = spec
        self._listers = listers
        self._performer = performer
        self._clock = clock
        self._queue: WaitingQueue[Item] = WaitingQueue(clock, RETRY)
        self._failures: dict[Item, Failure] = {}
        """Why the last plan of an item failed; at most one for each object, dropped with it."""
        for watch in spec.watches:
            self.follow(watch)

    def follow(self, watch: Watch) -> None:
        """Follow a resource, from now on."""
        self._listers.informers[watch.resource.qualified].subscribe(self._handler(watch.items))

    def _handler(self, items: Callable[[Change, Listers], Sequence[Item]]) -> Callable[[Change], None]:
        def handle(change: Change) -> None:
            for item in items(change, self._listers):
                self._queue.add(item)

        return handle

    async def run(self) -> None:
        """Reconcile until cancelled, at most `workers_max` items at once."""
        slots = asyncio.Semaphore(self._spec.workers_max)
        async with asyncio.TaskGroup() as group:
            while True:
                await slots.acquire()
                item = await self._queue.get()
                group.create_task(self._work(item, slots), name=f"controller {self._spec.name}: {item}")

    async def _work(self, item: Item, slots: asyncio.Semaphore) -> None:
        try:
            await self._reconcile(item)
        finally:
            self._queue.done(item)
            slots.release()

    async def _reconcile(self, item: Item) -> None:
        failure = self._failures.get(item)
        view = self._spec.observe(self._listers, item, failure)
        if view is None:
            self._failures.pop(item, None)
            self._queue.forget(item)
            return
        plan = self._spec.reconcile(view, self._clock.wall_s())
        for note in plan.notes:
            write_note(log, note)
        outcome = await self._performer.perform(plan.actions)
        await self._wait_cache(outcome.writes)
        self._settle(item, outcome, plan.requeue_after_s)

    def _settle(self, item: Item, outcome: Outcome, requeue_after_s: float | None) -> None:
        if outcome.failure is not None:
            self._failures[item] = outcome.failure
            delay_s = self._queue.requeue_failed(item)
            level = logging.DEBUG if outcome.failure.reason == "Conflict" else logging.WARNING
            log.log(level, "%s: %s: %s, again in %.3f s", self._spec.name, item, outcome.failure.message, delay_s)
            return
        self._queue.forget(item)
        if self._failures.pop(item, None) is not None:
            # What the failure left in a status has to go.
            self._queue.add(item)
        if requeue_after_s is not None:
            self._queue.add_after(item, requeue_after_s)

    async def _wait_cache(self, writes: Sequence[Write]) -> None:
        newest: dict[str, int] = {}
        for write in writes:
            name = write.resource.qualified
            if name not in self._listers.informers:
                continue
            if write.revision:
                newest[name] = max(newest.get(name, 0), write.revision)
            elif not await wait_gone(self._listers.informers[name], write, CACHE_WAIT_S):
                log.warning("%s: the cache still shows %s %s", self._spec.name, name, write.key)
        for name, revision in sorted(newest.items()):
            if not await self._listers.informers[name].wait_revision(revision, CACHE_WAIT_S):
                log.warning("%s: the cache of %s has not reached revision %d", self._spec.name, name, revision)


async def wait_gone(informer: Informer, write: Write, timeout_s: float) -> bool:
    """Wait until the copy no longer shows the object with that uid; False when `timeout_s` passes first."""
    try:
        async with asyncio.timeout(timeout_s):
            while (seen := informer.get(write.key)) is not None and uid_of(seen) == write.uid:
                await informer.wait_revision(informer.revision() + 1, timeout_s)
    except TimeoutError:
        return False
    return True


class Controllers:
    """All controllers of a table: make it before the informers run (it adds indexes), then `run` it.

    `client_of` gives a controller, by its component, the client that writes as its account; Events are the client's.
    """

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        ids: Ids,
        table: Sequence[Spec],
        client_of: Callable[[str], Client] | None = None,
    ) -> None:
        own = client_of or (lambda component: client)
        shared: dict[str, Informer] = {}
        indexed: set[tuple[str, str]] = set()
        for spec in table:
            for watch in spec.watches:
                shared.setdefault(watch.resource.qualified, informers.informer(watch.resource))
            for index in spec.indexes:
                informer = shared.setdefault(index.resource.qualified, informers.informer(index.resource))
                if (index.resource.qualified, index.name) not in indexed:
                    indexed.add((index.resource.qualified, index.name))
                    informer.add_index(index.name, index.values)
        self._informers: Mapping[str, Informer] = shared
        self._recorders = {
            component: EventRecorder(client, clock, ids, component, "")
            for component in sorted({spec.component for spec in table})
        }
        listers = Listers(shared)
        self._loops = [
            (
                spec.name,
                ControllerLoop(spec, listers, Performer(own(spec.component), self._recorders[spec.component]), clock),
            )
            for spec in table
        ]
        self._custom = CustomInformers(informers, shared)
        for spec, (_, loop) in zip(table, self._loops, strict=True):
            if spec.watch_custom is not None:
                self._custom.add(spec.watch_custom, spec.index_custom, loop.follow)
        self._custom.start()

    async def run(self) -> None:
        """Wait for the caches, then run all controllers until cancelled."""
        await self._custom.wait_synced()
        for informer in tuple(self._informers.values()):
            await informer.wait_synced()
        async with asyncio.TaskGroup() as group:
            for component, recorder in self._recorders.items():
                group.create_task(recorder.run(), name=f"events of {component}")
            for name, loop in self._loops:
                group.create_task(loop.run(), name=f"controller {name}")
