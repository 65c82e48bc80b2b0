"""The file's shape: the stub (an ELF program), archives compressed with xz, and a trailer that names them.

Archives are separate xz streams one behind another, so that the part which changes seldom is compressed once. Equal
trees give equal bytes: times, owners and order are fixed.
"""

import hashlib
import io
import lzma
import struct
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"MKPYFILE"
_TRAILER = struct.Struct("<8sQ16s")
"""Magic, the payload's size in bytes, the runtime's name. `stub.c` reads the same."""
TIME_S = 1_000_000_000
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 32 * 2**20}]
"""A host of little memory unpacks it too: the dictionary is what unpacking takes."""


class NotOneFileError(ValueError):
    """The file was not made by this program, or is cut short."""


@dataclass(frozen=True, slots=True)
class OneFile:
    """The parts of a built file."""

    stub: bytes
    payload: bytes
    name: str


def pack(tree: Path) -> bytes:
    """Return a folder's content as a compressed archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, arcname=str(path.relative_to(tree)), recursive=False, filter=_same_everywhere)
    return lzma.compress(packed.getvalue(), check=lzma.CHECK_CRC64, filters=FILTERS)


def _same_everywhere(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = TIME_S
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def join(stub: bytes, archives: Sequence[bytes]) -> bytes:
    """Return the file's bytes."""
    payload = b"".join(archives)
    name = hashlib.sha256(payload).hexdigest()[:16]
    return stub + payload + _TRAILER.pack(MAGIC, len(payload), name.encode())


def split(file: bytes) -> OneFile:
    """Return the parts of a built file.

    Raises:
        NotOneFileError: it is none.
    """
    magic, size, name = _TRAILER.unpack(file[-_TRAILER.size :]) if len(file) > _TRAILER.size else (b"", 0, b"")
    start = len(file) - _TRAILER.size - size
    if magic != MAGIC or start <= 0:
        raise NotOneFileError("this is not a file that scripts/build-binary made, or its end is missing")
    return OneFile(file[:start], file[start : -_TRAILER.size], name.decode())


def unpack(payload: bytes, target: Path) -> None:
    """Write the payload's archives into a folder."""
    # Like the stub: the archives' end marks are passed over.
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(payload)), ignore_zeros=True) as archive:
        archive.extractall(target, filter="data")
