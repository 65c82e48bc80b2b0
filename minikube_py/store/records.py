"""The log's records as bytes, and what a damaged log means; pure.

A record is a header of 24 bytes, a payload, and zeros up to the next multiple of 8:

    magic u16 | type u8 | flags u8 | payload length u32 | seq u64 | place u32 | crc u32        (little endian)

`seq` counts records from 1 without a gap over all segments. Records are written in batches, one write and one flush
each; `place` is a record's place in its batch, and the last record of a batch has BATCH_END. The crc (CRC-32 of zlib:
no CRC-32C in the standard library, and its strength is the same) covers the header before it and the payload. A
segment ends where only zeros follow.

What a bad record means (../shared/reference/state.md 5.3, rules 4 and 5):
  - A flush that never returned may leave any part of its batch: records cut short, or later ones whole and earlier
    ones missing. Nothing behind the batch exists, since the next one is written only after the flush. So: no valid
    record of a *later* batch behind the hole = torn tail; the batch was acknowledged to nobody and is dropped whole.
  - A valid record of a later batch behind the hole proves that the damaged one had been flushed = corruption; nothing
    may be dropped, a person decides.
Each record has a crc of its own and a seq (no chained crc), because that is what makes the second case visible.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import msgpack  # type: ignore[import-untyped]

from minikube_py.store.interface import Delete, Operation, Put

_HEADER = struct.Struct("<HBBIQII")
_CRC = struct.Struct("<I")
_MAGIC = 0x4B4D
_MAGIC_BYTES = struct.pack("<H", _MAGIC)
HEADER_BYTES = _HEADER.size
ALIGN_BYTES = 8
PAYLOAD_BYTES_MAX = 32 << 20
"""A longer length is damage: no transaction is that large (embedded_store.TRANSACTION_BYTES_MAX)."""
BATCH_END = 1
FORMAT_VERSION = 1


class RecordType(IntEnum):
    """What a payload is."""

    SEGMENT = 1
    """The first record of a segment: format version and the revision before it."""
    TRANSACTION = 2


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read."""

    type: RecordType
    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What a segment holds: whole batches only."""

    records: tuple[Record, ...]
    end: int
    """Where the next batch goes."""
    next_seq: int
    torn: bool = False
    """Bytes of a batch that was never acknowledged stand behind `end`."""
    corrupt_at: int | None = None
    """Where a record is damaged that had been flushed; `records` are those before it."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a TRANSACTION record says: the operations, and the revision that they took."""

    revision: int
    operations: tuple[Operation, ...]


def encode_batch(first_seq: int, payloads: Sequence[tuple[RecordType, bytes]]) -> bytes:
    """Return the bytes of one batch."""
    parts: list[bytes] = []
    last = len(payloads) - 1
    for place, (kind, payload) in enumerate(payloads):
        flags = BATCH_END if place == last else 0
        head = _HEADER.pack(_MAGIC, kind, flags, len(payload), first_seq + place, place, 0)[: -_CRC.size]
        crc = zlib.crc32(payload, zlib.crc32(head))
        padding = b"\0" * (-(HEADER_BYTES + len(payload)) % ALIGN_BYTES)
        parts += (head, _CRC.pack(crc), payload, padding)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class _Found:
    record: Record
    place: int
    ends_batch: bool
    end: int


def scan_segment(data: bytes, first_seq: int) -> Scan:
    """Read a segment from its beginning, whose first record must have `first_seq`."""
    records: list[Record] = []
    batch: list[Record] = []
    at = batch_start = 0
    seq = first_seq
    while (found := _read(data, at)) is not None and found.record.seq == seq and found.place == len(batch):
        batch.append(found.record)
        at, seq = found.end, seq + 1
        if found.ends_batch:
            records += batch
            batch.clear()
            batch_start = at
    batch_seq = seq - len(batch)
    if _later_batch_stands_behind(data, at, batch_seq):
        return Scan(tuple(records), batch_start, batch_seq, corrupt_at=at)
    torn = bool(batch) or bool(data[at:].strip(b"\0"))
    return Scan(tuple(records), batch_start, batch_seq, torn=torn)


def _read(data: bytes, at: int) -> _Found | None:
    """Return the record at `at`, or None when no valid one stands there."""
    if at + HEADER_BYTES > len(data):
        return None
    magic, kind, flags, length, seq, place, crc = _HEADER.unpack_from(data, at)
    start = at + HEADER_BYTES
    if magic != _MAGIC or kind not in _TYPES or length > min(PAYLOAD_BYTES_MAX, len(data) - start):
        return None
    payload = data[start : start + length]
    if zlib.crc32(payload, zlib.crc32(data[at : start - _CRC.size])) != crc:
        return None
    end = start + length
    return _Found(Record(RecordType(kind), seq, payload), place, bool(flags & BATCH_END), end + -end % ALIGN_BYTES)


_TYPES = frozenset(int(kind) for kind in RecordType)


def _later_batch_stands_behind(data: bytes, hole: int, batch_seq: int) -> bool:
    at = data.find(_MAGIC_BYTES, hole)
    while at >= 0:
        if at % ALIGN_BYTES == 0:
            found = _read(data, at)
            if found is not None and found.record.seq - found.place > batch_seq:
                return True
        at = data.find(_MAGIC_BYTES, at + 1)
    return False


def encode_segment(revision: int) -> bytes:
    """Return the payload of a SEGMENT record: `revision` is the newest before the segment."""
    return bytes(msgpack.packb([FORMAT_VERSION, revision]))


def decode_segment(payload: bytes) -> tuple[int, int]:
    """Return (format version, revision before the segment)."""
    version, revision = msgpack.unpackb(payload)
    return int(version), int(revision)


def encode_transaction(revision: int, operations: Sequence[Operation]) -> bytes:
    """Return the payload of a TRANSACTION record; expectations were checked and are not kept."""
    pairs = [(operation.key, operation.value if isinstance(operation, Put) else None) for operation in operations]
    return bytes(msgpack.packb([revision, pairs]))


def decode_transaction(payload: bytes) -> Transaction:
    """Return what encode_transaction was given, with `expect` None: values stay bytes, nothing is parsed."""
    revision, pairs = msgpack.unpackb(payload)
    operations = tuple(Delete(key, None) if value is None else Put(key, value, None) for key, value in pairs)
    return Transaction(revision, operations)
