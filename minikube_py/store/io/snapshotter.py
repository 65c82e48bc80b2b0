"""Takes snapshots of a running store: by a schedule and on request, beside everything else, and removes what is old.

The loop copies references (entries never change, so the copy is the state at that revision) and packs them, a block
at a time with everybody else's turn between; checksums, writing and reading back happen in a thread of their own,
where they do not hold the interpreter. (A thread that packs holds it, and when the system takes the processor away
from that thread, the loop stands still: 165 ms on two busy cores.) A snapshot that could not be made leaves the
store as it was: the log has everything, and it is tried again after a while.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from minikube_py.kit.clock import Clock
from minikube_py.store.disk import Storage
from minikube_py.store.interface import Entry, Stamp
from minikube_py.store.io.folder_check import Captured, CheckReport, check_folder
from minikube_py.store.io.log_reader import LogFaultError, segment_starts
from minikube_py.store.io.snapshot_file import SnapshotStoppedError, SnapshotWriting, check_snapshot
from minikube_py.store.io.start_points import read_dates
from minikube_py.store.io.wal import NO_SPACE
from minikube_py.store.layout import SnapshotName, parse_layout
from minikube_py.store.retention import Dated, Removal, Since, SnapshotPolicy, compute_removal, free_most, is_due
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader, blocks

log = logging.getLogger("store")
T = TypeVar("T")

LOOK_S = 30.0
"""How often the age of the newest snapshot is looked at."""


class SnapshotError(Exception):
    """A snapshot could not be made; the store goes on without it."""


@dataclass(slots=True)
class Progress:
    """What came since the newest snapshot, and when that was; `last_error` is empty while all is well."""

    since_s: float
    revision: int
    log_bytes: int = 0
    last_error: str = ""


class Snapshotter:
    """The snapshots of one open store."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        policy: SnapshotPolicy,
        epoch: int,
        capture: Callable[[], Captured],
        progress: Progress,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._policy = policy
        self._epoch = epoch
        self._capture = capture
        self._revision = progress.revision
        self.progress = progress
        self._due = asyncio.Event()
        self._stopping = False
        self._one_at_a_time = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-snapshot")

    def note_appended(self, log_bytes: int, revision: int) -> None:
        """Take note that the log has grown."""
        self.progress.log_bytes += log_bytes
        self._revision = revision
        if is_due(self._policy, self._since()):
            self._due.set()

    async def run(self) -> None:
        """Take snapshots as the policy says, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._due.wait()
            except TimeoutError:
                pass  # time to look at the age
            self._due.clear()
            if not is_due(self._policy, self._since()):
                continue
            try:
                await self.take("schedule")
            except SnapshotError as error:
                log.error("%s; next try in %g s", error, self._policy.retry_s)  # noqa: TRY400
                await self._clock.sleep(self._policy.retry_s)

    async def take(self, reason: str) -> SnapshotName:
        """Take a snapshot now, and remove what the policy does not keep.

        Raises:
            SnapshotError: it could not be made.
        """
        captured = self._capture()
        held, now_s = self.progress.log_bytes, self._clock.now_s()
        header = SnapshotHeader(
            self._epoch, captured.revision, self._clock.wall_s(), len(captured.entries), captured.key_ids, reason
        )
        try:
            async with self._one_at_a_time:
                name = await self._write_and_remove(header, captured.entries)
        except (OSError, SnapshotDamagedError, SnapshotStoppedError, LogFaultError) as error:
            why = f"the snapshot of revision {captured.revision} could not be made: {str(error) or 'stopping'}"
            self.progress.last_error = why
            raise SnapshotError(why) from error
        self.progress = Progress(now_s, captured.revision, self.progress.log_bytes - held)
        log.info("snapshot %s: %d keys, in %.2f s", name, header.entries, self._clock.now_s() - now_s)
        return name

    async def check(self, stamp: Stamp) -> CheckReport:
        """Walk over log, snapshots and memory (store.io.folder_check)."""
        captured = self._capture()
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, check_folder, self._storage, stamp, captured
        )

    def close(self) -> None:
        """Give up a snapshot that is being written, and wait until nothing of it is left."""
        self._stopping = True
        self._thread.shutdown(wait=True)

    def _since(self) -> Since:
        progress = self.progress
        return Since(progress.log_bytes, self._revision - progress.revision, self._clock.now_s() - progress.since_s)

    async def make_room(self) -> bool:
        """Remove all that is not needed to start from a snapshot that is whole; return whether anything went."""
        return await self._do(make_room, self._storage)

    async def _write_and_remove(self, header: SnapshotHeader, entries: Sequence[Entry]) -> SnapshotName:
        try:
            name = await self._write(header, entries)
        except OSError as error:
            if error.errno not in NO_SPACE or not await self._do(make_room, self._storage):
                raise
            name = await self._write(header, entries)
        await self._do(remove_old, self._storage, self._policy)
        return name

    async def _write(self, header: SnapshotHeader, entries: Sequence[Entry]) -> SnapshotName:
        writing = SnapshotWriting(self._storage, header)
        try:
            if await self._do(writing.begin):
                for block in blocks(entries):
                    await self._do(writing.add, writing.encoder.pack(block))
                await self._do(writing.finish)
        except BaseException:
            if self._stopping:
                writing.abandon()
            else:
                # Behind what the thread is doing: it may be given up in the middle of a step.
                self._thread.submit(writing.abandon)
            raise
        return writing.name

    async def _do(self, work: Callable[..., T], *argv: object) -> T:
        """Do something in the thread."""
        if self._stopping:
            raise SnapshotStoppedError
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *argv)


def remove_old(storage: Storage, policy: SnapshotPolicy) -> None:
    """Remove what the policy does not keep.

    Raises:
        OSError: a file cannot be removed; what was removed before it was not needed.
        LogFaultError: a segment does not begin as it must: then nothing is removed.
    """
    layout = parse_layout(storage.disk.names(storage.folder))
    ours = layout.of_epoch(layout.epoch)
    starts = segment_starts(storage.disk, storage.folder, ours.segments)
    dated = Dated(starts, read_dates(storage, ours))
    _remove(storage, compute_removal(layout, dated, policy.kept, policy.history))


def make_room(storage: Storage) -> bool:
    """Remove all that is not needed to start from the newest snapshot that is whole; return whether anything went."""
    disk, folder = storage.disk, storage.folder
    try:
        layout = parse_layout(disk.names(folder))
        ours = layout.of_epoch(layout.epoch)
        starts = segment_starts(disk, folder, ours.segments)
        for name in reversed(ours.snapshots):
            removal = free_most(layout, starts, name)
            if removal == Removal():
                return False
            if _is_whole(storage, name):
                log.warning(
                    "the disk is full: %d snapshots and %d segments of the log before %s are removed",
                    len(removal.snapshots),
                    len(removal.segments),
                    name,
                )
                _remove(storage, removal)
                return True
    except (OSError, LogFaultError) as error:
        log.error("no room can be made in %s: %s", folder, error)  # noqa: TRY400
    return False


def _is_whole(storage: Storage, name: SnapshotName) -> bool:
    try:
        check_snapshot(storage.disk, storage.folder / str(name))
    except SnapshotDamagedError:
        return False
    return True


def _remove(storage: Storage, removal: Removal) -> None:
    for name in (*removal.snapshots, *removal.segments):
        storage.disk.remove(storage.folder / str(name))
    if removal != Removal():
        storage.disk.sync_folder(storage.folder)
