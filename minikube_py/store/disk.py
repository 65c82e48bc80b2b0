"""The disk as the store sees it: the few operations whose order and failures decide what survives; a seam.

Production wires `store.io.local_disk.LocalDisk`; tests wire a disk that loses what was not flushed, tears writes,
flips bits, fills up, fails and stalls (`testing.sim_disk`). Everything here blocks, and raises OSError as the
operating system would.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from minikube_py.store.records import Seal, plain


class DiskFile(Protocol):
    """An open file."""

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        ...

    def write_at(self, data: bytes, offset: int) -> None:
        """Write all of `data`; it is durable only after `sync`."""
        ...

    def write_through(self, data: bytes, offset: int) -> None:
        """Write all of `data` and make it durable (other writes before it may not be). An error is final."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes, fewer at the file's end."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file off at `size`."""
        ...

    def sync(self) -> None:
        """Make what was written durable. An error is final: the kernel may have dropped what it could not write."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Disk(Protocol):
    """Files in folders."""

    def names(self, folder: Path) -> list[str]:
        """Return the names of the files in a folder, sorted; none when it does not exist."""
        ...

    def open(self, path: Path) -> DiskFile:
        """Open an existing file for reading and writing."""
        ...

    def create(self, path: Path) -> DiskFile:
        """Make an empty file, readable by its owner alone, in place of any that is there."""
        ...

    def rename(self, path: Path, new: Path) -> None:
        """Give a file another name, in place of any that has it; durable only after `sync_folder`."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file; fine when it is gone already."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        ...

    def free_bytes(self, folder: Path) -> int:
        """Return how much room there is for files in the folder."""
        ...


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a store lives and how its values look there: the disk, the folder, and the two directions of a Seal."""

    disk: Disk
    folder: Path
    seal: Seal = plain
    unseal: Seal = plain
