"""A disk in memory that fails as disks do (store.disk.Disk): power cuts, lost sectors, flipped bits, no room, errors.

What was written is seen at once by whoever reads; it is durable only after `sync`, and a name only after
`sync_folder`. `after_power_cut` returns the disk as the next start finds it: of what was not flushed, any sectors and
any beginning of the sequence of renames may be there. A failed flush loses what it was to write though reads still
see it (the kernel marks the pages clean).
"""

import errno
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR_BYTES = 512


class PowerCutError(OSError):
    """The power is gone; nothing works any more."""


@dataclass(slots=True)
class _Inode:
    current: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes] | int] = field(default_factory=list)
    """Writes (offset, data) and truncations (size) since the last flush."""


@dataclass(slots=True)
class Faults:
    """What is to go wrong."""

    cut_after_bytes: int | None = None
    """The power goes when so many bytes were written, in the middle of a write if need be."""
    cut_at_operation: int | None = None
    errors: Mapping[int, int] = field(default_factory=dict)
    """errno by the number of the operation that fails."""
    capacity_bytes: int = 1 << 40
    stall: threading.Event | None = None
    """A flush waits for it."""


class SimFile:
    """An open file of a SimDisk."""

    def __init__(self, disk: "SimDisk", inode: _Inode) -> None:
        self._disk = disk
        self._inode = inode

    @property
    def size(self) -> int:
        """The file's length."""
        return len(self._inode.current)

    def write_at(self, data: bytes, offset: int) -> None:
        """Write, or a part of it before something goes wrong."""
        self._disk.write(self._inode, data, offset)

    def write_through(self, data: bytes, offset: int) -> None:
        """Write and flush; the power may go between the two."""
        self._disk.write(self._inode, data, offset)
        self._disk.sync(self._inode)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return what was written, durable or not."""
        self._disk.check_power()
        return bytes(self._inode.current[offset : offset + length])

    def truncate(self, size: int) -> None:
        """Cut the file off."""
        self._disk.operation()
        del self._inode.current[size:]
        self._inode.pending.append(size)

    def sync(self) -> None:
        """Make it durable."""
        self._disk.sync(self._inode)

    def close(self) -> None:
        """Do nothing."""


class SimDisk:
    """Files by path."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.operations = 0
        self.bytes_written = 0
        self.is_off = False
        self._names: dict[str, _Inode] = {}
        self._durable_names: dict[str, _Inode] = {}
        self._name_changes: list[Callable[[dict[str, _Inode]], None]] = []

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder."""
        self.check_power()
        prefix = f"{folder}/"
        rests = [path[len(prefix) :] for path in self._names if path.startswith(prefix)]
        return sorted(rest for rest in rests if "/" not in rest)

    def open(self, path: Path) -> SimFile:
        """Open an existing file."""
        self.check_power()
        inode = self._names.get(str(path))
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return SimFile(self, inode)

    def create(self, path: Path) -> SimFile:
        """Make an empty file."""
        self.operation()
        inode = _Inode()
        name = str(path)
        self._change(lambda names: names.update({name: inode}))
        return SimFile(self, inode)

    def rename(self, path: Path, new: Path) -> None:
        """Rename."""
        self.operation()

        def change(names: dict[str, _Inode]) -> None:
            if str(path) in names:
                names[str(new)] = names.pop(str(path))

        self._change(change)

    def remove(self, path: Path) -> None:
        """Remove."""
        self.operation()

        def change(names: dict[str, _Inode]) -> None:
            names.pop(str(path), None)

        self._change(change)

    def sync_folder(self, folder: Path) -> None:
        """Make the names durable."""
        self.operation()
        self._durable_names = dict(self._names)
        self._name_changes.clear()

    def free_bytes(self, folder: Path) -> int:
        """Return the room that is left."""
        self.check_power()
        return max(0, self.faults.capacity_bytes - self._used())

    def write(self, inode: _Inode, data: bytes, offset: int) -> None:
        """Write to a file, as far as the power and the room go."""
        self.operation()
        growth = max(0, offset + len(data) - len(inode.current))
        room = self.faults.capacity_bytes - self._used()
        kept, error = len(data), None
        if growth > room:
            kept, error = len(data) - (growth - max(0, room)), OSError(errno.ENOSPC, "No space left on device")
        cut = self.faults.cut_after_bytes
        if cut is not None and self.bytes_written + kept > cut:
            kept, error = cut - self.bytes_written, PowerCutError(errno.EIO, "power cut")
            self.is_off = True
        self.bytes_written += kept
        if kept > 0:
            piece = data[:kept]
            _apply(inode.current, (offset, piece))
            inode.pending.append((offset, piece))
        if error is not None:
            raise error

    def sync(self, inode: _Inode) -> None:
        """Flush a file, or lose what was to be flushed."""
        if self.faults.stall is not None:
            self.faults.stall.wait()
        try:
            self.operation()
        except PowerCutError:
            raise
        except OSError:
            inode.pending.clear()
            raise
        for change in inode.pending:
            _apply(inode.durable, change)
        inode.pending.clear()

    def operation(self) -> None:
        """Count an operation, and fail if it is to fail."""
        self.check_power()
        self.operations += 1
        if self.operations == self.faults.cut_at_operation:
            self.is_off = True
        self.check_power()
        if self.operations in self.faults.errors:
            raise OSError(self.faults.errors[self.operations], "injected fault")

    def check_power(self) -> None:
        """Raise PowerCutError once the power is gone."""
        if self.is_off:
            raise PowerCutError(errno.EIO, "power cut")

    def after_power_cut(self, rng: Random, faults: Faults | None = None) -> "SimDisk":
        """Return the disk as the next start finds it."""
        found = SimDisk(faults)
        names = dict(self._durable_names)
        for change in self._name_changes[: rng.randint(0, len(self._name_changes))]:
            change(names)
        for path, inode in names.items():
            content = bytearray(inode.durable)
            survives = rng.choice((0.0, 0.5, 0.9, 1.0))
            for pending in inode.pending:
                for piece in _sectors(pending):
                    if rng.random() < survives:
                        _apply(content, piece)
            found._names[path] = _Inode(content, bytearray(content))
        found._durable_names = dict(found._names)
        return found

    def contents(self) -> dict[str, bytes]:
        """Return every file as a reader sees it, by name."""
        return {Path(path).name: bytes(inode.current) for path, inode in sorted(self._names.items())}

    def flip_bit(self, name: str, place: int, bit: int) -> None:
        """Change one bit of a file, durably and in silence."""
        (inode,) = (inode for path, inode in self._names.items() if Path(path).name == name)
        inode.current[place] ^= 1 << bit
        inode.durable[place] ^= 1 << bit

    def _change(self, change: Callable[[dict[str, _Inode]], None]) -> None:
        change(self._names)
        self._name_changes.append(change)

    def _used(self) -> int:
        return sum(len(inode.current) for inode in self._names.values())


def _apply(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        return
    offset, data = change
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _sectors(change: tuple[int, bytes] | int) -> list[tuple[int, bytes] | int]:
    """Cut a write into the sectors that a disk writes whole or not at all."""
    if isinstance(change, int):
        return [change]
    offset, data = change
    pieces: list[tuple[int, bytes] | int] = []
    at = 0
    while at < len(data):
        length = min(SECTOR_BYTES - (offset + at) % SECTOR_BYTES, len(data) - at)
        pieces.append((offset + at, data[at : at + length]))
        at += length
    return pieces
