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
    blocks,
    read_header,
    read_snapshot,
    verify_snapshot,
)


class SnapshotStoppedError(Exception):
    """The program ends; the snapshot was not finished and nothing of it stays."""


class SnapshotWriting:
    """A snapshot that is being written beside the others; each step blocks, and they come one after the other."""

    def __init__(self, storage: Storage, header: SnapshotHeader) -> None:
        self.name = SnapshotName(header.epoch, header.revision)
        self.encoder = SnapshotEncoder(header, storage.seal)
        self._header = header
        self._disk, self._folder = storage.disk, storage.folder
        self._temporary = storage.folder / f"{self.name}.tmp"
        self._file: DiskFile | None = None
        self._offset = 0

    def begin(self) -> bool:
        """Begin; False when there is one already that is whole and the same.

        Raises:
            OSError: it cannot be written.
        """
        if str(self.name) in self._disk.names(self._folder):
            try:
                if check_snapshot(self._disk, self._folder / str(self.name)).key_ids == self._header.key_ids:
                    return False
            except SnapshotDamagedError:
                pass  # it is replaced by the one that is about to be written
        self._file = self._disk.create(self._temporary)
        self._write(self.encoder.begin())
        return True

    def add(self, payload: bytes) -> None:
        """Write a block that the encoder packed.

        Raises:
            OSError: it cannot be written.
        """
        for piece in self.encoder.frame(payload):
            self._write(piece)

    def finish(self) -> SnapshotName:
        """Flush it, read it back, and put it in its place.

        Raises:
            OSError: it cannot be written.
            SnapshotDamagedError: what was read back is not what was written; the disk is not to be trusted.
        """
        self._write(self.encoder.end())
        assert self._file is not None
        self._file.sync()
        self._close()
        check_snapshot(self._disk, self._temporary)
        self._disk.rename(self._temporary, self._folder / str(self.name))
        self._disk.sync_folder(self._folder)
        return self.name

    def abandon(self) -> None:
        """Leave nothing of it."""
        self._close()
        self._disk.remove(self._temporary)

    def _write(self, piece: bytes) -> None:
        assert self._file is not None, "begun"
        self._file.write_at(piece, self._offset)
        self._offset += len(piece)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def write_snapshot(storage: Storage, header: SnapshotHeader, entries: Iterable[Entry]) -> SnapshotName:
    """Write a snapshot into the store's folder and verify it; a whole one that is the same is left as it is.

    Raises:
        OSError: it could not be written; nothing of it stays.
        SnapshotDamagedError: what was read back is not what was written; the disk is not to be trusted.
    """
    writing = SnapshotWriting(storage, header)
    try:
        if writing.begin():
            for block in blocks(entries):
                writing.add(writing.encoder.pack(block))
            writing.finish()
    except (OSError, SnapshotDamagedError):
        writing.abandon()
        raise
    return writing.name


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
    """A file read forwards, each piece by itself: a large one is not copied again while other threads wait."""

    def __init__(self, file: DiskFile) -> None:
        self._file = file
        self._offset = 0

    def read(self, length: int) -> bytes:
        data = self._file.read_at(self._offset, length)
        self._offset += len(data)
        return data
