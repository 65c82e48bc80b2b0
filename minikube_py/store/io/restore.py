"""Going back: to a snapshot, a revision or a time within the kept log, or to the newest state that can be read.

A restore changes nothing that is there. It writes the state as the first snapshot of the next epoch, with a revision
far beyond any that was ever given out (a client's old version is then compacted: 410, list again; never one of a
future that did not happen), and one rename makes it the store. Upstream: etcdutl snapshot restore --bump-revision
--mark-compacted.
"""

from dataclasses import dataclass
from pathlib import Path

from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SealedError
from minikube_py.store.interface import Entry, Stamp, StoreOpenError
from minikube_py.store.io.recovery import Recovered, Until, read_layout, recover_readable
from minikube_py.store.io.snapshot_file import load_snapshot, write_snapshot
from minikube_py.store.layout import Layout, SnapshotName
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader

REVISION_STEP = 1_000_000_000
"""More than any log holds behind its last readable record."""


@dataclass(frozen=True, slots=True)
class RestoreSource:
    """What to go back to; nothing given: the newest state that can be read."""

    snapshot: SnapshotName | None = None
    file: Path | None = None
    """A snapshot outside the store's folder."""
    until: Until = Until()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    name: SnapshotName
    from_revision: int
    """The revision that the state had."""
    keys: int
    notes: tuple[str, ...] = ()


class RestoreError(Exception):
    """There is no such state; nothing was changed."""


def restore(
    storage: Storage, stamp: Stamp, wall_s: float, source: RestoreSource, key_ids: tuple[str, ...] = ()
) -> Restored:
    """Make an earlier state the store's newest; the folder must be locked.

    Args:
        storage: the store.
        stamp: as for open_store.
        wall_s: now, in seconds since the Unix epoch.
        source: what to go back to.
        key_ids: the name of the key that Secrets are sealed with.

    Raises:
        RestoreError: there is no such state.
        StoreOpenError: the folder cannot be read at all.
        OSError: the new snapshot cannot be written.
        SnapshotDamagedError: what was written reads back as something else.
    """
    layout = read_layout(storage)
    state, notes = _state(storage, stamp, layout, source)
    newest = max(_newest_revision(storage, stamp, layout), state.revision)
    header = SnapshotHeader(
        layout.epoch + 1, newest + REVISION_STEP, wall_s, len(state.entries), key_ids, reason="restore"
    )
    name = write_snapshot(storage, header, state.entries.values())
    return Restored(name, state.revision, len(state.entries), notes)


def _state(storage: Storage, stamp: Stamp, layout: Layout, source: RestoreSource) -> tuple[Mvcc, tuple[str, ...]]:
    if source.file is not None:
        return load_state(storage, stamp, source.file), ()
    if source.snapshot is not None:
        if source.snapshot not in layout.snapshots:
            raise RestoreError(f"there is no snapshot {source.snapshot} in {storage.folder}")
        until = Until(revision=source.snapshot.revision)
        return _told(_found(storage, stamp, source.snapshot.epoch, until), until)
    if source.until == Until():
        return _told(_found(storage, stamp, layout.epoch, source.until), source.until)
    reasons: list[str] = []
    for epoch in layout.epochs:
        if not _may_hold(layout.of_epoch(epoch), epoch, source.until):
            continue
        try:
            return _told(_found(storage, stamp, epoch, source.until), source.until)
        except RestoreError as error:
            reasons.append(str(error))
    raise RestoreError(reasons[0] if reasons else f"there is no store in {storage.folder}")


def _may_hold(files: Layout, epoch: int, until: Until) -> bool:
    """Return whether the revision lies within the epoch, as far as names tell."""
    begins = files.snapshots[0].revision if files.snapshots and epoch > 1 else 0
    return until.revision is None or until.revision >= begins


def load_state(storage: Storage, stamp: Stamp, file: Path) -> Mvcc:
    """Return the state of a snapshot file anywhere.

    Raises:
        RestoreError: it is damaged, or its Secrets cannot be decrypted.
    """
    entries: list[Entry] = []
    try:
        header = load_snapshot(storage, file, entries.extend)
    except (SnapshotDamagedError, SealedError) as error:
        raise RestoreError(f"the snapshot {file} cannot be used: {error}") from error
    return Mvcc.load(entries, header.revision, stamp)


def _found(storage: Storage, stamp: Stamp, epoch: int, until: Until) -> Recovered:
    try:
        return recover_readable(storage, stamp, 0.0, epoch=epoch, until=until)
    except StoreOpenError as error:
        raise RestoreError(str(error)) from error


def _told(found: Recovered, until: Until) -> tuple[Mvcc, tuple[str, ...]]:
    notes = found.notes
    if found.end.damage:
        notes = (*notes, f"{found.end.damage}: what was written after revision {found.state.revision} is lost")
    if until.revision is not None and found.state.revision != until.revision:
        raise RestoreError(f"revision {until.revision} is not in the kept log; the nearest is {found.state.revision}")
    if until.wall_s is not None and found.snapshot is None and found.state.revision == 0:
        raise RestoreError("the kept log does not reach back to that time")
    return found.state, notes


def _newest_revision(storage: Storage, stamp: Stamp, layout: Layout) -> int:
    """Return a revision that is at least as new as any that was read from here."""
    newest = max((name.revision for name in layout.snapshots), default=0)
    try:
        return max(newest, recover_readable(storage, stamp, 0.0).state.revision)
    except StoreOpenError:
        return newest  # the step is longer than any log that is still unread
