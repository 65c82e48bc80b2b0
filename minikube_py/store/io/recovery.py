"""What a store's folder holds: the newest snapshot that is whole, and the log that leads on from it; it blocks.

Nothing is changed here. Damage is never passed over in silence: a damaged snapshot is named and the one before it
used, while the log leads on from there; a damaged log, or one with a gap, is told with the way out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from minikube_py.store.check import replay_one
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SealedError
from minikube_py.store.interface import Entry, Stamp, StoreOpenError
from minikube_py.store.io.log_reader import LogEnd, LogFaultError, read_log
from minikube_py.store.io.snapshot_file import load_snapshot
from minikube_py.store.io.start_points import read_points
from minikube_py.store.layout import Layout, SnapshotName, UnknownFileError, parse_layout
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction
from minikube_py.store.retention import HistoryBounds, choose_start
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader

WAY_OUT = (
    "Nothing was changed. `minikube-py snapshot restore` goes back to the newest state that can be read; "
    "`minikube-py snapshot verify` lists what is damaged"
)


@dataclass(frozen=True, slots=True)
class Until:
    """Where to stop: after the last transaction that is not beyond either."""

    revision: int | None = None
    wall_s: float | None = None

    def admits(self, revision: int, wall_s: float) -> bool:
        """Return whether a transaction (or snapshot) of this revision and time is still wanted."""
        return (self.revision is None or revision <= self.revision) and (self.wall_s is None or wall_s <= self.wall_s)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A state, and how it was found."""

    state: Mvcc
    epoch: int
    end: LogEnd
    snapshot: SnapshotName | None = None
    """The newest one; a start may have begun with one before it."""
    snapshot_wall_s: float = 0.0
    log_bytes: int = 0
    """What of the log stands behind the snapshot."""
    notes: tuple[str, ...] = ()
    """What was damaged and could be done without."""

    @property
    def records(self) -> int:
        """How many transactions the state has that the snapshot has not."""
        return self.state.revision - (self.snapshot.revision if self.snapshot is not None else 0)


def read_layout(storage: Storage) -> Layout:
    """Return the folder's files.

    Raises:
        StoreOpenError: it holds files of another format.
    """
    try:
        return parse_layout(storage.disk.names(storage.folder))
    except UnknownFileError as error:
        raise StoreOpenError(
            f"the store in {storage.folder}: {error}. Use the version that wrote it, or move the folder away"
        ) from error


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for, and where."""

    storage: Storage
    stamp: Stamp
    files: Layout
    until: Until
    now_s: float
    written_s: float = 0.0
    """When the newest record was written: events keep their distance from it, however long nothing ran."""
    notes: list[str] = field(default_factory=list)


def recover(storage: Storage, stamp: Stamp, now_s: float, *, history: HistoryBounds | None = None) -> Recovered:
    """Return the newest state, with the history that `history` asks for.

    Raises:
        StoreOpenError: no state can be had that is certain to hold everything acknowledged.
    """
    recovered = recover_readable(storage, stamp, now_s, history=history)
    if recovered.end.damage:
        raise StoreOpenError(f"the log is damaged: {recovered.end.damage}. {WAY_OUT}")
    return recovered


def recover_readable(
    storage: Storage,
    stamp: Stamp,
    now_s: float,
    *,
    epoch: int | None = None,
    until: Until | None = None,
    history: HistoryBounds | None = None,
) -> Recovered:
    """Return the newest state of an epoch (default: the newest), or the state at `until`.

    What stands before damage of the log is returned, with `end.damage` set.

    Raises:
        StoreOpenError: not even that can be read.
    """
    layout = read_layout(storage)
    epoch = layout.epoch if epoch is None else epoch
    search = _Search(storage, stamp, layout.of_epoch(epoch), until or Until(), now_s)
    if history is not None and (found := _with_history(search, epoch, history)) is not None:
        return found
    for name in reversed(search.files.snapshots):
        if search.until.revision is not None and name.revision > search.until.revision:
            continue
        loaded = _load(search, name)
        if loaded is None or not search.until.admits(loaded[1].revision, loaded[1].wall_s):
            continue
        state, header = loaded
        try:
            end = _replay(search, state)
        except LogFaultError as error:
            search.notes.append(f"after snapshot {name}: {error}")
            continue
        return Recovered(state, epoch, end, name, header.wall_s, end.size_bytes, tuple(search.notes))
    return _from_the_beginning(search, epoch)


def _with_history(search: _Search, epoch: int, bounds: HistoryBounds) -> Recovered | None:
    """Begin before the newest snapshot; None when there is no need to, or no way: history is not worth a refusal."""
    try:
        points, written = read_points(search.storage, search.files)
        if not points or (start := choose_start(points, written, bounds)) is points[-1]:
            return None
        search = replace(search, written_s=written.wall_s)
        loaded = _load(search, start.name) if start.name is not None else None
        if start.name is not None and loaded is None:
            return None
        state = loaded[0] if loaded is not None else Mvcc(search.stamp)
        end = _replay(search, state)
    except (LogFaultError, StoreOpenError, OSError) as error:
        search.notes.append(f"the history before the newest snapshot cannot be read: {error}")
        return None
    newest = points[-1]
    if end.damage and end.revision < newest.revision:
        search.notes.append(f"the history before the newest snapshot cannot be read: {end.damage}")
        return None
    log_bytes = end.size_bytes - start.log_bytes + newest.log_bytes
    return Recovered(state, epoch, end, newest.name, newest.wall_s, max(0, log_bytes), tuple(search.notes))


def _from_the_beginning(search: _Search, epoch: int) -> Recovered:
    """Return what the log alone gives: it must begin with the very first record."""
    folder, files = search.storage.folder, search.files
    told = "".join(f"; {note}" for note in search.notes)
    if epoch > 1 or (files.snapshots and not files.segments):
        raise StoreOpenError(f"no snapshot in {folder} can be used{told}. {WAY_OUT}")
    state = Mvcc(search.stamp)
    try:
        end = _replay(search, state)
    except LogFaultError as error:
        raise StoreOpenError(f"the store in {folder} cannot be read: {error}{told}. {WAY_OUT}") from error
    return Recovered(state, epoch, end, log_bytes=end.size_bytes, notes=tuple(search.notes))


def _load(search: _Search, name: SnapshotName) -> tuple[Mvcc, SnapshotHeader] | None:
    entries: list[Entry] = []
    try:
        header = load_snapshot(search.storage, search.storage.folder / str(name), entries.extend)
    except SealedError as error:
        raise StoreOpenError(f"snapshot {name}: {error}") from error
    except SnapshotDamagedError as error:
        search.notes.append(f"snapshot {name} is damaged: {error}")
        return None
    if (header.epoch, header.revision) != name:
        search.notes.append(f"snapshot {name} is damaged: it says that it is {header.epoch}, {header.revision}")
        return None
    return Mvcc.load(entries, header.revision, search.stamp), header


def _replay(search: _Search, state: Mvcc) -> LogEnd:
    """Bring a state forward by the log.

    Raises:
        LogFaultError: the log does not lead on from the state.
        StoreOpenError: a value cannot be decrypted, or a transaction does not follow.
    """
    files = search.files
    end = replay_log(search.storage, files, state.revision, _taking(search, state))
    newest = files.snapshots[-1].revision if files.snapshots else 0
    if search.until == Until() and end.segment is not None and end.revision < newest and not end.damage:
        # A snapshot is taken of what was flushed, so the log had reached that far.
        return replace(end, damage=f"it ends at revision {end.revision}, and a snapshot of {newest} exists")
    return end


def replay_log(storage: Storage, files: Layout, after: int, take: Callable[[Transaction], bool]) -> LogEnd:
    """Read the log of one epoch from the segment on that holds what follows `after`.

    Raises:
        LogFaultError: it does not lead on from there.
        StoreOpenError: a value cannot be decrypted, a file cannot be read, or a transaction does not follow.
    """
    try:
        return read_log(storage.disk, storage.folder, files.segments, after, storage.unseal, take)
    except LogFaultError:
        raise
    except SealedError as error:
        raise StoreOpenError(f"the log in {storage.folder}: {error}") from error
    except (OSError, ValueError) as error:
        raise StoreOpenError(f"the log in {storage.folder} cannot be read: {error}. {WAY_OUT}") from error


def _taking(search: _Search, state: Mvcc) -> Callable[[Transaction], bool]:
    start = state.revision
    at_s = float("-inf")

    def take(transaction: Transaction) -> bool:
        nonlocal at_s
        if not search.until.admits(transaction.revision, transaction.wall_s):
            return False
        if transaction.revision > start:
            at_s = max(at_s, search.now_s - max(0.0, search.written_s - transaction.wall_s))
            replay_one(state, transaction, at_s)
        return True

    return take
