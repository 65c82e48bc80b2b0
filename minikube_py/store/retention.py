"""When a snapshot is due, which files may go, and where a start begins; pure.

An idle cluster writes nothing: without a change there is no snapshot, however much time passes. The log is kept back
to the oldest kept snapshot, so that a restore can go to any revision since then, and a damaged snapshot has one
before it that the log leads on from.

A start begins some time before the newest snapshot, so that watches go on from where they were: the log from there on
gives the history. So a snapshot of that time stays too, however many newer ones there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from minikube_py.store.layout import Layout, SegmentName, SnapshotName

_STEPS = 4
"""Of the snapshots that are kept for the history alone there is one for each such part of its age."""


@dataclass(frozen=True, slots=True)
class HistoryBounds:
    """How much history a start brings back: `age_s` before the last write, as far as the two maxima let it.

    They bound what is read of the log when there is a newer snapshot (about half a second's reading); half as much
    again as what comes between two snapshots, so that there is always a snapshot within.
    """

    age_s: float = 300.0
    records_max: int = 75_000
    log_bytes_max: int = 96 << 20


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
    history: HistoryBounds = field(default_factory=HistoryBounds)


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


@dataclass(frozen=True, slots=True)
class StartPoint:
    """Where a start can begin: a snapshot, or the beginning of the log (`name` None)."""

    revision: int
    wall_s: float
    """When it was taken."""
    log_bytes: int = 0
    """What of the log stands behind it."""
    name: SnapshotName | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The newest record of a log."""

    revision: int = 0
    wall_s: float = 0.0


def choose_start(points: Sequence[StartPoint], written: Written, bounds: HistoryBounds) -> StartPoint:
    """Return the newest point from which on the log gives the history, or the oldest within the bounds.

    Args:
        points: at least one, the oldest first.
        written: the newest record.
        bounds: how far back is far enough, and how far at most.
    """
    start = points[-1]
    for point in reversed(points[:-1]):
        if start.wall_s <= written.wall_s - bounds.age_s:
            break
        if written.revision - point.revision > bounds.records_max or point.log_bytes > bounds.log_bytes_max:
            break
        start = point
    return start


@dataclass(frozen=True, slots=True)
class Dated:
    """What there is of the newest epoch, beside names."""

    starts: Mapping[SegmentName, int]
    """For each segment the newest revision before it."""
    wall_s: Mapping[SnapshotName, float]
    """When each snapshot was taken; those that cannot be read are missing."""


def compute_removal(layout: Layout, dated: Dated, kept: int, bounds: HistoryBounds) -> Removal:
    """Return what may go when the `kept` newest snapshots of the newest epoch stay (they have been verified).

    Args:
        layout: all files.
        dated: more about those of the newest epoch.
        kept: how many snapshots stay at least, at least 1.
        bounds: the history that a start must be able to bring back.
    """
    epoch = layout.epoch
    ours = layout.of_epoch(epoch)
    if len(ours.snapshots) < kept:
        return Removal()
    staying = _staying(ours.snapshots, dated, kept, bounds)
    going = tuple(name for name in ours.snapshots if name not in staying)
    oldest = min(staying).revision
    if _needs_the_beginning(min(staying), ours, dated, bounds):
        oldest = 0
    # A segment is needed until the one after it begins at or before the oldest kept snapshot.
    after = zip(ours.segments, ours.segments[1:], strict=False)
    behind = tuple(segment for segment, following in after if dated.starts[following] <= oldest)
    old = tuple(name for name in layout.segments if name.epoch < epoch)
    old_snapshots = tuple(name for name in layout.snapshots if name.epoch < epoch)
    return Removal((*old_snapshots, *going), (*old, *behind))


def _staying(names: Sequence[SnapshotName], dated: Dated, kept: int, bounds: HistoryBounds) -> set[SnapshotName]:
    """Return the newest ones, and before them the first of each slot of time, back to one that is old enough."""
    staying = set(names[-kept:])
    newest = names[-1]
    old_s = dated.wall_s.get(newest, 0.0) - bounds.age_s
    firsts: dict[float, SnapshotName] = {}
    for name in names:
        if name in dated.wall_s:
            firsts.setdefault(dated.wall_s[name] * _STEPS // max(bounds.age_s, 1.0), name)
    for name in sorted({*staying, *firsts.values()} & dated.wall_s.keys(), reverse=True):
        if newest.revision - name.revision > bounds.records_max:
            break
        staying.add(name)
        if dated.wall_s[name] <= old_s:
            break
    return staying


def _needs_the_beginning(oldest: SnapshotName, ours: Layout, dated: Dated, bounds: HistoryBounds) -> bool:
    """Return whether only the log's beginning is old enough to start from."""
    newest = ours.snapshots[-1]
    age_s = dated.wall_s.get(newest, 0.0) - dated.wall_s.get(oldest, float("-inf"))
    return age_s < bounds.age_s and newest.revision <= bounds.records_max


def free_most(layout: Layout, starts: Mapping[SegmentName, int], good: SnapshotName) -> Removal:
    """Return what may go while the disk is full: all before a snapshot of the newest epoch that is whole."""
    ours = layout.of_epoch(layout.epoch)
    after = zip(ours.segments, ours.segments[1:], strict=False)
    behind = tuple(segment for segment, following in after if starts[following] <= good.revision)
    return Removal(
        tuple(name for name in layout.snapshots if name < good),
        (*(name for name in layout.segments if name.epoch < good.epoch), *behind),
    )
