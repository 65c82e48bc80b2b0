"""The durable store of one master: everything in memory, every change in a log first.

One writer task takes all transactions that wait as one group. Order is safety:

  1. check    the group in order against what is durable (applied, or about to be) and its own earlier members;
  2. append   those that hold, as one batch with one write and flush (in the log's own thread);
  3. apply    each in order; the check is repeated there and is the one that counts;
  4. answer   its proposer;
  5. publish  its revision: listeners, watchers, waiters.

While a group is applied (3 to 5), a few of its members in each turn of the loop, what has come meanwhile is being
written already (1 and 2).

So nothing is answered or seen that a power cut could take back. A rejected transaction costs no revision and no
write; one whose keys nobody else is writing is rejected at once. When the disk is full, old snapshots are removed;
if that does not help the group is refused with StoreReadOnlyError and reads go on; when a write or flush fails the
writer ends with LogBrokenError, and the agent with it: it is never tried again.

A proposer that is cancelled while it waits does not know whether its transaction took place, as with any database.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from minikube_py.kit.clock import Clock
from minikube_py.store.interface import (
    Committed,
    Operation,
    Rejected,
    StoreReadOnlyError,
)
from minikube_py.store.io.revisioned_store import RevisionedStore
from minikube_py.store.io.snapshotter import Snapshotter
from minikube_py.store.io.wal import LogBrokenError, LogFullError, Wal
from minikube_py.store.io.write_group import Pending, WriteGroup
from minikube_py.store.mvcc import Applied, Mvcc
from minikube_py.store.records import Seal, plain

log = logging.getLogger("store")

QUEUE_MAX = 4096
"""Transactions that wait for the writer; a further commit waits for room."""
GROUP_BYTES_MAX = 1 << 20
"""A group is closed when its values have so many bytes, so that one flush stays short."""
TRANSACTION_BYTES_MAX = 16 << 20
"""Bytes of the values of one transaction: far over what the API server lets in, and well under a segment."""
APPLIED_PER_TURN_MAX = 16
"""So many transactions are applied and answered in one turn of the loop: each wakes a request that has work to do."""
SLOW_FLUSH_S = 1.0
"""A flush that takes longer is logged: the disk is too slow for its other users, or failing."""


class EmbeddedStore(RevisionedStore):
    """Implements Store over a Wal; made by `store.io.open_store`."""

    def __init__(self, state: Mvcc, wal: Wal, thread: ThreadPoolExecutor, clock: Clock, seal: Seal = plain) -> None:
        super().__init__(state)
        self._wal = wal
        self._thread = thread
        self._clock = clock
        self._seal = seal
        self._queue: deque[Pending] = deque()
        self._pending_keys: dict[str, int] = {}
        """How many transactions that wait touch a key."""
        self._started_s = 0.0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._refusing = ""
        self._disk_full = False
        self.snapshots: Snapshotter
        """Its snapshots: set by store.io.open_store."""

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Write all operations as one revision, durable before this returns.

        Raises:
            StoreReadOnlyError: nothing was written (disk full, shutting down).
            ValueError: the values are larger than TRANSACTION_BYTES_MAX.
        """
        pending = Pending(tuple(operations), asyncio.get_running_loop().create_future())
        if pending.size_bytes > TRANSACTION_BYTES_MAX:
            raise ValueError(f"a transaction of {pending.size_bytes} bytes; the most is {TRANSACTION_BYTES_MAX}")
        while len(self._queue) >= QUEUE_MAX and not self._refusing:
            self._room.clear()
            await self._room.wait()
        if self._refusing:
            raise StoreReadOnlyError(self._refusing)
        keys = self._pending_keys
        if keys.keys().isdisjoint([operation.key for operation in pending.operations]):
            rejected = self._state.check(pending.operations)
            if rejected is not None:
                return rejected
        self._queue.append(pending)
        for operation in pending.operations:
            keys[operation.key] = keys.get(operation.key, 0) + 1
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
        group: WriteGroup | None = None
        durable: WriteGroup | None = None
        try:
            while self._queue or durable is not None or not self._refusing:
                group = self._next_group(durable) if self._queue else None
                writing = self._start_writing(group) if group is not None else None
                if durable is not None:
                    await self._finish(durable)
                    durable = None
                if group is not None:
                    await self._until_written(group, writing)
                    if group.refusal:
                        await self._finish(group)
                    else:
                        durable = group
                elif not self._queue and not self._refusing:
                    self._changed.clear()
                    await self._changed.wait()
        except LogBrokenError as error:
            self.stop(str(error))
            raise
        finally:
            self.stop()
            if group is not None:  # it is answered unless this ends in the middle
                group.refuse("the log cannot be written; it is not known whether this transaction took place")
            while self._queue:
                self._queue.popleft().refuse(self._refusing)

    def _next_group(self, durable: WriteGroup | None) -> WriteGroup:
        queue = self._queue
        members: list[Pending] = []
        size_bytes = 0
        while queue and (not members or size_bytes + queue[0].size_bytes <= GROUP_BYTES_MAX):
            if self._disk_full and members and queue[0].only_deletes != members[0].only_deletes:
                break  # what frees room may use the reserve, and must not share the fate of the rest
            size_bytes += queue[0].size_bytes
            members.append(queue.popleft())
        self._room.set()
        return WriteGroup(members, self._state, durable)

    def _start_writing(self, group: WriteGroup) -> "asyncio.Future[int] | None":
        """Begin to write the members that hold; None when there are none."""
        if not group.count:
            return None
        self._started_s = self._clock.now_s()
        payloads = group.encode(self._clock.wall_s(), self._seal)
        reserve_bytes = 0 if self._may_use_reserve(group) else None

        def append() -> int:
            return self._wal.append(payloads, group.before, reserve_bytes=reserve_bytes)

        return asyncio.get_running_loop().run_in_executor(self._thread, append)

    async def _until_written(self, group: WriteGroup, writing: "asyncio.Future[int] | None") -> None:
        """Wait until the group is durable, or refused for want of room."""
        if writing is None:
            return
        try:
            try:
                size_bytes = await writing
            except LogFullError:
                if not await self.snapshots.make_room() or (again := self._start_writing(group)) is None:
                    raise
                size_bytes = await again
        except LogFullError as error:
            self._note_full(error)
            group.refusal = str(error)
            return
        if self._disk_full and not self._may_use_reserve(group):
            log.warning("store takes writes again: there is room on the disk")
            self._disk_full = False
        self.snapshots.note_appended(size_bytes, group.before + group.count)
        took_s = self._clock.now_s() - self._started_s
        if took_s > SLOW_FLUSH_S:
            log.warning("writing %d transactions to the log took %.1f s", group.count, took_s)

    def _note_full(self, error: LogFullError) -> None:
        if not self._disk_full:
            log.error("store is read-only: %s", error)
        self._disk_full = True

    @staticmethod
    def _may_use_reserve(group: WriteGroup) -> bool:
        return all(pending.only_deletes for pending in group.members)

    async def _finish(self, group: WriteGroup) -> None:
        """Apply, answer and publish a durable group, or answer one that was refused: to its end in any case."""
        members = zip(group.members, group.accepted, strict=True)
        try:
            for place, (pending, holds) in enumerate(members, 1):
                self._finish_one(pending, holds=holds, refusal=group.refusal)
                if place % APPLIED_PER_TURN_MAX == 0:
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            for pending, holds in members:
                self._finish_one(pending, holds=holds, refusal=group.refusal)
            raise

    def _finish_one(self, pending: Pending, *, holds: bool, refusal: str) -> None:
        self._forget_keys(pending.operations)
        if not holds or refusal:
            self._decline(pending, refusal)
            return
        applied = self._state.apply(pending.operations, self._clock.now_s())
        assert isinstance(applied, Applied), "written to the log, and does not hold"
        pending.settle(applied.committed)
        self._publish(applied.events)

    def _decline(self, pending: Pending, refusal: str) -> None:
        rejected = self._state.check(pending.operations)
        if rejected is not None:
            pending.settle(rejected)
        else:
            # It held but could not be written, or failed only against an earlier member that could not be.
            pending.refuse(refusal)

    def _forget_keys(self, operations: Sequence[Operation]) -> None:
        keys = self._pending_keys
        for operation in operations:
            left = keys[operation.key] - 1
            if left:
                keys[operation.key] = left
            else:
                del keys[operation.key]
