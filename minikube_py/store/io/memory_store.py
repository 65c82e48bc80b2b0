"""A store that writes nothing to disk: for Events and node Leases, so that an idle cluster leaves the disk alone.

It implements the whole of Store. What it holds is lost with the process; its revisions begin at a number that the
agent chooses greater than any it used before, so that a client's old version is compacted (410, list again) and never
one of the future. Keys may have a time to live (`store.expiry`); they are deleted by revisions of their own.
"""

from collections.abc import Sequence

from minikube_py.kit.clock import Clock
from minikube_py.store.expiry import Expiry, ExpiryRule
from minikube_py.store.interface import Committed, Delete, Operation, Rejected, Stamp, StoreEvent
from minikube_py.store.io.revisioned_store import RevisionedStore
from minikube_py.store.mvcc import Applied, HistoryLimits, Mvcc

HISTORY = HistoryLimits(events_min=1000)


class MemoryStore(RevisionedStore):
    """Implements Store in memory alone."""

    def __init__(
        self,
        stamp: Stamp,
        clock: Clock,
        first_revision: int = 0,
        expiry_rules: Sequence[ExpiryRule] = (),
        history: HistoryLimits = HISTORY,
    ) -> None:
        super().__init__(Mvcc(stamp, first_revision, history))
        self._clock = clock
        self._expiries = tuple(Expiry(rule) for rule in expiry_rules)

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Apply all operations as one revision; then let go what has had its time."""
        now_s = self._clock.now_s()
        applied = self._state.apply(operations, now_s)
        if isinstance(applied, Rejected):
            return applied
        self._take_over(applied.events, now_s)
        for expiry in self._expiries:
            self._expire(expiry.due(now_s), now_s)
        return applied.committed

    def _expire(self, keys: Sequence[str], now_s: float) -> None:
        if not keys:
            return
        expired = self._state.apply([Delete(key, None) for key in keys], now_s)
        assert isinstance(expired, Applied), "a key that is not there has no time to live"
        self._take_over(expired.events, now_s)

    def _take_over(self, events: Sequence[StoreEvent], now_s: float) -> None:
        for expiry in self._expiries:
            expiry.note(events, now_s)
        self._publish(events)
