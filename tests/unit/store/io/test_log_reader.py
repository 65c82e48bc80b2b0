import pytest

from minikube_py.store.interface import Delete
from minikube_py.store.io import wal as wal_module
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.log_reader import LogEnd, LogFaultError, read_log, segment_starts
from minikube_py.store.io.wal import Wal
from minikube_py.store.layout import parse_layout
from minikube_py.store.records import encode_transaction, plain

DISK = LocalDisk()


def segments_of(directory):
    return parse_layout(DISK.names(directory)).segments


def read(directory, after=0, wanted=100):
    revisions = []

    def take(transaction):
        if transaction.revision > wanted:
            return False
        revisions.append(transaction.revision)
        return True

    return revisions, read_log(DISK, directory, segments_of(directory), after, plain, take)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Twelve transactions, three in each of four segments."""
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 3500)
    monkeypatch.setattr(wal_module, "ZERO_BYTES", 512)
    wal = Wal(DISK, tmp_path, 1, LogEnd(), 0)
    for revision in range(1, 13):
        wal.append([encode_transaction(revision, [Delete("k" * 1000, None)], 0.0)], revision - 1)
    wal.close()
    return tmp_path


def test_everything_is_read_in_order(log):
    revisions, end = read(log)

    assert revisions == list(range(1, 13))
    assert (end.revision, end.segment, end.torn, end.damage) == (12, segments_of(log)[-1], False, "")


def test_segments_that_end_before_the_snapshot_are_not_read(log):
    assert list(segment_starts(DISK, log, segments_of(log)).values()) == [0, 3, 6, 9]
    assert read(log, after=6)[0] == list(range(7, 13))
    assert read(log, after=8)[0] == list(range(7, 13))
    assert read(log, after=12)[0] == [10, 11, 12]


def test_reading_ends_where_no_more_is_wanted(log):
    revisions, end = read(log, wanted=5)

    assert revisions == [1, 2, 3, 4, 5]
    assert end.damage == ""


def test_a_log_that_begins_too_late_is_told(log):
    (log / str(segments_of(log)[0])).unlink()

    assert read(log, after=3)[0] == list(range(4, 13))
    with pytest.raises(LogFaultError, match="begins after revision 3"):
        read(log, after=2)


def test_a_missing_segment_is_told_and_what_stands_before_it_is_read(log):
    (log / str(segments_of(log)[1])).unlink()
    revisions, end = read(log)

    assert revisions == [1, 2, 3]
    assert "is missing" in end.damage


def test_damage_before_flushed_records_is_told_and_changes_nothing(log):
    path = log / str(segments_of(log)[1])
    data = bytearray(path.read_bytes())
    data[data.index(b"kkk")] ^= 1
    path.write_bytes(data)
    revisions, end = read(log)

    assert revisions == [1, 2, 3]
    assert "damaged at byte" in end.damage
    assert path.read_bytes() == bytes(data)


def test_a_segment_that_is_cut_off_though_another_follows_is_damage(log):
    path = log / str(segments_of(log)[1])
    path.write_bytes(path.read_bytes().rstrip(b"\0")[:-500])
    revisions, end = read(log)

    assert revisions == [1, 2, 3, 4, 5]
    assert "cut off" in end.damage


def test_a_segment_of_another_epoch_under_this_name_is_refused(log):
    first = log / str(segments_of(log)[0])
    first.rename(first.with_name(first.name.replace("00000001-", "00000002-")))

    with pytest.raises(LogFaultError, match="epoch 1"):
        segment_starts(DISK, log, segments_of(log))


def test_no_segments_are_an_empty_log(tmp_path):
    assert read(tmp_path, after=7) == ([], LogEnd(revision=7))
