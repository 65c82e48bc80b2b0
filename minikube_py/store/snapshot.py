"""A snapshot as bytes: the whole state at one revision, so that the log before it need not be read; pure.

    frame = type u8 | zeros (3) | payload length u32 | crc u32 (of what stands before it, and the payload) | payload
    snapshot = HEADER, ENTRIES…, END

HEADER says what it is, ENTRIES hold [key, create revision, mod revision, value as sealed] in the order of keys by
chance only, END holds how many entries there are and the SHA-256 of every byte before it. So a block that is missing,
twice, or of another file is seen, and so is a file that ends too early. Nothing is compressed: the start is to be
quick, and Secrets are ciphertext.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import msgpack  # type: ignore[import-untyped]

from minikube_py.store.interface import Entry
from minikube_py.store.records import Seal

SNAPSHOT_VERSION = 1
BLOCK_ENTRIES_MAX = 128
"""Entries of one frame: some 0.25 MB, packed by the event loop in a fifth of a millisecond."""
BLOCK_BYTES_MAX = 1 << 19
"""A frame is closed when its values have so many bytes."""
FRAME_BYTES_MAX = 1 << 30
_MAGIC = b"minikube-py snapshot\n"
_FRAME = struct.Struct("<B3xI")
_CRC = struct.Struct("<I")
FRAME_HEAD_BYTES = _FRAME.size + _CRC.size

Read = Callable[[int], bytes]
"""Return the next so many bytes of a file, fewer only at its end."""


class SnapshotDamagedError(ValueError):
    """The file is no whole, undamaged snapshot; the text says what is wrong."""


class _Frame(IntEnum):
    HEADER = 1
    ENTRIES = 2
    END = 3


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot says of itself."""

    epoch: int
    revision: int
    wall_s: float
    """When it was taken, in seconds since the Unix epoch."""
    entries: int
    key_ids: tuple[str, ...] = ()
    """The encryption keys that are needed to read it."""
    reason: str = "schedule"
    """Why it was taken: schedule, request, restore, rotate."""


class SnapshotEncoder:
    """Makes the bytes of a snapshot, piece by piece.

    `pack` is what needs the interpreter, and short; `frame` is what may go on in another thread beside it.
    """

    def __init__(self, header: SnapshotHeader, seal: Seal) -> None:
        self._header = header
        self._seal = seal
        self._hash = hashlib.sha256()
        self._count = 0

    def begin(self) -> bytes:
        """Return what the file begins with."""
        header = self._header
        fields = {
            "version": SNAPSHOT_VERSION,
            "epoch": header.epoch,
            "revision": header.revision,
            "wall_ms": int(header.wall_s * 1000),
            "entries": header.entries,
            "key_ids": list(header.key_ids),
            "reason": header.reason,
        }
        piece = _MAGIC + b"".join(_frame(_Frame.HEADER, msgpack.packb(fields)))
        self._hash.update(piece)
        return piece

    def pack(self, block: Sequence[Entry]) -> bytes:
        """Return the entries of a block (see `blocks`) as a payload."""
        self._count += len(block)
        seal = self._seal
        rows = [(e.key, e.create_revision, e.mod_revision, seal(e.key, e.value)) for e in block]
        return bytes(msgpack.packb(rows))

    def frame(self, payload: bytes) -> tuple[bytes, bytes]:
        """Return the payload with the head that belongs before it; in the order of the payloads."""
        head, payload = _frame(_Frame.ENTRIES, payload)
        self._hash.update(head)
        self._hash.update(payload)
        return head, payload

    def end(self) -> bytes:
        """Return what the file ends with."""
        assert self._count == self._header.entries, "the header says another number of entries"
        return b"".join(_frame(_Frame.END, msgpack.packb([self._count, self._hash.digest()])))


def blocks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries in the blocks that a snapshot has."""
    block: list[Entry] = []
    size_bytes = 0
    for entry in entries:
        block.append(entry)
        size_bytes += len(entry.value)
        if len(block) == BLOCK_ENTRIES_MAX or size_bytes >= BLOCK_BYTES_MAX:
            yield block
            block, size_bytes = [], 0
    if block:
        yield block


def _frame(kind: _Frame, payload: bytes) -> tuple[bytes, bytes]:
    head = _FRAME.pack(kind, len(payload))
    return head + _CRC.pack(zlib.crc32(payload, zlib.crc32(head))), payload


def read_header(read: Read) -> SnapshotHeader:
    """Return the header alone.

    Raises:
        SnapshotDamagedError: there is none, or it is of another format.
    """
    return _Reader(read).header()


def read_snapshot(read: Read, unseal: Seal, take: Callable[[Sequence[Entry]], None]) -> SnapshotHeader:
    """Read a whole snapshot, handing its entries to `take` block by block; only when this returns do they count.

    Raises:
        SnapshotDamagedError: it is not whole and undamaged.
        SealedError: a value cannot be decrypted.
    """
    taken = 0

    def unpack(payload: bytes) -> None:
        nonlocal taken
        rows = msgpack.unpackb(payload)
        taken += len(rows)
        take([Entry(key, unseal(key, value), created, modified) for key, created, modified, value in rows])

    header = _read_frames(read, unpack)
    if taken != header.entries:
        raise SnapshotDamagedError("the entries are not those that it was made with")
    return header


def verify_snapshot(read: Read) -> SnapshotHeader:
    """Read a whole snapshot for its checksums alone: many objects are not made, so no collection stops the loop.

    Raises:
        SnapshotDamagedError: it is not whole and undamaged.
    """
    return _read_frames(read, lambda _payload: None)


def _read_frames(read: Read, take: Callable[[bytes], None]) -> SnapshotHeader:
    reader = _Reader(read)
    header = reader.header()
    while True:
        digest = reader.hash.digest()
        kind, payload = reader.frame()
        if kind is _Frame.END:
            break
        if kind is not _Frame.ENTRIES:
            raise SnapshotDamagedError("a second header stands among the entries")
        take(payload)
    if msgpack.unpackb(payload) != [header.entries, digest]:
        raise SnapshotDamagedError("the entries are not those that it was made with")
    if read(1):
        raise SnapshotDamagedError("something follows its end")
    return header


class _Reader:
    def __init__(self, read: Read) -> None:
        self._read = read
        self.hash = hashlib.sha256()

    def header(self) -> SnapshotHeader:
        magic = self._read(len(_MAGIC))
        if magic != _MAGIC:
            raise SnapshotDamagedError("it does not begin as a snapshot")
        self.hash.update(magic)
        kind, payload = self.frame()
        if kind is not _Frame.HEADER:
            raise SnapshotDamagedError("it does not begin with a header")
        fields = msgpack.unpackb(payload)
        if fields.get("version") != SNAPSHOT_VERSION:
            raise SnapshotDamagedError(
                f"it has format {fields.get('version')}; this program reads {SNAPSHOT_VERSION}"
            )
        return SnapshotHeader(
            fields["epoch"],
            fields["revision"],
            fields["wall_ms"] / 1000,
            fields["entries"],
            tuple(fields["key_ids"]),
            fields["reason"],
        )

    def frame(self) -> tuple[_Frame, bytes]:
        head = self._read(FRAME_HEAD_BYTES)
        if len(head) < FRAME_HEAD_BYTES:
            raise SnapshotDamagedError("it ends too early")
        kind, length = _FRAME.unpack_from(head)
        (crc,) = _CRC.unpack_from(head, _FRAME.size)
        if length > FRAME_BYTES_MAX:
            raise SnapshotDamagedError("a block has an impossible length")
        payload = self._read(length)
        if len(payload) < length:
            raise SnapshotDamagedError("it ends too early")
        if zlib.crc32(payload, zlib.crc32(head[: _FRAME.size])) != crc:
            raise SnapshotDamagedError("a block is damaged")
        self.hash.update(head)
        self.hash.update(payload)
        return _Frame(kind), payload
