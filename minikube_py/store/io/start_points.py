"""Where a start can begin, and what the log ends with: what `retention.choose_start` is asked with."""

from minikube_py.store.disk import Storage
from minikube_py.store.io.log_reader import last_written, segment_starts
from minikube_py.store.io.snapshot_file import snapshot_header
from minikube_py.store.layout import Layout, SegmentName, SnapshotName
from minikube_py.store.retention import StartPoint, Written
from minikube_py.store.snapshot import SnapshotDamagedError

_BEGINNING_S = float("-inf")


def read_dates(storage: Storage, files: Layout) -> dict[SnapshotName, float]:
    """Return when each snapshot was taken; those that do not say so are left out."""
    dates: dict[SnapshotName, float] = {}
    for name in files.snapshots:
        try:
            dates[name] = snapshot_header(storage.disk, storage.folder / str(name)).wall_s
        except SnapshotDamagedError:
            continue
    return dates


def read_sizes(storage: Storage, files: Layout) -> dict[SegmentName, int]:
    """Return the length of each segment's file, the zeros that are written ahead included."""
    sizes: dict[SegmentName, int] = {}
    for name in files.segments:
        file = storage.disk.open(storage.folder / str(name))
        sizes[name] = file.size
        file.close()
    return sizes


def read_points(storage: Storage, files: Layout) -> tuple[tuple[StartPoint, ...], Written]:
    """Return the points of one epoch, the oldest first, and the newest record.

    Raises:
        LogFaultError: a segment does not begin as it must.
        OSError: a file cannot be read.
    """
    disk, folder = storage.disk, storage.folder
    starts, sizes = segment_starts(disk, folder, files.segments), read_sizes(storage, files)
    dates = read_dates(storage, files)
    if not dates:
        return (), Written()
    newest = max(dates)
    written = last_written(disk, folder, files.segments)
    if written.revision <= newest.revision:
        written = Written(newest.revision, dates[newest])

    ends = [*(starts[name] for name in files.segments[1:]), 1 << 63]

    def behind(revision: int) -> int:
        return sum(sizes[name] for name, end in zip(files.segments, ends, strict=False) if end > revision)

    points = [
        StartPoint(name.revision, wall_s, behind(name.revision), name) for name, wall_s in sorted(dates.items())
    ]
    if files.segments and files.segments[0].seq == 1 and starts[files.segments[0]] == 0:
        points.insert(0, StartPoint(0, _BEGINNING_S, behind(0)))
    return tuple(points), written
