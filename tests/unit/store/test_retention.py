import pytest

from minikube_py.store.layout import Layout, SegmentName, SnapshotName
from minikube_py.store.retention import (
    Dated,
    HistoryBounds,
    Removal,
    Since,
    SnapshotPolicy,
    StartPoint,
    Written,
    choose_start,
    compute_removal,
    free_most,
    is_due,
)

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


FIVE_MINUTES = HistoryBounds()
NO_HISTORY = HistoryBounds(age_s=0.0)


def removal(layout, starts, kept, apart_s=1000.0, bounds=FIVE_MINUTES):
    """Return what goes when one snapshot was taken every `apart_s` seconds, or at the times that are given."""
    ours = layout.of_epoch(layout.epoch).snapshots
    times = apart_s if isinstance(apart_s, list) else [at * apart_s for at in range(len(ours))]
    return compute_removal(layout, Dated(starts, dict(zip(ours, times, strict=True))), kept, bounds)


def test_the_log_stays_back_to_the_oldest_kept_snapshot():
    layout = a_layout([(1, 1), (1, 20), (1, 40), (1, 60)], [(1, 15), (1, 35), (1, 45)])
    starts = dict(zip(layout.segments, (0, 18, 38, 58), strict=True))

    assert removal(layout, starts, 3) == Removal()
    assert removal(layout, starts, 2) == Removal((SnapshotName(1, 15),), (SegmentName(1, 1),))
    assert removal(layout, starts, 1, [0.0, 1000.0, 1300.0]) == Removal(
        (SnapshotName(1, 15),), (SegmentName(1, 1),)
    ), "one that is old enough to start from stays beside the newest"


def test_a_segment_that_begins_exactly_at_the_snapshot_makes_the_one_before_it_needless():
    layout = a_layout([(1, 1), (1, 20)], [(1, 10), (1, 18)])

    def going(start):
        return removal(layout, {SegmentName(1, 1): 0, SegmentName(1, 20): start}, 2, bounds=NO_HISTORY).segments

    assert going(10) == (SegmentName(1, 1),)
    assert going(11) == ()


def test_the_newest_segment_stays_however_old_it_is():
    layout = a_layout([(1, 1)], [(1, 500), (1, 900)])

    assert removal(layout, {SegmentName(1, 1): 0}, 1, bounds=NO_HISTORY) == Removal((SnapshotName(1, 500),))


def test_an_earlier_epoch_stays_until_the_new_one_has_enough_snapshots():
    files = ([(1, 1), (1, 9), (2, 1)], [(1, 5), (2, 1000)])
    starts = {SegmentName(2, 1): 1000}

    assert removal(a_layout(*files), starts, 2) == Removal()
    layout = a_layout(files[0], [*files[1], (2, 2000)])
    assert removal(layout, starts, 2) == Removal((SnapshotName(1, 5),), (SegmentName(1, 1), SegmentName(1, 9)))


def snapshots_after(count, apart_s, kept=2, bounds=FIVE_MINUTES):
    """Take so many snapshots, 10 revisions and so many seconds apart, removing what goes; return what is left."""
    left = {}
    for at in range(1, count + 1):
        left[SnapshotName(1, 10 * at)] = at * apart_s
        layout = Layout((SegmentName(1, 1),), tuple(sorted(left)))
        for name in compute_removal(layout, Dated({SegmentName(1, 1): 0}, left), kept, bounds).snapshots:
            del left[name]
    return [left[name] - count * apart_s for name in sorted(left)]


def test_however_often_snapshots_are_taken_there_is_one_to_start_from_five_minutes_ago_and_few_others():
    for apart_s in (1, 7, 30, 100, 290, 301, 5000):
        ages = snapshots_after(max(40, int(1000 / apart_s)), apart_s)
        assert ages[0] <= -300, (apart_s, ages)
        assert ages[0] > -400 or apart_s > 75, (apart_s, ages)
        assert len(ages) <= 2 + 6, (apart_s, ages)


def test_no_snapshot_stays_for_a_history_that_a_start_would_not_read():
    assert snapshots_after(400, 0.5, bounds=HistoryBounds(records_max=100))[0] >= -5.0


def test_the_beginning_of_the_log_stays_while_no_snapshot_is_old_enough():
    layout = a_layout([(1, 1), (1, 20)], [(1, 30), (1, 40)])
    starts = {SegmentName(1, 1): 0, SegmentName(1, 20): 19}

    assert removal(layout, starts, 2, 10.0).segments == ()
    assert removal(layout, starts, 2, 400.0).segments == (SegmentName(1, 1),)
    assert removal(layout, starts, 2, 10.0, HistoryBounds(records_max=39)).segments == (SegmentName(1, 1),)


def points(*rows):
    return [StartPoint(revision, wall_s, log_bytes) for revision, wall_s, log_bytes in rows]


def test_a_start_begins_at_the_newest_point_that_is_old_enough_or_as_far_back_as_the_bounds_let_it():
    found = points((0, 0, 900), (10, 100, 600), (20, 200, 300), (30, 300, 0))

    def chosen(written_s, **bounds):
        return choose_start(found, Written(31, written_s), HistoryBounds(**bounds)).revision

    assert chosen(310, age_s=5) == 30
    assert chosen(310, age_s=50) == 20
    assert chosen(310, age_s=205) == 10
    assert chosen(310, age_s=1000) == 0
    assert chosen(310, age_s=1000, records_max=21) == 10
    assert chosen(310, age_s=1000, log_bytes_max=500) == 20
    assert choose_start(found[:1], Written(99, 1e9), HistoryBounds()).revision == 0


def test_a_full_disk_keeps_one_good_snapshot_and_the_log_behind_it():
    layout = a_layout([(1, 1), (2, 1), (2, 20), (2, 40)], [(1, 5), (2, 15), (2, 25), (2, 35)])
    starts = {SegmentName(2, 1): 10, SegmentName(2, 20): 19, SegmentName(2, 40): 39}

    assert free_most(layout, starts, SnapshotName(2, 35)) == Removal(
        (SnapshotName(1, 5), SnapshotName(2, 15), SnapshotName(2, 25)), (SegmentName(1, 1), SegmentName(2, 1))
    )
    assert free_most(layout, starts, SnapshotName(2, 25)).snapshots == (SnapshotName(1, 5), SnapshotName(2, 15))
    alone = a_layout([(2, 20), (2, 40)], [(2, 35)])
    assert free_most(alone, starts, SnapshotName(2, 35)) == Removal()
