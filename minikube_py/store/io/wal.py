"""The write-ahead log on disk: segment files, appended and flushed; all of it blocks and runs in one thread.

Each segment begins with a SEGMENT record. It is made as `.tmp`, filled, flushed, renamed, and the folder flushed, so
that a segment that exists has its first record. Space is written ahead as zeros (ZERO_BYTES at a time): a flush into
zeros needs no change of the file's size or extents, which halves its time; what a power cut takes reads as zeros;
and a full disk is noticed before a record is begun (LogFullError, nothing written). The last RESERVE_BYTES of the
disk are left alone, so that the rest of the host, and deletions here, go on when the log may grow no more.

A failed write or flush is final (LogBrokenError): after a failed fdatasync the kernel may have dropped the pages, and
a second one would succeed without them. The agent stops; the next start finds out what is on the disk.
"""

import errno
from collections.abc import Sequence
from pathlib import Path

from minikube_py.store.disk import Disk, DiskFile
from minikube_py.store.io.log_reader import LogEnd
from minikube_py.store.layout import SegmentName
from minikube_py.store.records import FORMAT_VERSION, RecordType, encode_batch, encode_segment

SEGMENT_BYTES_MAX = 16 << 20
ZERO_BYTES = 4 << 20
RESERVE_BYTES = 32 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""What the operating system says when there is no room."""


class LogFullError(Exception):
    """The disk has no room for the batch; nothing of it was written."""


class LogBrokenError(Exception):
    """A write or a flush failed; what is on the disk is not known, and the process must end."""


class Wal:
    """The newest segment, open for appending."""

    def __init__(self, disk: Disk, folder: Path, epoch: int, end: LogEnd, revision: int) -> None:
        """Go on where the log ends, cutting off a torn tail; make the first segment when there is none.

        Raises:
            OSError: a file cannot be made or cut.
            LogBrokenError: the folder cannot be flushed.
        """
        self._disk = disk
        self._folder = folder
        self._epoch = epoch
        self._next_seq = end.next_seq
        if end.segment is None:
            name = SegmentName(epoch, end.next_seq)
            self._file, self._end = _create_segment(disk, folder, name, revision)
            self._next_seq += 1
        else:
            if end.torn:
                _drop_tail(disk, folder, end.segment, end.end)
            self._file, self._end = disk.open(folder / str(end.segment)), end.end
        self._size = self._file.size
        if end.version != FORMAT_VERSION:
            # A segment has one format, so that of an earlier program is not written any more.
            self._end = SEGMENT_BYTES_MAX

    def append(self, transactions: Sequence[bytes], revision_before: int, *, reserve_bytes: int | None = None) -> int:
        """Write the TRANSACTION payloads as one batch, flush it, and return its length.

        Args:
            transactions: the payloads.
            revision_before: the newest revision before them.
            reserve_bytes: what must stay free on the disk when the log grows (default: RESERVE_BYTES).

        Raises:
            LogFullError: there is no room; nothing was written.
            LogBrokenError: it is not known what was written.
        """
        reserve_bytes = RESERVE_BYTES if reserve_bytes is None else reserve_bytes
        batch = encode_batch(self._next_seq, [(RecordType.TRANSACTION, payload) for payload in transactions])
        if self._end + len(batch) > SEGMENT_BYTES_MAX:
            self._rotate(revision_before, reserve_bytes)
            batch = encode_batch(self._next_seq, [(RecordType.TRANSACTION, payload) for payload in transactions])
        self._make_room(len(batch), reserve_bytes)
        try:
            self._file.write_through(batch, self._end)
        except OSError as error:
            raise LogBrokenError(f"cannot write the log in {self._folder}: {error}") from error
        self._end += len(batch)
        self._next_seq += len(transactions)
        return len(batch)

    @property
    def end(self) -> int:
        """Where the next batch goes in the newest segment."""
        return self._end

    def close(self) -> None:
        """Close the segment."""
        self._file.close()

    def _flush(self) -> None:
        try:
            self._file.sync()
        except OSError as error:
            raise LogBrokenError(f"cannot flush the log in {self._folder}: {error}") from error

    def _make_room(self, length: int, reserve_bytes: int) -> None:
        needed = self._end + length
        if needed <= self._size:
            return
        grow = -(-(needed - self._size) // ZERO_BYTES) * ZERO_BYTES
        self._keep_reserve(grow, reserve_bytes)
        try:
            self._file.write_through(bytes(grow), self._size)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise LogBrokenError(f"cannot extend the log in {self._folder}: {error}") from error
            self._size = self._file.size
            if needed > self._size:
                raise LogFullError(f"no space left for the log in {self._folder}") from error
            self._flush()
        else:
            self._size += grow

    def _keep_reserve(self, grow: int, reserve_bytes: int) -> None:
        try:
            free = self._disk.free_bytes(self._folder)
        except OSError as error:
            raise LogBrokenError(f"cannot ask for the free space of {self._folder}: {error}") from error
        if free - grow < reserve_bytes:
            raise LogFullError(
                f"the disk of {self._folder} is nearly full: {free >> 20} MiB are free, "
                f"{(grow + reserve_bytes) >> 20} MiB are needed"
            )

    def _rotate(self, revision_before: int, reserve_bytes: int) -> None:
        self._keep_reserve(ZERO_BYTES, reserve_bytes)
        name = SegmentName(self._epoch, self._next_seq)
        try:
            file, end = _create_segment(self._disk, self._folder, name, revision_before)
        except OSError as error:
            if error.errno in NO_SPACE:
                raise LogFullError(f"no space left for a new log segment in {self._folder}") from error
            raise LogBrokenError(f"cannot make a log segment in {self._folder}: {error}") from error
        self._file.close()
        self._file, self._end = file, end
        self._size = file.size
        self._next_seq += 1


def _drop_tail(disk: Disk, folder: Path, segment: SegmentName, end: int) -> None:
    """Cut off a batch that was never acknowledged, keeping a copy for those who want to look."""
    file = disk.open(folder / str(segment))
    try:
        tail = file.read_at(end, file.size - end).rstrip(b"\0")
        write_new(disk, folder / f"{segment}.broken", tail).close()
        file.truncate(end)
        file.sync()
    finally:
        file.close()


def _create_segment(disk: Disk, folder: Path, name: SegmentName, revision: int) -> tuple[DiskFile, int]:
    """Return the new segment and where its first record ends."""
    first = encode_batch(name.seq, [(RecordType.SEGMENT, encode_segment(name.epoch, revision))])
    temporary = folder / f"{name}.tmp"
    try:
        file = write_new(disk, temporary, first)
        disk.rename(temporary, folder / str(name))
    except OSError:
        disk.remove(temporary)
        raise
    try:
        disk.sync_folder(folder)
    except OSError as error:
        # The segment may be there after a power cut or not, so nothing else may take its place in the sequence.
        raise LogBrokenError(f"cannot flush the folder {folder}: {error}") from error
    return file, len(first)


def write_new(disk: Disk, path: Path, data: bytes) -> DiskFile:
    """Make a file with this content, flushed; its name is durable only after the folder is flushed."""
    file = disk.create(path)
    try:
        file.write_at(data, 0)
        file.sync()
    except OSError:
        file.close()
        raise
    return file
