"""The durable store of one master: everything in memory, every change in a log first.

One writer task takes all transactions that wait as one group. Order is safety:

  1. check    the group in order against what is applied, with the group's own earlier members counted as done;
  2. append   those that hold, as one batch with one write, and flush it (fdatasync, in the log's own thread);
  3. apply    each in order; the check is repeated there and is the one that counts;
  4. answer   its proposer;
  5. publish  its revision: listeners, watchers, waiters.

So nothing is answered or seen that a power cut could take back. A rejected transaction costs no revision and no
write; one whose keys nobody else is writing is rejected at once. When the disk is full the group is refused with
StoreReadOnlyError and reads go on; when a write or flush fails the writer ends with LogBrokenError, and the agent
with it: it is never tried again.

A proposer that is cancelled while it waits does not know whether its transaction took place, as with any database.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from minikube_py.kit.clock import Clock
from minikube_py.store.interface import (
    Committed,
    Operation,
    Put,
    Rejected,
    StoreReadOnlyError,
)
from minikube_py.store.io.revisioned_store import RevisionedStore
from minikube_py.store.io.snapshotter import Snapshotter
from minikube_py.store.io.wal import LogBrokenError, LogFullError, Wal
from minikube_py.store.mvcc import Applied, Mvcc, expectation_holds
from minikube_py.store.records import Seal, encode_transaction, plain

log = logging.getLogger("store")

QUEUE_MAX = 4096
"""Transactions that wait for the writer; a further commit waits for room."""
GROUP_BYTES_MAX = 1 << 20
"""A group is closed when its values have so many bytes, so that one flush stays short."""
TRANSACTION_BYTES_MAX = 16 << 20
"""Bytes of the values of one transaction: far over what the API server lets in, and well under a segment."""
SLOW_FLUSH_S = 1.0
"""A flush that takes longer is logged: the disk is too slow for its other users, or failing."""


class _Pending:
    """One transaction that waits for its answer."""

    __slots__ = ("answer", "only_deletes", "operations", "size_bytes")

    def __init__(self, operations: Sequence[Operation], answer: "asyncio.Future[Committed | Rejected]") -> None:
        self.operations = tuple(operations)
        self.answer = answer
        puts = [len(op.value) for op in operations if isinstance(op, Put)]
        self.size_bytes = sum(puts)
        self.only_deletes = not puts

    def settle(self, result: Committed | Rejected) -> None:
        if not self.answer.done():
            self.answer.set_result(result)

    def refuse(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(StoreReadOnlyError(why))


class EmbeddedStore(RevisionedStore):
    """Implements Store over a Wal; made by `store.io.open_store`."""

    def __init__(self, state: Mvcc, wal: Wal, thread: ThreadPoolExecutor, clock: Clock, seal: Seal = plain) -> None:
        super().__init__(state)
        self._wal = wal
        self._thread = thread
        self._clock = clock
        self._seal = seal
        self._queue: deque[_Pending] = deque()
        self._pending_keys: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._refusing = ""
        self._disk_full = False
        self.snapshots: Snapshotter
        """Its snapshots: set by store.io.open_store."""

    @property
    def is_disk_full(self) -> bool:
        """Return whether the newest write was refused for want of room on the disk."""
        return self._disk_full

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Write all operations as one revision, durable before this returns.

        Raises:
            StoreReadOnlyError: nothing was written (disk full, shutting down).
            ValueError: the values are larger than TRANSACTION_BYTES_MAX.
        """
        pending = _Pending(operations, asyncio.get_running_loop().create_future())
        if pending.size_bytes > TRANSACTION_BYTES_MAX:
            raise ValueError(f"a transaction of {pending.size_bytes} bytes; the most is {TRANSACTION_BYTES_MAX}")
        while len(self._queue) >= QUEUE_MAX and not self._refusing:
            self._room.clear()
            await self._room.wait()
        if self._refusing:
            raise StoreReadOnlyError(self._refusing)
        if not any(operation.key in self._pending_keys for operation in operations):
            rejected = self._state.check(operations)
            if rejected is not None:
                return rejected
        self._queue.append(pending)
        self._pending_keys.update(operation.key for operation in operations)
        self._changed.set()
        return await pending.answer

    def stop(self, why: str = "the store is shutting down") -> None:
        """Take no more transactions; the writer ends when it has written those that wait."""
        self._refusing = self._refusing or why
        self._changed.set()
        self._room.set()

    async def run_writer(self) -> None:
        """Write groups until `stop`.

        Raises:
            LogBrokenError: a write or a flush failed; everybody who waits is refused, and the process must end.
        """
        try:
            while self._queue or not self._refusing:
                if not self._queue:
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                await self._write_group(self._next_group())
        except LogBrokenError as error:
            self.stop(str(error))
            raise
        finally:
            self.stop()
            while self._queue:
                self._queue.popleft().refuse(self._refusing)

    def _next_group(self) -> list[_Pending]:
        group: list[_Pending] = []
        size_bytes = 0
        while self._queue and (not group or size_bytes + self._queue[0].size_bytes <= GROUP_BYTES_MAX):
            if self._disk_full and group and self._queue[0].only_deletes != group[0].only_deletes:
                break  # what frees room may use the reserve, and must not share the fate of the rest
            size_bytes += self._queue[0].size_bytes
            group.append(self._queue.popleft())
        self._room.set()
        return group

    async def _write_group(self, group: list[_Pending]) -> None:
        accepted = _accepted(self._state, group)
        before = self._state.revision
        wall_s = self._clock.wall_s()
        payloads = [
            encode_transaction(before + place, pending.operations, wall_s, self._seal)
            for place, pending in enumerate((p for p, holds in zip(group, accepted, strict=True) if holds), 1)
        ]
        refusal = ""
        try:
            if payloads:
                await self._append(payloads, before, may_use_reserve=all(p.only_deletes for p in group))
        except LogFullError as error:
            refusal = str(error)
        except BaseException:
            for pending in group:
                pending.refuse("the log cannot be written; it is not known whether this transaction took place")
            raise
        finally:
            for pending in group:
                self._forget_keys(pending.operations)
        for pending, holds in zip(group, accepted, strict=True):
            if holds and not refusal:
                self._finish(pending)
            else:
                self._decline(pending, refusal)

    async def _append(self, payloads: Sequence[bytes], before: int, *, may_use_reserve: bool) -> None:
        started_s = self._clock.now_s()
        reserve_bytes = 0 if may_use_reserve else None

        def append() -> int:
            return self._wal.append(payloads, before, reserve_bytes=reserve_bytes)

        try:
            size_bytes = await asyncio.get_running_loop().run_in_executor(self._thread, append)
        except LogFullError as error:
            if not self._disk_full:
                log.error("store is read-only: %s", error)  # noqa: TRY400
            self._disk_full = True
            raise
        if self._disk_full and not may_use_reserve:
            log.warning("store takes writes again: there is room on the disk")
            self._disk_full = False
        self.snapshots.note_appended(size_bytes, before + len(payloads))
        took_s = self._clock.now_s() - started_s
        if took_s > SLOW_FLUSH_S:
            log.warning("writing %d transactions to the log took %.1f s", len(payloads), took_s)

    def _finish(self, pending: _Pending) -> None:
        applied = self._state.apply(pending.operations, self._clock.now_s())
        assert isinstance(applied, Applied), "written to the log, and does not hold"
        pending.settle(applied.committed)
        self._publish(applied.events)

    def _decline(self, pending: _Pending, refusal: str) -> None:
        rejected = self._state.check(pending.operations)
        if rejected is not None:
            pending.settle(rejected)
        else:
            # It held but could not be written, or failed only against an earlier member that could not be.
            pending.refuse(refusal)

    def _forget_keys(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            self._pending_keys[operation.key] -= 1
            if not self._pending_keys[operation.key]:
                del self._pending_keys[operation.key]


def _accepted(state: Mvcc, group: Sequence[_Pending]) -> list[bool]:
    """Return which members of the group hold, each with the earlier ones that hold counted as done."""
    standing: dict[str, int] = {}
    revision = state.revision
    accepted: list[bool] = []
    for pending in group:
        holds = True
        for operation in pending.operations:
            entry = state.get(operation.key)
            modified = standing.get(operation.key, entry.mod_revision if entry is not None else 0)
            holds = holds and expectation_holds(operation, modified)
        accepted.append(holds)
        if holds:
            revision += 1
            standing.update({op.key: revision if isinstance(op, Put) else 0 for op in pending.operations})
    return accepted
