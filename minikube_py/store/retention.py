"""When a snapshot is due, and which files may go; pure.

An idle cluster writes nothing: without a change there is no snapshot, however much time passes. The log is kept back
to the oldest kept snapshot, so that a restore can go to any revision since then, and a damaged snapshot has one
before it that the log leads on from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.store.layout import Layout, SegmentName, SnapshotName

SNAPSHOTS_KEPT_MIN = 2
"""Fewer are never kept by a schedule: the newest may turn out to be damaged."""


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """When snapshots are taken and how many are kept."""

    log_bytes_max: int = 64 << 20
    records_max: int = 50_000
    """Records behind the newest snapshot: the start reads them all, at some 100,000 a second."""
    age_s: float = 6 * 3600.0
    """A change is in a snapshot after this time at the latest."""
    kept: int = 5
    retry_s: float = 60.0
    """How long to wait after a snapshot that could not be written."""


@dataclass(frozen=True, slots=True)
class Since:
    """What came after the newest snapshot."""

    log_bytes: int
    records: int
    age_s: float


def is_due(policy: SnapshotPolicy, since: Since) -> bool:
    """Return whether a snapshot is to be taken now."""
    if since.records == 0:
        return False
    return (
        since.log_bytes >= policy.log_bytes_max or since.records >= policy.records_max or since.age_s >= policy.age_s
    )


@dataclass(frozen=True, slots=True)
class Removal:
    """Files that are not needed any more: first the snapshots go, then the log between them, oldest first."""

    snapshots: tuple[SnapshotName, ...] = ()
    segments: tuple[SegmentName, ...] = ()


def compute_removal(layout: Layout, starts: Mapping[SegmentName, int], kept: int) -> Removal:
    """Return what may go when the `kept` newest snapshots of the newest epoch stay (they have been verified).

    Args:
        layout: all files.
        starts: for each segment of the newest epoch, the newest revision before it.
        kept: how many snapshots stay, at least 1.
    """
    epoch = layout.epoch
    ours = layout.of_epoch(epoch)
    if len(ours.snapshots) < kept:
        return Removal()
    going = ours.snapshots[:-kept]
    oldest = ours.snapshots[-kept].revision
    # A segment is needed until the one after it begins at or before the oldest kept snapshot.
    after = zip(ours.segments, ours.segments[1:], strict=False)
    behind = tuple(segment for segment, following in after if starts[following] <= oldest)
    old = tuple(name for name in layout.segments if name.epoch < epoch)
    old_snapshots = tuple(name for name in layout.snapshots if name.epoch < epoch)
    return Removal((*old_snapshots, *going), (*old, *behind))
