import pytest

from minikube_py.store.layout import Layout, SegmentName, SnapshotName
from minikube_py.store.retention import Removal, Since, SnapshotPolicy, compute_removal, is_due

POLICY = SnapshotPolicy(log_bytes_max=1000, records_max=50, age_s=60.0)


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (Since(0, 0, 1e9), False),
        (Since(500, 10, 59), False),
        (Since(1000, 10, 0), True),
        (Since(500, 50, 0), True),
        (Since(1, 1, 60), True),
    ],
)
def test_a_snapshot_is_due_by_size_records_or_age_and_never_without_a_change(since, due):
    assert is_due(POLICY, since) is due


def a_layout(segments, snapshots):
    return Layout(tuple(SegmentName(*s) for s in segments), tuple(SnapshotName(*s) for s in snapshots))


def test_the_log_stays_back_to_the_oldest_kept_snapshot():
    layout = a_layout([(1, 1), (1, 20), (1, 40), (1, 60)], [(1, 15), (1, 35), (1, 45)])
    starts = dict(zip(layout.segments, (0, 18, 38, 58), strict=True))

    assert compute_removal(layout, starts, 3) == Removal()
    assert compute_removal(layout, starts, 2) == Removal((SnapshotName(1, 15),), (SegmentName(1, 1),))
    assert compute_removal(layout, starts, 1) == Removal(
        (SnapshotName(1, 15), SnapshotName(1, 35)), (SegmentName(1, 1), SegmentName(1, 20))
    )


def test_a_segment_that_begins_exactly_at_the_snapshot_makes_the_one_before_it_needless():
    layout = a_layout([(1, 1), (1, 20)], [(1, 18)])

    assert compute_removal(layout, {SegmentName(1, 1): 0, SegmentName(1, 20): 18}, 1).segments == (SegmentName(1, 1),)
    assert compute_removal(layout, {SegmentName(1, 1): 0, SegmentName(1, 20): 19}, 1).segments == ()


def test_the_newest_segment_stays_however_old_it_is():
    layout = a_layout([(1, 1)], [(1, 500), (1, 900)])

    assert compute_removal(layout, {SegmentName(1, 1): 0}, 1) == Removal((SnapshotName(1, 500),))


def test_an_earlier_epoch_stays_until_the_new_one_has_enough_snapshots():
    files = ([(1, 1), (1, 9), (2, 1)], [(1, 5), (2, 1000)])
    starts = {SegmentName(2, 1): 1000}

    assert compute_removal(a_layout(*files), starts, 2) == Removal()
    layout = a_layout(files[0], [*files[1], (2, 2000)])
    assert compute_removal(layout, starts, 2) == Removal(
        (SnapshotName(1, 5),), (SegmentName(1, 1), SegmentName(1, 9))
    )
