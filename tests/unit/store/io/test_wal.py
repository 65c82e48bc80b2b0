import errno
import os
import resource
import stat
from itertools import count

import pytest

from minikube_py.store.interface import Delete
from minikube_py.store.io import wal as wal_module
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.log_reader import LogFaultError, read_log
from minikube_py.store.io.wal import LogBrokenError, LogFullError, Wal
from minikube_py.store.layout import parse_layout
from minikube_py.store.records import encode_transaction, plain
from minikube_py.testing.old_log import segment_of_format_2

DISK = LocalDisk()


class Words:
    """A log in which each transaction deletes a key whose name is a word."""

    def __init__(self, directory):
        self.directory = directory
        self.words, self.end = [], None
        self._read()
        self.wal = Wal(DISK, directory, 1, self.end, 0)
        self.revisions = count(self.end.revision + 1)

    def _read(self):
        segments = parse_layout(DISK.names(self.directory)).segments
        self.end = read_log(DISK, self.directory, segments, 0, plain, self._take)

    def _take(self, transaction):
        self.words += [operation.key for operation in transaction.operations]
        return True

    def append(self, *words, **options):
        revisions = [next(self.revisions) for _ in words]
        payloads = [encode_transaction(r, [Delete(w, None)], 0.0) for r, w in zip(revisions, words, strict=True)]
        return self.wal.append(payloads, revisions[0] - 1, **options)


def read_words(directory):
    """Open the log as a start does, and return its words."""
    log = Words(directory)
    log.wal.close()
    return log.words


def a_log(directory, *batches):
    log = Words(directory)
    for batch in batches:
        log.append(*batch)
    log.wal.close()
    (segment,) = directory.glob("*.log")
    return segment


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Zeros by the page: the tests look at what happens at edges, and edges shall be near."""
    monkeypatch.setattr(wal_module, "ZERO_BYTES", 4096)


def test_what_was_appended_is_there_after_a_new_start(tmp_path):
    a_log(tmp_path, ["one"], ["two", "three"])
    assert read_words(tmp_path) == ["one", "two", "three"]

    log = Words(tmp_path)
    log.append("four")
    log.wal.close()
    assert read_words(tmp_path) == ["one", "two", "three", "four"]


def test_only_the_owner_may_read_a_segment(tmp_path):
    assert stat.S_IMODE(a_log(tmp_path).stat().st_mode) == 0o600


def test_space_is_written_ahead_so_that_small_batches_do_not_grow_the_file(tmp_path):
    log = Words(tmp_path)
    log.append("x")
    (segment,) = tmp_path.glob("*.log")
    size = segment.stat().st_size
    for _ in range(50):
        log.append("x")

    assert segment.stat().st_size == size
    log.append("y" * 10_000)
    log.wal.close()
    assert read_words(tmp_path)[-1] == "y" * 10_000


def test_a_torn_tail_is_cut_off_kept_aside_and_written_over(tmp_path):
    segment = a_log(tmp_path, ["kept"], ["torn" * 20])
    data = segment.read_bytes().rstrip(b"\0")
    segment.write_bytes(data[:-30] + bytes(30))
    assert read_words(tmp_path) == ["kept"]
    assert b"torn" in segment.with_name(segment.name + ".broken").read_bytes()

    log = Words(tmp_path)
    log.append("new")
    log.wal.close()
    assert read_words(tmp_path) == ["kept", "new"]


def test_a_log_goes_on_in_the_next_segment(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 5000)
    log = Words(tmp_path)
    words = [chr(65 + at) * 900 for at in range(20)]
    for word in words:
        log.append(word)
    log.wal.close()

    assert len(list(tmp_path.glob("*.log"))) == 4
    assert read_words(tmp_path) == words


@pytest.fixture
def full_disk():
    """Let files of this process end at 8192 bytes (RLIMIT_FSIZE, with EFBIG taken for ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_noticed_before_a_record_is_begun_and_may_have_room_again(tmp_path, monkeypatch, full_disk):
    monkeypatch.setattr(wal_module, "NO_SPACE", (errno.EFBIG,))
    log = Words(tmp_path)
    log.append("x" * 5000)
    with pytest.raises(LogFullError):
        log.append("y" * 5000)
    log.append("z")
    log.wal.close()

    assert read_words(tmp_path) == ["x" * 5000, "z"]


class NearlyFull(LocalDisk):
    free = 0

    def free_bytes(self, folder):
        return self.free


def test_the_log_does_not_grow_into_the_reserve_unless_it_may(tmp_path):
    log = Words(tmp_path)
    log.wal._disk = disk = NearlyFull()
    disk.free = wal_module.RESERVE_BYTES + 4095
    with pytest.raises(LogFullError, match="nearly full: 32 MiB are free"):
        log.append("put")
    log.append("delete", reserve_bytes=0)
    disk.free = wal_module.RESERVE_BYTES + 4096 * 3
    log.append("put" * 2000)
    log.wal.close()

    assert read_words(tmp_path) == ["delete", "put" * 2000]


def test_a_new_segment_is_not_begun_in_the_reserve(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 5000)
    log = Words(tmp_path)
    log.append("x" * 3000)
    log.wal._disk = NearlyFull()
    with pytest.raises(LogFullError):
        log.append("y" * 3000)
    log.append("z")
    log.wal.close()

    assert read_words(tmp_path) == ["x" * 3000, "z"]


def test_a_write_that_fails_otherwise_is_final(tmp_path, full_disk):
    log = Words(tmp_path)
    with pytest.raises(LogBrokenError):
        log.append("y" * 20_000)
    log.wal.close()


def test_a_closed_file_is_a_broken_log(tmp_path):
    log = Words(tmp_path)
    log.append("x")
    os.close(log.wal._file._through_fd)

    with pytest.raises(LogBrokenError):
        log.append("x")


def test_a_log_of_another_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_module, "encode_segment", lambda epoch, revision: b"\x92\x01\x00")
    a_log(tmp_path)

    with pytest.raises(LogFaultError, match="format 1"):
        read_words(tmp_path)


@pytest.mark.parametrize("tail", [b"", b"NK\x01torn"], ids=["whole", "torn"])
def test_a_log_of_format_2_is_read_and_goes_on_in_a_new_segment(tmp_path, tail):
    payloads = [encode_transaction(at, [Delete(word, None)], 0.0) for at, word in enumerate("abc", 1)]
    old = segment_of_format_2(1, 1, 0, [payloads[:2], payloads[2:]])
    (tmp_path / "00000001-0000000000000001.log").write_bytes(old + tail)

    log = Words(tmp_path)
    log.append("d")
    log.append("e")
    log.wal.close()

    assert read_words(tmp_path) == ["a", "b", "c", "d", "e"]
    assert [name.seq for name in parse_layout(DISK.names(tmp_path)).segments] == [1, 5]
    assert (tmp_path / "00000001-0000000000000001.log").read_bytes().rstrip(b"\0") == old.rstrip(b"\0")
