import pytest

from minikube_py.store.layout import (
    Layout,
    SegmentName,
    SnapshotName,
    UnknownFileError,
    parse_layout,
    parse_snapshot_name,
)


def test_names_are_read_back_sorted_and_everything_else_is_left_out():
    names = [SegmentName(2, 1), SegmentName(1, 300), SegmentName(1, 2)]
    snapshots = [SnapshotName(1, 10**15), SnapshotName(1, 77)]
    layout = parse_layout(["lock", *map(str, names), *map(str, snapshots), "a.tmp", "b.log.broken", "notes.txt"])

    assert layout == Layout(tuple(sorted(names)), tuple(sorted(snapshots)), ("a.tmp",))
    assert (layout.epoch, layout.epochs) == (2, (2, 1))
    assert layout.of_epoch(1) == Layout((SegmentName(1, 2), SegmentName(1, 300)), tuple(sorted(snapshots)))


def test_an_empty_folder_is_the_first_epoch():
    assert parse_layout([]).epoch == 1


@pytest.mark.parametrize(
    "name", ["0000000000000001.log", "1-2.log", "x-0000000000000001.snapshot", "00000001-zz.log"]
)
def test_a_log_or_snapshot_of_another_naming_is_an_error(name):
    with pytest.raises(UnknownFileError):
        parse_layout([name])


def test_a_snapshots_name_is_parsed_alone():
    assert parse_snapshot_name(str(SnapshotName(3, 500))) == (3, 500)
    with pytest.raises(UnknownFileError):
        parse_snapshot_name(str(SegmentName(1, 1)))
