"""The files of a store's folder by name, and which of them make up its state; pure.

    <epoch, 8 hex digits>-<seq of the first record, 16 hex digits>.log        a segment of the log
    <epoch, 8 hex digits>-<revision, 16 hex digits>.snapshot                  the whole state at a revision
    *.tmp                                                                     not finished, swept away at a start
    *.broken                                                                  a torn tail that was cut off the log
    lock                                                                      held by the process that uses the folder

Only the newest epoch counts. A restore begins the next one with a single file, its first snapshot, so it takes place
with one rename: before it the old state is whole, after it the new one is. What it replaced stays until the new
epoch has made enough snapshots of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

LOCK = "lock"
_LOG, _SNAPSHOT = ".log", ".snapshot"


class UnknownFileError(ValueError):
    """A file that looks like a part of a store and is none of this format."""


class SegmentName(NamedTuple):
    """A segment of the log."""

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch:08x}-{self.seq:016x}{_LOG}"


class SnapshotName(NamedTuple):
    """A snapshot."""

    epoch: int
    revision: int

    def __str__(self) -> str:
        return f"{self.epoch:08x}-{self.revision:016x}{_SNAPSHOT}"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a folder holds, sorted: the oldest first."""

    segments: tuple[SegmentName, ...] = ()
    snapshots: tuple[SnapshotName, ...] = ()
    leftovers: tuple[str, ...] = ()
    """Files that were never finished."""

    @property
    def epoch(self) -> int:
        """The newest epoch; 1 when there is nothing yet."""
        return max(self.epochs, default=1)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that there are files of, the newest first."""
        epochs = {segment.epoch for segment in self.segments} | {snapshot.epoch for snapshot in self.snapshots}
        return tuple(sorted(epochs, reverse=True))

    def of_epoch(self, epoch: int) -> "Layout":
        """Return the files of one epoch."""
        return Layout(
            tuple(name for name in self.segments if name.epoch == epoch),
            tuple(name for name in self.snapshots if name.epoch == epoch),
        )


def parse_layout(names: Iterable[str]) -> Layout:
    """Return what the files of these names are.

    Raises:
        UnknownFileError: one looks like a log or a snapshot and has no name of ours.
    """
    segments: list[SegmentName] = []
    snapshots: list[SnapshotName] = []
    leftovers: list[str] = []
    for name in names:
        if name.endswith(_LOG):
            segments.append(SegmentName(*_numbers(name, _LOG)))
        elif name.endswith(_SNAPSHOT):
            snapshots.append(SnapshotName(*_numbers(name, _SNAPSHOT)))
        elif name.endswith(".tmp"):
            leftovers.append(name)
    return Layout(tuple(sorted(segments)), tuple(sorted(snapshots)), tuple(sorted(leftovers)))


def parse_snapshot_name(name: str) -> SnapshotName:
    """Return the snapshot of this name.

    Raises:
        UnknownFileError: it is no such name.
    """
    if not name.endswith(_SNAPSHOT):
        raise UnknownFileError(f"{name} is no name of a snapshot")
    return SnapshotName(*_numbers(name, _SNAPSHOT))


def _numbers(name: str, suffix: str) -> tuple[int, int]:
    epoch, dash, number = name.removesuffix(suffix).partition("-")
    try:
        numbers = int(epoch, 16), int(number, 16)
    except ValueError:
        raise UnknownFileError(f"{name} is no file of this version of the store") from None
    if not dash or len(epoch) != 8 or len(number) != 16:
        raise UnknownFileError(f"{name} is no file of this version of the store")
    return numbers
