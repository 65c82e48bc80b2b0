"""What a store's folder holds: the newest snapshot that is whole, and the log that leads on from it; it blocks.

Nothing is changed here. Damage is never passed over in silence: a damaged snapshot is named and the one before it
used, while the log leads on from there; a damaged log, or one with a gap, is told with the way out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minikube_py.store.check import replay_one
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SealedError
from minikube_py.store.interface import Entry, Stamp, StoreOpenError
from minikube_py.store.io.log_reader import LogEnd, LogFaultError, read_log
from minikube_py.store.io.snapshot_file import load_snapshot
from minikube_py.store.layout import Layout, SnapshotName, UnknownFileError, parse_layout
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction
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
    snapshot_wall_s: float = 0.0
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


def recover(
    storage: Storage, stamp: Stamp, now_s: float, *, epoch: int | None = None, until: Until | None = None
) -> Recovered:
    """Return the newest state of an epoch (default: the newest), or the state at `until`.

    Raises:
        StoreOpenError: no state can be had that is certain to hold everything acknowledged.
    """
    recovered = recover_readable(storage, stamp, now_s, epoch=epoch, until=until)
    if recovered.end.damage:
        raise StoreOpenError(f"the log is damaged: {recovered.end.damage}. {WAY_OUT}")
    return recovered


def recover_readable(
    storage: Storage, stamp: Stamp, now_s: float, *, epoch: int | None = None, until: Until | None = None
) -> Recovered:
    """As recover, but what stands before damage of the log is returned, with `end.damage` set.

    Raises:
        StoreOpenError: not even that can be read.
    """
    layout = read_layout(storage)
    epoch = layout.epoch if epoch is None else epoch
    files = layout.of_epoch(epoch)
    until = until or Until()
    notes: list[str] = []
    for name in reversed(files.snapshots):
        if until.revision is not None and name.revision > until.revision:
            continue
        loaded = _load(storage, stamp, name, notes)
        if loaded is None or not until.admits(loaded[1].revision, loaded[1].wall_s):
            continue
        state, header = loaded
        try:
            end = _replay(storage, state, files, until, now_s)
        except LogFaultError as error:
            notes.append(f"after snapshot {name}: {error}")
            continue
        return Recovered(state, epoch, end, name, header.wall_s, tuple(notes))
    return _from_the_beginning(storage, stamp, (epoch, files), until, now_s, notes)


def _from_the_beginning(
    storage: Storage, stamp: Stamp, found: tuple[int, Layout], until: Until, now_s: float, notes: Sequence[str]
) -> Recovered:
    """Return what the log alone gives: it must begin with the very first record."""
    epoch, files = found
    told = "".join(f"; {note}" for note in notes)
    if epoch > 1 or (files.snapshots and not files.segments):
        raise StoreOpenError(f"no snapshot in {storage.folder} can be used{told}. {WAY_OUT}")
    state = Mvcc(stamp)
    try:
        end = _replay(storage, state, files, until, now_s)
    except LogFaultError as error:
        raise StoreOpenError(f"the store in {storage.folder} cannot be read: {error}{told}. {WAY_OUT}") from error
    return Recovered(state, epoch, end, notes=tuple(notes))


def _load(storage: Storage, stamp: Stamp, name: SnapshotName, notes: list[str]) -> tuple[Mvcc, SnapshotHeader] | None:
    entries: list[Entry] = []
    try:
        header = load_snapshot(storage, storage.folder / str(name), entries.extend)
    except SealedError as error:
        raise StoreOpenError(f"snapshot {name}: {error}") from error
    except SnapshotDamagedError as error:
        notes.append(f"snapshot {name} is damaged: {error}")
        return None
    if (header.epoch, header.revision) != name:
        notes.append(f"snapshot {name} is damaged: it says that it is {header.epoch}, {header.revision}")
        return None
    return Mvcc.load(entries, header.revision, stamp), header


def _replay(storage: Storage, state: Mvcc, files: Layout, until: Until, now_s: float) -> LogEnd:
    """Bring a state forward by the log.

    Raises:
        LogFaultError: the log does not lead on from the state.
        StoreOpenError: a value cannot be decrypted, or a transaction does not follow.
    """
    end = replay_log(storage, files, state.revision, _taking(state, until, now_s))
    newest = files.snapshots[-1].revision if files.snapshots else 0
    if until == Until() and end.segment is not None and end.revision < newest and not end.damage:
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


def _taking(state: Mvcc, until: Until, now_s: float) -> Callable[[Transaction], bool]:
    start = state.revision

    def take(transaction: Transaction) -> bool:
        if not until.admits(transaction.revision, transaction.wall_s):
            return False
        if transaction.revision > start:
            replay_one(state, transaction, now_s)
        return True

    return take
