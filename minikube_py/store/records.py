"""The log's records as bytes, and what a damaged log means; pure.

A record is a header of 24 bytes, a payload, an end mark, and zeros up to the next multiple of 8:

    magic u16 | type u8 | flags u8 | payload length u32 | seq u64 | place u16 | head crc u16 | crc u32    (LE)

`seq` counts records from 1 without a gap over all segments. Records are written in batches, one write and one flush
each; `place` is a record's place in its batch, and the last record of a batch has BATCH_END. The crc is CRC-32C over
the fields before the head crc, and the payload; the head crc is the low half of the CRC-32C of the fields alone, so
that a length can be believed though the payload is damaged. The end mark is not zero, so that a record that was
written whole is seen to be. A segment ends where only zeros follow.

The magic tells the format, and all records of a segment have one: format 2 had CRC-32 (zlib) over everything before
the crc and CRC-16 as head crc. It is still read; a log that ends in it goes on in a new segment.

What a bad record means (../shared/reference/state.md 5.3, rules 4 and 5):
  - A flush that never returned may leave any part of its batch. Space is written ahead as zeros, so what is missing
    reads as zeros: a sector of zeros inside the batch, or the end of it. Nothing behind the batch exists, since the
    next one is written only after the flush. That is a torn tail: acknowledged to nobody, and dropped whole.
  - A valid record of a later batch behind the hole proves that the damaged one had been flushed; so does a damaged
    record of which nothing is missing. That is corruption: nothing may be dropped, a person decides.
Each record has a crc of its own and a seq (no chained crc), because that is what makes the second case visible.
"""

import struct
import zlib
from binascii import crc_hqx
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import google_crc32c
import msgpack  # type: ignore[import-untyped]

from minikube_py.store.interface import Delete, Operation, Put

_HEADER = struct.Struct("<HBBIQHHI")
_FIELDS = struct.Struct("<HBBIQH")
_CRCS = struct.Struct("<HI")
_END_MARK = 0xA5
SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""
_MAGIC = 0x4B4E
_MAGIC_OF_2 = 0x4B4D
HEADER_BYTES = _HEADER.size
ALIGN_BYTES = 8
PAYLOAD_BYTES_MAX = 32 << 20
"""A longer length is damage: no transaction is that large (embedded_store.TRANSACTION_BYTES_MAX)."""
BATCH_END = 1
FORMAT_VERSION = 3
FORMATS_READ = (2, 3)

Seal = Callable[[str, bytes], bytes]
"""Make a key's value ready for the disk, or the other way round: (key, value) -> value. See store.encryption."""


def plain(_key: str, value: bytes) -> bytes:
    """Return the value as it is: the Seal of a store without encryption."""
    return value


class RecordType(IntEnum):
    """What a payload is."""

    SEGMENT = 1
    """The first record of a segment: see Segment."""
    TRANSACTION = 2


class Record(NamedTuple):
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


class Transaction(NamedTuple):
    """What a TRANSACTION record says: the operations, and the revision that they took."""

    revision: int
    operations: tuple[Operation, ...]
    wall_s: float = 0.0
    """When it was written, in seconds since the Unix epoch: for people who restore to a time."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What the first record of a segment says of the segment."""

    version: int
    epoch: int
    revision: int
    """The newest before the segment."""


_extend: Callable[[int, bytes], int] = google_crc32c.extend
_PADDINGS = tuple(b"\xa5" + bytes(-(length + 1) % ALIGN_BYTES) for length in range(ALIGN_BYTES))
"""The end mark with its zeros, by the payload's length modulo ALIGN_BYTES (a header is a multiple of it)."""


def encode_batch(first_seq: int, payloads: Sequence[tuple[RecordType, bytes]]) -> bytes:
    """Return the bytes of one batch."""
    parts: list[bytes] = []
    last = len(payloads) - 1
    for place, (kind, payload) in enumerate(payloads):
        length = len(payload)
        fields = _FIELDS.pack(_MAGIC, kind, BATCH_END if place == last else 0, length, first_seq + place, place)
        crc = _extend(0, fields)
        parts += (fields, _CRCS.pack(crc & 0xFFFF, _extend(crc, payload)), payload, _PADDINGS[length % ALIGN_BYTES])
    return b"".join(parts)


class _Format(NamedTuple):
    """How the records of one format are told apart from others, and checked."""

    magic: int
    crcs: Callable[[bytes, bytes], tuple[int, int]]
    """(a header, its payload) -> the head crc and the crc."""


def _crcs(header: bytes, payload: bytes) -> tuple[int, int]:
    crc = _extend(0, header[:18])
    return crc & 0xFFFF, _extend(crc, payload)


def _crcs_of_format_2(header: bytes, payload: bytes) -> tuple[int, int]:
    return crc_hqx(header[:18], 0), zlib.crc32(payload, zlib.crc32(header[:20]))


_NEWEST = _Format(_MAGIC, _crcs)
_FORMAT_2 = _Format(_MAGIC_OF_2, _crcs_of_format_2)


class _Found(NamedTuple):
    record: Record
    place: int
    ends_batch: bool
    end: int


def read_first(data: bytes, seq: int) -> Record | None:
    """Return the first record of a segment, of which `data` is the beginning; None when it is not whole or due."""
    found = _read(_format_of(data), data, 0)
    return found.record if found is not None and found.record.seq == seq and found.ends_batch else None


def _format_of(data: bytes) -> _Format:
    return _FORMAT_2 if data.startswith(_MAGIC_OF_2.to_bytes(2, "little")) else _NEWEST


def scan_segment(data: bytes, first_seq: int) -> Scan:
    """Read a segment from its beginning, whose first record must have `first_seq`."""
    form = _format_of(data)
    records: list[Record] = []
    batch: list[Record] = []
    at = batch_start = 0
    seq = first_seq
    while (found := _read(form, data, at)) is not None and found.record.seq == seq and found.place == len(batch):
        batch.append(found.record)
        at, seq = found.end, seq + 1
        if found.ends_batch:
            records += batch
            batch.clear()
            batch_start = at
    batch_seq = seq - len(batch)
    whole = tuple(records)
    written = batch_start + len(data[batch_start:].rstrip(b"\0"))
    if written <= batch_start:
        return Scan(whole, batch_start, batch_seq)
    if _later_batch_stands_behind(form, data, at, batch_seq) or not _is_torn(form, data, (batch_start, at), written):
        return Scan(whole, batch_start, batch_seq, corrupt_at=at)
    return Scan(whole, batch_start, batch_seq, torn=True)


def _is_torn(form: _Format, data: bytes, places: tuple[int, int], written: int) -> bool:
    """Return whether a part of the record at the second place is missing; else it is all there, and damaged.

    Args:
        form: the segment's format.
        data: the segment.
        places: where the batch begins, and where its record that cannot be read does.
        written: what lies behind was never written.
    """
    batch_start, hole = places
    head_end = hole + HEADER_BYTES
    if written < head_end or _misses_a_sector(data, batch_start, (hole, head_end), written):
        return True
    length = _length_at(form, data, hole)
    if length is None:
        return False
    end = head_end + length + 1
    return end > written or _misses_a_sector(data, batch_start, (hole, end), written)


def _misses_a_sector(data: bytes, batch_start: int, span: tuple[int, int], written: int) -> bool:
    """Return whether a sector in which a part of the span lies holds nothing that the batch wrote there."""
    for start in range(span[0] - span[0] % SECTOR_BYTES, span[1], SECTOR_BYTES):
        if not data[max(start, batch_start) : min(start + SECTOR_BYTES, written)].strip(b"\0"):
            return True
    return False


def _length_at(form: _Format, data: bytes, at: int) -> int | None:
    """Return the payload length of the record at `at` when its header is undamaged."""
    magic, _, _, length, _, _, head_crc, _ = _HEADER.unpack_from(data, at)
    if magic != form.magic or form.crcs(data[at : at + HEADER_BYTES], b"")[0] != head_crc:
        return None
    return int(length)


def _read(form: _Format, data: bytes, at: int) -> _Found | None:
    """Return the record at `at`, or None when no valid one stands there."""
    start = at + HEADER_BYTES
    if start > len(data):
        return None
    magic, kind, flags, length, seq, place, head_crc, crc = _HEADER.unpack_from(data, at)
    end = start + length
    if magic != form.magic or kind not in _TYPES or length > min(PAYLOAD_BYTES_MAX, len(data) - start - 1):
        return None
    payload = data[start:end]
    if form.crcs(data[at:start], payload) != (head_crc, crc) or data[end] != _END_MARK:
        return None
    end += 1
    return _Found(Record(_TYPES[kind], seq, payload), place, bool(flags & BATCH_END), end + -end % ALIGN_BYTES)


_TYPES = {int(kind): kind for kind in RecordType}


def _later_batch_stands_behind(form: _Format, data: bytes, hole: int, batch_seq: int) -> bool:
    magic = form.magic.to_bytes(2, "little")
    at = data.find(magic, hole)
    while at >= 0:
        if at % ALIGN_BYTES == 0:
            found = _read(form, data, at)
            if found is not None and found.record.seq - found.place > batch_seq:
                return True
        at = data.find(magic, at + 1)
    return False


def encode_segment(epoch: int, revision: int) -> bytes:
    """Return the payload of a SEGMENT record."""
    return bytes(msgpack.packb([FORMAT_VERSION, epoch, revision]))


def decode_segment(payload: bytes) -> Segment:
    """Return what a SEGMENT record says; of another format only the version.

    Raises:
        ValueError: it is no such payload.
    """
    fields = msgpack.unpackb(payload)
    if fields[0] not in FORMATS_READ:
        return Segment(int(fields[0]), 0, 0)
    version, epoch, revision = fields
    return Segment(int(version), int(epoch), int(revision))


def encode_transaction(revision: int, operations: Sequence[Operation], wall_s: float, seal: Seal = plain) -> bytes:
    """Return the payload of a TRANSACTION record; expectations were checked and are not kept."""
    pairs = [(op.key, seal(op.key, op.value) if isinstance(op, Put) else None) for op in operations]
    payload: bytes = _pack([revision, int(wall_s * 1000), pairs])
    return payload


_pack = msgpack.Packer(autoreset=True).pack
_unpack = msgpack.unpackb


def decode_transaction(payload: bytes, unseal: Seal = plain) -> Transaction:
    """Return what encode_transaction was given, with `expect` None: values stay bytes, nothing is parsed."""
    revision, wall_ms, pairs = _unpack(payload)
    operations = tuple(
        [Delete(key, None) if value is None else Put(key, unseal(key, value), None) for key, value in pairs]
    )
    return Transaction(revision, operations, wall_ms / 1000)
