"""The write-ahead log on disk: segment files, appended and flushed; all of it blocks and runs in one thread.

Layout: `<seq of the first record, 16 hex digits>.log`, each beginning with a SEGMENT record. A segment is made as
`.tmp`, filled, flushed, renamed, and the directory flushed, so that a segment that exists has its first record.
Space is written ahead as zeros (ZERO_BYTES at a time): a flush into zeros needs no change of the file's size or
extents, which halves its time, and a full disk is noticed before a record is begun (LogFullError, nothing written).

A failed write or flush is final (LogBrokenError): after a failed fdatasync the kernel may have dropped the pages, and
a second one would succeed without them. The agent stops; the next start finds out what is on the disk.
"""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from minikube_py.store.interface import StoreOpenError
from minikube_py.store.records import (
    FORMAT_VERSION,
    Record,
    RecordType,
    Scan,
    decode_segment,
    encode_batch,
    encode_segment,
    scan_segment,
)

SEGMENT_BYTES_MAX = 64 << 20
ZERO_BYTES = 4 << 20
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class LogFullError(Exception):
    """The disk has no room for the batch; nothing of it was written."""


class LogBrokenError(Exception):
    """A write or a flush failed; what is on the disk is not known, and the process must end."""


class Wal:
    """The newest segment, open for appending."""

    def __init__(self, directory: Path, segment: Path, end: int, next_seq: int) -> None:
        self._directory = directory
        self._fd = os.open(segment, os.O_RDWR | os.O_CLOEXEC)
        self._end = end
        self._size = os.fstat(self._fd).st_size
        self._next_seq = next_seq

    @classmethod
    def open(cls, directory: Path, on_record: Callable[[Record], None]) -> Self:
        """Read all segments, hand each TRANSACTION record to `on_record`, and be ready to append.

        Raises:
            StoreOpenError: a record is damaged that had been flushed, or the format is not ours.
        """
        for leftover in directory.glob("*.tmp"):
            leftover.unlink()
        segments = sorted(directory.glob("*.log"))
        if not segments:
            segments = [_create_segment(directory, 1, 0)]
        next_seq = 1
        end = 0
        for segment in segments:
            scan = _read_segment(segment, next_seq, is_last=segment == segments[-1])
            for record in scan.records[1:]:
                on_record(record)
            next_seq, end = scan.next_seq, scan.end
        return cls(directory, segments[-1], end, next_seq)

    def append(self, transactions: Sequence[bytes], revision_before: int) -> None:
        """Write the TRANSACTION payloads as one batch, and flush it.

        Raises:
            LogFullError: there is no room; nothing was written.
            LogBrokenError: it is not known what was written.
        """
        batch = encode_batch(self._next_seq, [(RecordType.TRANSACTION, payload) for payload in transactions])
        if self._end + len(batch) > SEGMENT_BYTES_MAX:
            self._rotate(revision_before)
            batch = encode_batch(self._next_seq, [(RecordType.TRANSACTION, payload) for payload in transactions])
        self._make_room(len(batch))
        try:
            _write_at(self._fd, batch, self._end)
        except OSError as error:
            raise LogBrokenError(f"cannot write the log in {self._directory}: {error}") from error
        self._flush()
        self._end += len(batch)
        self._next_seq += len(transactions)

    def close(self) -> None:
        """Close the segment."""
        os.close(self._fd)

    def _flush(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise LogBrokenError(f"cannot flush the log in {self._directory}: {error}") from error

    def _make_room(self, length: int) -> None:
        needed = self._end + length
        if needed <= self._size:
            return
        grow = -(-(needed - self._size) // ZERO_BYTES) * ZERO_BYTES
        try:
            _write_at(self._fd, bytes(grow), self._size)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise LogBrokenError(f"cannot extend the log in {self._directory}: {error}") from error
            self._size = os.fstat(self._fd).st_size
            if needed > self._size:
                raise LogFullError(f"no space left for the log in {self._directory}") from error
        else:
            self._size += grow
        self._flush()

    def _rotate(self, revision_before: int) -> None:
        try:
            segment = _create_segment(self._directory, self._next_seq, revision_before)
            fd = os.open(segment, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise LogFullError(f"no space left for a new log segment in {self._directory}") from error
            raise LogBrokenError(f"cannot make a log segment in {self._directory}: {error}") from error
        os.close(self._fd)
        self._fd = fd
        self._end = self._size = os.fstat(fd).st_size
        self._next_seq += 1


def _read_segment(segment: Path, first_seq: int, *, is_last: bool) -> Scan:
    data = segment.read_bytes()
    scan = scan_segment(data, first_seq)
    if scan.corrupt_at is not None or (scan.torn and not is_last):
        at = scan.end if scan.corrupt_at is None else scan.corrupt_at
        raise StoreOpenError(
            f"the log {segment} is damaged at byte {at}: records that were flushed stand behind it. "
            "Nothing was changed; restore the data directory from a copy, or move it away to begin anew"
        )
    if not scan.records or scan.records[0].type is not RecordType.SEGMENT:
        raise StoreOpenError(f"the log {segment} does not begin with the record {first_seq} that is due")
    version, _ = decode_segment(scan.records[0].payload)
    if version != FORMAT_VERSION:
        raise StoreOpenError(f"the log {segment} has format {version}; this program writes {FORMAT_VERSION}")
    if scan.torn:
        _drop_tail(segment, data, scan.end)
    return scan


def _drop_tail(segment: Path, data: bytes, end: int) -> None:
    """Cut off a batch that was never acknowledged, keeping a copy for those who want to look."""
    _write_new(segment.with_suffix(".broken"), data[end:].rstrip(b"\0"))
    fd = os.open(segment, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, end)
        os.fsync(fd)
    finally:
        os.close(fd)


def _create_segment(directory: Path, seq: int, revision_before: int) -> Path:
    segment = directory / f"{seq:016x}.log"
    temporary = segment.with_suffix(".tmp")
    _write_new(temporary, encode_batch(seq, [(RecordType.SEGMENT, encode_segment(revision_before))]))
    temporary.rename(segment)
    sync_directory(directory)
    return segment


def _write_new(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_at(fd, data, 0)
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
