import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.store.disk import Storage
from minikube_py.store.interface import Delete
from minikube_py.store.io import wal as wal_module
from minikube_py.store.io.folder_check import Captured, check_folder, list_snapshots
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.retention import SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, delete, put
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import SimDisk


@pytest.fixture
async def story(tmp_path, monkeypatch):
    """A store with three snapshots, several segments, and changes before, between and after; closed again."""
    monkeypatch.setattr(wal_module, "SEGMENT_BYTES_MAX", 1500)
    monkeypatch.setattr(wal_module, "ZERO_BYTES", 512)
    disk = SimDisk()
    options = StoreOptions(policy=SnapshotPolicy(kept=5), disk=disk)
    async with open_store(tmp_path, stamp=stamp, clock=ManualClock(), options=options) as store:
        for round_ in range(3):
            for at in range(5):
                await put(store, PODS + f"x/{at}", round_)
            await delete(store, PODS + f"x/{round_}")
            await store.snapshots.take("request")
        await put(store, PODS + "x/last", 1)
        assert (await store.snapshots.check(stamp)).faults == ()
        captured = Captured(store.revision, store.range(""))
    return Storage(disk, tmp_path), captured


async def test_what_agrees_is_told_with_how_much_was_read(story):
    report = check_folder(story[0], stamp, story[1])

    assert report.faults == report.notes == ()
    assert (report.epoch, report.revision, report.keys, report.snapshots) == (1, 19, 5, 3)
    assert report.transactions == 13


async def test_snapshots_are_listed_by_their_headers(story):
    storage, _ = story
    first = list_snapshots(storage)[0]
    assert [facts.header.entries for facts in list_snapshots(storage)] == [4, 4, 4]
    assert (first.name.revision, first.header.reason, first.size_bytes > 300) == (6, "request", True)

    storage.disk.flip_bit(str(first.name), 30, 1)
    damaged = list_snapshots(storage)[0]
    assert (damaged.header, damaged.damage) == (None, "a block is damaged")


@pytest.mark.parametrize("kind", [".snapshot", ".log"])
async def test_a_flipped_bit_in_any_file_is_found(story, kind):
    storage, captured = story
    for name in storage.disk.names(storage.folder):
        if name.endswith(kind):
            place = len(storage.disk.contents()[name].rstrip(b"\0")) // 2
            storage.disk.flip_bit(name, place, 0)
            assert check_folder(storage, stamp, captured).faults, name
            storage.disk.flip_bit(name, place, 0)
    assert check_folder(storage, stamp, captured).faults == ()


async def test_memory_that_differs_is_told_by_key_and_never_by_value(story):
    storage, captured = story
    (fault,) = check_folder(storage, stamp, Captured(19, captured.entries[1:])).faults

    assert fault.startswith(f"memory and log differ: {captured.entries[0].key}: ")
    assert "metadata" not in fault


async def test_memory_behind_the_log_is_compared_as_of_its_revision(story):
    storage, _ = story
    report = check_folder(storage, stamp, Captured(10, ()))

    assert report.revision == 10
    assert len([fault for fault in report.faults if fault.startswith("memory and log differ")]) == report.keys


async def test_a_snapshot_that_is_not_what_the_log_gives_is_told(story, tmp_path):
    storage, _ = story
    names = [name for name in storage.disk.names(tmp_path) if name.endswith(".snapshot")]
    options = StoreOptions(policy=SnapshotPolicy(), disk=SimDisk())
    async with open_store(tmp_path, stamp=stamp, clock=ManualClock(), options=options) as other:
        for at in range(11):
            await put(other, PODS + "x/a", at)
        await other.commit([Delete(PODS + "x/a", None)])
        await other.snapshots.take("request")
    content = options.disk.contents()[names[1]]
    storage.disk.create(tmp_path / names[1]).write_at(content, 0)

    assert check_folder(storage, stamp).faults[0].startswith(f"snapshot {names[1]}: /registry")


async def test_a_torn_tail_is_only_noted(story):
    storage, _ = story
    last = [name for name in storage.disk.names(storage.folder) if name.endswith(".log")][-1]
    written = len(storage.disk.contents()[last].rstrip(b"\0"))
    file = storage.disk.open(storage.folder / last)
    file.write_at(bytes(20), written - 20)
    report = check_folder(storage, stamp)

    assert report.faults == ()
    assert "never acknowledged" in report.notes[0]


async def test_a_folder_of_another_format_is_a_fault(tmp_path):
    disk = SimDisk()
    disk.create(tmp_path / "5.log")

    assert "no file of this version" in check_folder(Storage(disk, tmp_path), stamp).faults[0]
