"""Snapshots on the disk: written beside, flushed, read back, and only then renamed into place; all of it blocks."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from minikube_py.store.disk import Disk, DiskFile, Storage
from minikube_py.store.interface import Entry
from minikube_py.store.layout import SnapshotName
from minikube_py.store.snapshot import (
    Read,
    SnapshotDamagedError,
    SnapshotEncoder,
    SnapshotHeader,
    read_header,
    read_snapshot,
    verify_snapshot,
)

READ_BYTES = 1 << 20


class SnapshotStoppedError(Exception):
    """The program ends; the snapshot was not finished and nothing of it stays."""


def write_snapshot(
    storage: Storage, header: SnapshotHeader, entries: Iterable[Entry], is_stopping: Callable[[], bool] = bool
) -> SnapshotName:
    """Write a snapshot into the store's folder and verify it; a whole one that is the same is left as it is.

    Raises:
        OSError: it could not be written; nothing of it stays.
        SnapshotDamagedError: what was read back is not what was written; the disk is not to be trusted.
        SnapshotStoppedError: `is_stopping` said so.
    """
    disk, folder = storage.disk, storage.folder
    name = SnapshotName(header.epoch, header.revision)
    path = folder / str(name)
    if str(name) in disk.names(folder):
        try:
            if check_snapshot(disk, path).key_ids == header.key_ids:
                return name
        except SnapshotDamagedError:
            pass  # it is replaced by the one that is about to be written
    temporary = folder / f"{name}.tmp"
    try:
        _write(disk, temporary, SnapshotEncoder(header, storage.seal).pieces(entries), is_stopping)
        check_snapshot(disk, temporary)
        disk.rename(temporary, path)
        disk.sync_folder(folder)
    except (OSError, SnapshotDamagedError, SnapshotStoppedError):
        disk.remove(temporary)
        raise
    return name


def _write(disk: Disk, path: Path, pieces: Iterable[bytes], is_stopping: Callable[[], bool]) -> None:
    file = disk.create(path)
    try:
        offset = 0
        for piece in pieces:
            if is_stopping():
                raise SnapshotStoppedError
            file.write_at(piece, offset)
            offset += len(piece)
        file.sync()
    finally:
        file.close()


def load_snapshot(storage: Storage, path: Path, take: Callable[[Sequence[Entry]], None]) -> SnapshotHeader:
    """Read a snapshot to its end.

    Raises:
        SnapshotDamagedError: it is not whole and undamaged, or cannot be read.
        SealedError: a value cannot be decrypted.
    """
    return _reading(storage.disk, path, lambda read: read_snapshot(read, storage.unseal, take))


def check_snapshot(disk: Disk, path: Path) -> SnapshotHeader:
    """Read a snapshot to its end, for its checksums.

    Raises:
        SnapshotDamagedError: it is not whole and undamaged, or cannot be read.
    """
    return _reading(disk, path, verify_snapshot)


def snapshot_header(disk: Disk, path: Path) -> SnapshotHeader:
    """Return what a snapshot says of itself, without reading the rest.

    Raises:
        SnapshotDamagedError: it does not begin as one.
    """
    return _reading(disk, path, read_header)


def _reading(disk: Disk, path: Path, work: Callable[[Read], SnapshotHeader]) -> SnapshotHeader:
    try:
        file = disk.open(path)
    except OSError as error:
        raise SnapshotDamagedError(f"it cannot be opened: {error.strerror}") from error
    try:
        return work(_Reading(file).read)
    except OSError as error:
        raise SnapshotDamagedError(f"it cannot be read: {error.strerror}") from error
    finally:
        file.close()


class _Reading:
    """A file read forwards, in large pieces."""

    def __init__(self, file: DiskFile) -> None:
        self._file = file
        self._offset = 0
        self._ahead = b""
        self._at = 0

    def read(self, length: int) -> bytes:
        if len(self._ahead) - self._at < length:
            rest = self._ahead[self._at :]
            more = self._file.read_at(self._offset, max(READ_BYTES, length - len(rest)))
            self._offset += len(more)
            self._ahead, self._at = rest + more, 0
        data = self._ahead[self._at : self._at + length]
        self._at += len(data)
        return data
