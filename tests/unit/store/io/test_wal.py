import errno
import os
import resource
import stat

import pytest

from minikube_py.store.interface import StoreOpenError
from minikube_py.store.io import wal as wal_module
from minikube_py.store.io.wal import LogBrokenError, LogFullError, Wal


def read_log(directory):
    """Open the log, return its payloads, and close it."""
    payloads = []
    Wal.open(directory, lambda record: payloads.append(record.payload)).close()
    return payloads


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Zeros by the page: the tests look at what happens at edges, and edges shall be near."""
    monkeypatch.setattr(wal_module, "ZERO_BYTES", 4096)


def a_log(directory, *batches):
    log = Wal.open(directory, lambda record: None)
    for batch in batches:
        log.append(list(batch), 0)
    log.close()
    (segment,) = directory.glob("*.log")
    return segment


def test_what_was_appended_is_there_after_a_new_start(tmp_path):
    a_log(tmp_path, [b"one"], [b"two", b"three"])
    assert read_log(tmp_path) == [b"one", b"two", b"three"]

    log = Wal.open(tmp_path, lambda record: None)
    log.append([b"four"], 0)
    log.close()
    assert read_log(tmp_path) == [b"one", b"two", b"three", b"four"]


def test_only_the_owner_may_read_a_segment(tmp_path):
    segment = a_log(tmp_path)

    assert stat.S_IMODE(segment.stat().st_mode) == 0o600


def test_space_is_written_ahead_so_that_small_batches_do_not_grow_the_file(tmp_path):
    log = Wal.open(tmp_path, lambda record: None)
    log.append([b"x"], 0)
    (segment,) = tmp_path.glob("*.log")
    size = segment.stat().st_size
    for _ in range(50):
        log.append([b"x"], 0)

    assert segment.stat().st_size == size
    log.append([b"y" * 10_000], 0)
    log.close()
    assert read_log(tmp_path)[-1] == b"y" * 10_000


def test_a_torn_tail_is_cut_off_kept_aside_and_written_over(tmp_path):
    segment = a_log(tmp_path, [b"kept"], [b"torn" * 20])
    data = segment.read_bytes().rstrip(b"\0")
    segment.write_bytes(data[:-30] + bytes(30))
    assert read_log(tmp_path) == [b"kept"]
    assert segment.with_suffix(".broken").read_bytes().startswith(data[-104:-30][:20])

    log = Wal.open(tmp_path, lambda record: None)
    log.append([b"new"], 0)
    log.close()
    assert read_log(tmp_path) == [b"kept", b"new"]


def test_damage_before_flushed_records_stops_the_start_and_changes_nothing(tmp_path):
    segment = a_log(tmp_path, [b"first" * 5], [b"second"], [b"third"])
    data = bytearray(segment.read_bytes())
    data[data.index(b"first")] ^= 1
    segment.write_bytes(data)

    with pytest.raises(StoreOpenError, match="damaged at byte"):
        read_log(tmp_path)
    assert segment.read_bytes() == bytes(data)


def test_a_log_goes_on_in_the_next_segment(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 5000)
    log = Wal.open(tmp_path, lambda record: None)
    payloads = [bytes([65 + at]) * 900 for at in range(20)]
    for at, payload in enumerate(payloads):
        log.append([payload], at)
    log.close()

    assert len(list(tmp_path.glob("*.log"))) == 4
    assert read_log(tmp_path) == payloads


def test_a_missing_segment_stops_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 2000)
    log = Wal.open(tmp_path, lambda record: None)
    for at in range(6):
        log.append([b"x" * 900], at)
    log.close()
    sorted(tmp_path.glob("*.log"))[1].unlink()

    with pytest.raises(StoreOpenError):
        read_log(tmp_path)


def test_a_segment_that_was_not_finished_is_swept_away(tmp_path):
    a_log(tmp_path, [b"one"])
    (tmp_path / "00000000000000ff.tmp").write_bytes(b"half")

    assert read_log(tmp_path) == [b"one"]
    assert not list(tmp_path.glob("*.tmp"))


def test_a_log_of_another_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "FORMAT_VERSION", 2)
    monkeypatch.setattr(wal_module, "encode_segment", lambda revision: b"\x92\x02\x00")
    a_log(tmp_path)
    monkeypatch.setattr(wal_module, "FORMAT_VERSION", 1)

    with pytest.raises(StoreOpenError, match="format 2"):
        read_log(tmp_path)


@pytest.fixture
def full_disk():
    """Let files of this process end at 8192 bytes (RLIMIT_FSIZE, with EFBIG taken for ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_noticed_before_a_record_is_begun_and_may_have_room_again(tmp_path, monkeypatch, full_disk):
    monkeypatch.setattr(wal_module, "_NO_SPACE", (errno.EFBIG,))
    log = Wal.open(tmp_path, lambda record: None)
    log.append([b"x" * 5000], 0)
    with pytest.raises(LogFullError):
        log.append([b"y" * 5000], 0)
    log.append([b"z"], 0)
    log.close()

    assert read_log(tmp_path) == [b"x" * 5000, b"z"]


def test_a_write_that_fails_otherwise_is_final(tmp_path, full_disk):
    log = Wal.open(tmp_path, lambda record: None)
    with pytest.raises(LogBrokenError):
        log.append([b"y" * 20_000], 0)
    log.close()


def test_a_closed_file_is_a_broken_log(tmp_path):
    log = Wal.open(tmp_path, lambda record: None)
    log.append([b"x"], 0)
    os.close(log._fd)

    with pytest.raises(LogBrokenError):
        log.append([b"x"], 0)
