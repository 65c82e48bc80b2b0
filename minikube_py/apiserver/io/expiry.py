"""Objects that nobody needs any more after a while (Events): they go a fixed time after their last write.

The bound on their number is for a flood: the oldest go first, whatever their age. Upstream: --event-ttl and etcd
leases; there too a write renews the time.
"""

import logging
from collections.abc import Sequence

from minikube_py.api.resource import Resource
from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Delete, Rejected, Store, StoreEvent

log = logging.getLogger("apiserver")

SWEEP_PERIOD_S = 10.0
OBJECTS_MAX = 50_000
"""Objects of one such resource; beyond it the oldest go before their time."""
_BATCH = 500
"""So many deletions are one transaction."""


class Expiry:
    """Remembers when each object of one resource was written, and deletes those whose time is over."""

    def __init__(self, store: Store, resource: Resource, clock: Clock, objects_max: int = OBJECTS_MAX) -> None:
        self._store = store
        self._prefix = resource.storage_prefix
        self._ttl_s = resource.ttl_s
        self._clock = clock
        self._objects_max = objects_max
        now_s = clock.now_s()
        self._written_s = {entry.key: now_s for entry in store.range(self._prefix)}
        """When each key was written last, the oldest first."""
        store.on_commit(self._follow)

    def _follow(self, events: Sequence[StoreEvent]) -> None:
        now_s = self._clock.now_s()
        for event in events:
            if event.key.startswith(self._prefix):
                self._written_s.pop(event.key, None)
                if event.entry is not None:
                    self._written_s[event.key] = now_s

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self._clock.sleep(SWEEP_PERIOD_S)
            while await self._sweep():
                await self._clock.sleep(0)

    async def _sweep(self) -> bool:
        """Delete one batch of what is over; True: there may be more."""
        overdue = self._overdue()
        operations = [
            Delete(key, entry.mod_revision) for key in overdue if (entry := self._store.get(key)) is not None
        ]
        if not operations:
            return False
        outcome = await self._store.commit(operations)
        if isinstance(outcome, Rejected):
            log.debug("%s was written while it was to be deleted", outcome.key)
        return True

    def _overdue(self) -> list[str]:
        limit_s = self._clock.now_s() - self._ttl_s
        surplus = len(self._written_s) - self._objects_max
        overdue: list[str] = []
        for key, written_s in self._written_s.items():
            if len(overdue) == _BATCH or (written_s > limit_s and len(overdue) >= surplus):
                break
            overdue.append(key)
        return overdue
