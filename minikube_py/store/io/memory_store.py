"""A store that writes nothing to disk: for Events and node Leases, so that an idle cluster leaves the disk alone.

It implements the whole of Store. What it holds is lost with the process; its revisions begin at a number that the
agent chooses greater than any it used before, so that a client's old version is compacted (410, list again) and never
one of the future.
"""

from collections.abc import Sequence

from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Committed, Operation, Rejected, Stamp
from minikube_py.store.io.revisioned_store import RevisionedStore
from minikube_py.store.mvcc import HistoryLimits, Mvcc


class MemoryStore(RevisionedStore):
    """Implements Store in memory alone."""

    def __init__(self, stamp: Stamp, clock: Clock, first_revision: int = 0) -> None:
        super().__init__(Mvcc(stamp, first_revision, HistoryLimits(events_min=1000)))
        self._clock = clock

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Apply all operations as one revision."""
        applied = self._state.apply(operations, self._clock.now_s())
        if isinstance(applied, Rejected):
            return applied
        self._publish(applied.events)
        return applied.committed
