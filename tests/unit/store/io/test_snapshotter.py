import asyncio
import errno

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.store.interface import StoreReadOnlyError
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.io.snapshotter import SnapshotError
from minikube_py.store.layout import parse_layout
from minikube_py.store.retention import HistoryBounds, SnapshotPolicy
from minikube_py.store.snapshot import BLOCK_ENTRIES_MAX
from minikube_py.testing.contracts_store import PODS, put
from minikube_py.testing.disk_lives import quiet_log, small_files
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import SimDisk

NO_HISTORY = HistoryBounds(age_s=0.0)


def opened(folder, disk, policy, clock=None):
    return open_store(
        folder, stamp=stamp, clock=clock or ManualClock(), options=StoreOptions(policy=policy, disk=disk)
    )


def snapshots(disk, folder):
    return [name.revision for name in parse_layout(disk.names(folder)).snapshots]


async def eventually(holds):
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.001)


async def test_snapshots_are_taken_as_the_log_grows_and_the_old_ones_go(tmp_path):
    disk = SimDisk()
    async with opened(tmp_path, disk, SnapshotPolicy(records_max=10, kept=2, history=NO_HISTORY)) as store:
        for round_ in range(4):
            for at in range(10):
                await put(store, PODS + f"x/{at}", round_)
            await eventually(lambda: store.snapshots.progress.revision == store.revision)
        assert snapshots(disk, tmp_path) == [30, 40]


async def test_the_loop_goes_on_while_a_snapshot_is_written(tmp_path, monkeypatch):
    disk = SimDisk()
    async with opened(tmp_path, disk, SnapshotPolicy()) as store:
        for at in range(20):
            await put(store, PODS + f"x/{at}", at)
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(store.snapshots.take("request"))
            await put(store, PODS + "x/later", 1)
        assert taking.result().revision == 20
    async with opened(tmp_path, disk, SnapshotPolicy(history=NO_HISTORY)) as store:
        assert (store.revision, store.compact_revision) == (21, 20)


async def test_a_snapshot_that_cannot_be_written_is_told_and_tried_again_later(tmp_path):
    disk, clock = SimDisk(), ManualClock()
    async with opened(tmp_path, disk, SnapshotPolicy(records_max=5, retry_s=60.0), clock) as store:
        for at in range(4):
            await put(store, PODS + f"x/{at}", at)
        disk.faults.errors = dict.fromkeys(range(disk.operations + 3, disk.operations + 8), errno.ENOSPC)
        await put(store, PODS + "x/5", 5)
        await eventually(lambda: store.snapshots.progress.last_error)
        assert "revision 5 could not be made" in store.snapshots.progress.last_error
        assert snapshots(disk, tmp_path) == []
        disk.faults.errors = {}
        await clock.advance(60)
        await put(store, PODS + "x/6", 6)
        await eventually(lambda: snapshots(disk, tmp_path))
        await eventually(lambda: not store.snapshots.progress.last_error)


async def test_a_request_that_fails_is_an_error_and_the_store_goes_on(tmp_path):
    disk = SimDisk()
    async with opened(tmp_path, disk, SnapshotPolicy()) as store:
        await put(store, PODS + "x/a", 1)
        disk.faults.errors = {disk.operations + 1: errno.EIO}
        with pytest.raises(SnapshotError, match="injected"):
            await store.snapshots.take("request")
        assert await put(store, PODS + "x/b", 1) == 2


async def test_an_idle_store_writes_no_snapshot_however_long(tmp_path):
    disk, clock = SimDisk(), ManualClock()
    async with opened(tmp_path, disk, SnapshotPolicy(age_s=10.0), clock) as store:
        await put(store, PODS + "x/a", 1)
        await store.snapshots.take("request")
        operations = disk.operations
        await clock.advance(10_000)
        store.snapshots._due.set()
        await asyncio.sleep(0.01)
        assert disk.operations == operations


async def fill_up(store, disk, revisions):
    """Take two snapshots, then let no more than a little fit on the disk."""
    for at in range(revisions):
        await put(store, PODS + f"x/{at % 3}", "v" * 400)
        if at in (revisions // 3, revisions * 2 // 3):
            await store.snapshots.take("request")
    disk.faults.capacity_bytes = disk._used() + 200


async def test_on_a_full_disk_old_snapshots_and_their_log_go_before_a_write_is_refused(tmp_path):
    disk = SimDisk()
    with small_files(record=False):
        async with opened(tmp_path, disk, SnapshotPolicy()) as store:
            await fill_up(store, disk, 60)
            before = snapshots(disk, tmp_path)
            for _ in range(20):
                await put(store, PODS + "x/more", "v" * 400)
            assert (len(before), snapshots(disk, tmp_path)) == (2, before[1:])
            with pytest.raises(StoreReadOnlyError, match="nearly full"):
                for at in range(100):
                    await put(store, PODS + "x/more", at)
            assert (await store.snapshots.check(stamp)).faults == ()
        async with opened(tmp_path, disk, SnapshotPolicy()) as again:
            assert again.revision == store.revision


@pytest.mark.damaged_store
async def test_on_a_full_disk_the_only_good_snapshot_stays(tmp_path):
    disk = SimDisk()
    with small_files(record=False), quiet_log():
        async with opened(tmp_path, disk, SnapshotPolicy()) as store:
            await fill_up(store, disk, 60)
            good, bad = snapshots(disk, tmp_path)
            disk.flip_bit(f"00000001-{bad:016x}.snapshot", 300, 1)
            with pytest.raises(StoreReadOnlyError):
                for at in range(100):
                    await put(store, PODS + "x/more", at)
            assert good in snapshots(disk, tmp_path)


async def test_a_program_that_ends_leaves_nothing_of_a_snapshot_that_it_was_writing(tmp_path):
    disk = SimDisk()
    with small_files(record=False):
        async with opened(tmp_path, disk, SnapshotPolicy()) as store:
            for at in range(BLOCK_ENTRIES_MAX * 3):
                await put(store, PODS + f"x/{at}", at)
            async with asyncio.TaskGroup() as group:
                given_up = group.create_task(store.snapshots.take("request"))
                while not any(name.endswith(".snapshot.tmp") for name in disk.names(tmp_path)):
                    await asyncio.sleep(0)
                given_up.cancel()
            store.snapshots._stopping = True
            with pytest.raises(SnapshotError, match="stopping"):
                await store.snapshots.take("request")
    assert [name for name in disk.names(tmp_path) if ".snapshot" in name] == []


async def test_the_loop_has_its_turn_between_the_blocks_of_a_snapshot(tmp_path):
    disk = SimDisk()
    with small_files(record=False):
        async with opened(tmp_path, disk, SnapshotPolicy()) as store:
            for at in range(BLOCK_ENTRIES_MAX * 4):
                await put(store, PODS + f"x/{at}", at)
            turns = 0
            async with asyncio.TaskGroup() as group:
                taking = group.create_task(store.snapshots.take("request"))
                while not taking.done():
                    await asyncio.sleep(0)
                    turns += 1
            assert turns > 4
            assert taking.result().revision == store.revision
