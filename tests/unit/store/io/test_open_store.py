import os
import stat

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state, diff_states
from minikube_py.store.interface import StoreOpenError
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.retention import HistoryBounds, SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, delete, put


def opened(directory, **options):
    return open_store(directory, stamp=stamp, clock=SystemClock(), options=StoreOptions(**options))


async def test_a_second_process_is_told_who_holds_the_store(tmp_path):
    async with opened(tmp_path):
        with pytest.raises(StoreOpenError, match=f"in use by process {os.getpid()}"):
            async with opened(tmp_path):
                pass
    async with opened(tmp_path):
        pass


async def test_the_directory_is_for_its_owner_alone(tmp_path):
    async with opened(tmp_path / "a" / "store"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "store").iterdir()}

    assert stat.S_IMODE((tmp_path / "a" / "store").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}


async def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreOpenError, match="cannot use"):
        async with opened(tmp_path / "file" / "store"):
            pass


async def test_a_start_goes_on_from_the_newest_snapshot_and_the_log_behind_it(tmp_path):
    async with opened(tmp_path) as store:
        for at in range(20):
            await put(store, PODS + f"x/{at}", at)
        await store.snapshots.take("request")
        await put(store, PODS + "x/3", 33)
        await delete(store, PODS + "x/4")
        before = store.state
    async with opened(tmp_path) as store:
        assert diff_states(before, store.state) == ()
        assert check_state(store.state) == ()
        assert (store.revision, store.compact_revision) == (22, 0)
        assert await put(store, PODS + "x/new") == 23
        events, _ = await store.watch(PODS, 20).next_batch()
        assert [event.revision for event in events] == [21, 22, 23]
        assert [event.revision for event in (await store.watch(PODS, 17).next_batch())[0]] == [18, 19, 20, 21, 22, 23]
        assert (await store.snapshots.check(stamp)).faults == ()


@pytest.mark.damaged_store
async def test_a_damaged_snapshot_is_done_without_while_the_log_leads_on_from_the_one_before(tmp_path, caplog):
    async with opened(tmp_path) as store:
        for at in range(3):
            await put(store, PODS + f"x/{at}", at)
            await store.snapshots.take("request")
        before = store.state
    newest = sorted(tmp_path.glob("*.snapshot"))[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 4
    newest.write_bytes(data)
    async with opened(tmp_path, policy=SnapshotPolicy(history=HistoryBounds(age_s=0.0))) as store:
        assert diff_states(before, store.state) == ()
        assert store.compact_revision == 2
    assert "is damaged: a block is damaged" in caplog.text


async def test_without_any_snapshot_that_can_be_read_and_no_log_before_it_the_start_is_refused(tmp_path):
    async with opened(tmp_path, policy=SnapshotPolicy(kept=1)) as store:
        await put(store, PODS + "x/a")
        await store.snapshots.take("request")
    (only,) = tmp_path.glob("*.snapshot")
    only.write_bytes(only.read_bytes()[:-1])
    (segment,) = tmp_path.glob("*.log")
    segment.unlink()

    with pytest.raises(StoreOpenError, match="no snapshot .* can be used; snapshot .* ends too early.*restore"):
        async with opened(tmp_path):
            pass


async def test_files_of_another_format_are_not_taken_for_an_empty_store(tmp_path):
    (tmp_path / "0000000000000001.log").write_bytes(b"x")

    with pytest.raises(StoreOpenError, match="is no file of this version"):
        async with opened(tmp_path):
            pass


async def test_what_was_not_finished_is_swept_away(tmp_path):
    (tmp_path / "00000001-00000000000000ff.log.tmp").write_bytes(b"half")
    (tmp_path / "00000001-00000000000000ff.snapshot.tmp").write_bytes(b"half")
    async with opened(tmp_path) as store:
        assert store.revision == 0

    assert not list(tmp_path.glob("*.tmp"))
