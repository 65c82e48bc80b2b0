import errno
from pathlib import Path
from random import Random

import pytest

from minikube_py.testing.sim_disk import Faults, PowerCutError, SimDisk

FOLDER = Path("/sim")


def a_file(disk, name="a"):
    file = disk.create(FOLDER / name)
    disk.sync_folder(FOLDER)
    return file


def test_what_was_flushed_survives_and_of_the_rest_any_sectors():
    seen = set()
    for seed in range(40):
        disk = SimDisk()
        file = a_file(disk)
        file.write_at(b"f" * 1024, 0)
        file.sync()
        file.write_at(b"p" * 2048, 512)
        content = disk.after_power_cut(Random(seed)).contents()["a"]
        assert content[:512] == b"f" * 512
        sectors = [content[at : at + 512] for at in range(512, 2560, 512)]
        assert all(sector in (b"p" * 512, b"f" * 512, bytes(512), b"") for sector in sectors)
        seen.add(content)
    assert len(seen) > 8


def test_a_name_is_durable_only_after_its_folder_was_flushed():
    outcomes = set()
    for seed in range(30):
        disk = SimDisk()
        a_file(disk, "a")
        disk.rename(FOLDER / "a", FOLDER / "b")
        disk.create(FOLDER / "c")
        outcomes.add(tuple(disk.after_power_cut(Random(seed)).contents()))
    assert outcomes == {("a",), ("b",), ("b", "c")}


def test_the_power_goes_in_the_middle_of_a_write_and_nothing_works_then():
    disk = SimDisk(Faults(cut_after_bytes=10))
    file = a_file(disk)
    with pytest.raises(PowerCutError):
        file.write_at(b"x" * 20, 0)
    with pytest.raises(PowerCutError):
        file.sync()
    assert len(disk.contents()["a"]) == 10


def test_a_failed_flush_loses_what_it_was_to_write_though_readers_see_it():
    disk = SimDisk()
    file = a_file(disk)
    file.write_at(b"x", 0)
    disk.faults.errors = {disk.operations + 1: errno.EIO}
    with pytest.raises(OSError, match="injected"):
        file.sync()
    file.sync()

    assert file.read_at(0, 1) == b"x"
    assert disk.after_power_cut(Random(0)).contents()["a"] == b""


def test_a_full_disk_takes_what_fits():
    disk = SimDisk(Faults(capacity_bytes=100))
    file = a_file(disk)
    with pytest.raises(OSError, match="No space"):
        file.write_at(b"x" * 150, 0)
    assert (file.size, disk.free_bytes(FOLDER)) == (100, 0)


def test_a_flipped_bit_is_seen_by_readers_and_stays():
    disk = SimDisk()
    file = a_file(disk)
    file.write_at(b"\0", 0)
    file.sync()
    disk.flip_bit("a", 0, 3)
    assert disk.contents()["a"] == b"\x08"
