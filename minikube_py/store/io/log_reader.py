"""Reading the log: which segments are needed from a revision on, their transactions, and where and how it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from minikube_py.store.disk import Disk
from minikube_py.store.layout import SegmentName
from minikube_py.store.records import (
    FORMAT_VERSION,
    FORMATS_READ,
    RecordType,
    Segment,
    Transaction,
    decode_segment,
    decode_transaction,
    read_first,
    scan_segment,
)
from minikube_py.store.retention import Written

_FIRST_RECORD_BYTES = 256
"""More than a segment's first record takes."""

Unseal = Callable[[str, bytes], bytes]
Take = Callable[[Transaction], bool]
"""Take one transaction; False: no more are wanted."""


class LogFaultError(ValueError):
    """A segment cannot be read at all; the text says which and why."""


@dataclass(frozen=True, slots=True)
class LogEnd:
    """How far a log was read."""

    segment: SegmentName | None = None
    """The newest segment, None when there is none."""
    end: int = 0
    """Where the next batch goes in it."""
    next_seq: int = 1
    revision: int = 0
    """The newest revision that was read, or the newest before the segments that were."""
    torn: bool = False
    """Bytes of a batch that was never acknowledged stand behind `end`."""
    damage: str = ""
    """What is damaged; the transactions before it were read."""
    size_bytes: int = 0
    """What was read."""
    version: int = FORMAT_VERSION
    """The format of the newest segment."""


def segment_starts(disk: Disk, folder: Path, segments: Sequence[SegmentName]) -> Mapping[SegmentName, int]:
    """Return for each segment the newest revision before it.

    Raises:
        LogFaultError: one does not begin as it must.
    """
    return {
        name: _first_record(name, _read(disk, folder / str(name), _FIRST_RECORD_BYTES)).revision for name in segments
    }


def last_written(disk: Disk, folder: Path, segments: Sequence[SegmentName]) -> Written:
    """Return the newest record, of revision 0 when there is none that can be read.

    Raises:
        OSError: a file cannot be read.
    """
    for name in reversed(segments):
        records = scan_segment(_read(disk, folder / str(name)), name.seq).records
        if records and records[-1].type is RecordType.TRANSACTION:
            newest = decode_transaction(records[-1].payload)
            return Written(newest.revision, newest.wall_s)
    return Written()


def read_log(
    disk: Disk, folder: Path, segments: Sequence[SegmentName], after: int, unseal: Unseal, take: Take
) -> LogEnd:
    """Hand every transaction to `take` that segments hold which reach beyond revision `after` (some may be older).

    Args:
        disk: where it is.
        folder: the store's folder.
        segments: of one epoch, sorted.
        after: the revision of the snapshot that the transactions are for.
        unseal: makes values plain.
        take: gets the transactions in order.

    Raises:
        LogFaultError: a segment does not begin as it must, or the log begins later than `after`.
        SealedError: a value cannot be decrypted.
    """
    starts = segment_starts(disk, folder, segments)
    needed = [name for at, name in enumerate(segments) if at + 1 == len(segments) or starts[segments[at + 1]] > after]
    if not needed:
        return LogEnd(revision=after)
    if starts[needed[0]] > after:
        raise LogFaultError(f"the log begins after revision {starts[needed[0]]}: nothing leads there from {after}")
    end = LogEnd(next_seq=needed[0].seq)
    for name in needed:
        if name.seq != end.next_seq:
            return _damaged(end, f"the segment of the log that begins with record {end.next_seq} is missing")
        end, more = _read_segment(disk, folder / str(name), name, end, unseal, take)
        if end.damage or not more:
            return end
        if end.torn and name != needed[-1]:
            return _damaged(end, f"{folder / str(name)} is cut off at byte {end.end}, and another segment follows")
    return end


def _read_segment(
    disk: Disk, path: Path, name: SegmentName, before: LogEnd, unseal: Unseal, take: Take
) -> tuple[LogEnd, bool]:
    """Return where the log ends with this segment, and whether more is wanted."""
    data = _read(disk, path)
    first = _first_record(name, data)
    scan = scan_segment(data, name.seq)
    del data
    end = LogEnd(
        name,
        scan.end,
        scan.next_seq,
        first.revision,
        scan.torn,
        f"{path} is damaged at byte {scan.corrupt_at}, in a record that had been flushed"
        if scan.corrupt_at is not None
        else "",
        before.size_bytes + scan.end,
        first.version,
    )
    left = list(reversed(scan.records[1:]))
    del scan
    revision = first.revision
    while left:
        # Each record is let go before the next is taken, so that what is kept of it takes its place in memory.
        transaction = decode_transaction(left.pop().payload, unseal)
        if not take(transaction):
            return replace(end, revision=revision, damage=""), False
        revision = transaction.revision
    return replace(end, revision=revision), True


def _damaged(end: LogEnd, damage: str) -> LogEnd:
    return replace(end, damage=damage)


def _first_record(name: SegmentName, data: bytes) -> Segment:
    record = read_first(data[:_FIRST_RECORD_BYTES], name.seq)
    if record is None or record.type is not RecordType.SEGMENT:
        raise LogFaultError(f"{name} does not begin with the record that is due")
    said = decode_segment(record.payload)
    if said.version not in FORMATS_READ:
        raise LogFaultError(f"{name} has format {said.version}; this program reads {FORMATS_READ}")
    if said.epoch != name.epoch:
        raise LogFaultError(f"{name} was written as a part of epoch {said.epoch}")
    return said


def _read(disk: Disk, path: Path, length: int | None = None) -> bytes:
    file = disk.open(path)
    try:
        return file.read_at(0, file.size if length is None else length)
    finally:
        file.close()
