"""Logs as earlier programs wrote them, so that tests can show that they are still read.

Format 2 (until November 2026): another magic, CRC-32 of zlib over all that stands before it and the payload, and
CRC-16 (CCITT) as the head crc.
"""

import struct
import zlib
from binascii import crc_hqx
from collections.abc import Sequence

import msgpack  # type: ignore[import-untyped]

from minikube_py.store.records import ALIGN_BYTES, BATCH_END, RecordType

_FIELDS = struct.Struct("<HBBIQH")
_MAGIC = 0x4B4D


def encode_batch_of_format_2(first_seq: int, payloads: Sequence[tuple[RecordType, bytes]]) -> bytes:
    """Return the bytes of one batch."""
    content = b""
    for place, (kind, payload) in enumerate(payloads):
        flags = BATCH_END if place == len(payloads) - 1 else 0
        head = _FIELDS.pack(_MAGIC, kind, flags, len(payload), first_seq + place, place)
        head += crc_hqx(head, 0).to_bytes(2, "little")
        record = head + zlib.crc32(head + payload).to_bytes(4, "little") + payload + b"\xa5"
        content += record + bytes(-len(record) % ALIGN_BYTES)
    return content


def segment_of_format_2(seq: int, epoch: int, revision: int, batches: Sequence[Sequence[bytes]]) -> bytes:
    """Return a segment with these TRANSACTION payloads, batch by batch."""
    content = encode_batch_of_format_2(seq, [(RecordType.SEGMENT, msgpack.packb([2, epoch, revision]))])
    seq += 1
    for batch in batches:
        content += encode_batch_of_format_2(seq, [(RecordType.TRANSACTION, payload) for payload in batch])
        seq += len(batch)
    return content
