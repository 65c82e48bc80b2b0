import errno
from pathlib import Path

import pytest

from minikube_py.store.disk import Storage
from minikube_py.store.interface import Entry
from minikube_py.store.io.snapshot_file import (
    load_snapshot,
    snapshot_header,
    write_snapshot,
)
from minikube_py.store.layout import SnapshotName
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader
from minikube_py.testing.sim_disk import Faults, SimDisk

FOLDER = Path("/sim")
ENTRIES = [Entry(f"/k/{at}", b"v" * 500, 1, 1) for at in range(2000)]
HEADER = SnapshotHeader(1, 9, 0.0, len(ENTRIES))
NAME = SnapshotName(1, 9)


def loaded(storage):
    found = []
    load_snapshot(storage, FOLDER / str(NAME), found.extend)
    return [(e.key, e.value) for e in found]


def test_a_snapshot_is_written_and_read_back_whole():
    storage = Storage(SimDisk(), FOLDER)

    assert write_snapshot(storage, HEADER, ENTRIES) == NAME
    assert storage.disk.names(FOLDER) == [str(NAME)]
    assert loaded(storage) == [(e.key, e.value) for e in ENTRIES]
    assert snapshot_header(storage.disk, FOLDER / str(NAME)) == HEADER


def test_at_no_operation_does_a_failure_leave_a_part_of_it():
    for operation in range(1, 200):
        disk = SimDisk(Faults(errors={operation: errno.ENOSPC}))
        storage = Storage(disk, FOLDER)
        try:
            write_snapshot(storage, HEADER, ENTRIES)
        except OSError:
            assert not [name for name in disk.names(FOLDER) if name.endswith(".tmp")]
            if str(NAME) in disk.names(FOLDER):
                assert len(loaded(storage)) == len(ENTRIES)
        else:
            assert operation > 5
            return
    raise AssertionError("it never succeeded")


def test_what_cannot_be_read_back_does_not_count():
    class Lying(SimDisk):
        def write(self, inode, data, offset):
            super().write(inode, data.replace(b"/k/7", b"/k/8", 1), offset)

    disk = Lying()
    with pytest.raises(SnapshotDamagedError):
        write_snapshot(Storage(disk, FOLDER), HEADER, ENTRIES)
    assert disk.names(FOLDER) == []


def test_a_whole_one_is_left_a_damaged_one_or_one_with_another_key_is_replaced():
    storage = Storage(disk := SimDisk(), FOLDER)
    write_snapshot(storage, HEADER, ENTRIES)
    written = disk.bytes_written
    write_snapshot(storage, HEADER, ENTRIES)
    assert disk.bytes_written == written

    disk.flip_bit(str(NAME), 5000, 1)
    write_snapshot(storage, HEADER, ENTRIES)
    assert len(loaded(storage)) == len(ENTRIES)
    write_snapshot(storage, SnapshotHeader(1, 9, 0.0, len(ENTRIES), ("new",)), ENTRIES)
    assert snapshot_header(disk, FOLDER / str(NAME)).key_ids == ("new",)


def test_a_missing_file_is_a_damaged_snapshot():
    with pytest.raises(SnapshotDamagedError, match="cannot be opened"):
        loaded(Storage(SimDisk(), FOLDER))
