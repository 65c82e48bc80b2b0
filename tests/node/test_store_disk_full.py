"""A store on a disk of its own that really fills up: refused before anything is lost, going on when room returns."""

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.process import kill_child
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Put, StoreReadOnlyError
from minikube_py.store.io.open_store import open_store
from minikube_py.store.io.wal import RESERVE_BYTES
from minikube_py.testing.contracts_store import PODS, a_value, delete, put
from minikube_py.testing.full_disk import fill, lines_until, run_full_rounds, small_disk
from minikube_py.testing.kill_rounds import Judge, parse_lines, start_writer

pytestmark = pytest.mark.node


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path) as disk:
        yield disk


async def test_under_64_writers_a_full_disk_refuses_loses_nothing_and_recovers(disk, tmp_path):
    judge = Judge(disk / "store", tmp_path / "removed")
    filler = disk / "filler"
    process = await start_writer(disk / "store", "full", judge.removed)
    try:
        output = await lines_until(process, b'"return"', 200)
        fill(filler, RESERVE_BYTES - (4 << 20))
        output += await lines_until(process, b'"refuse"', 200)
        filler.unlink()
        output += await lines_until(process, b'"return"', 500)
    finally:
        kill_child(process.pid)
        output += await process.stdout.read()
        await process.wait()
    judge.judge(parse_lines(output))

    assert judge.totals.refused >= 200
    assert judge.totals.acknowledged >= 700


async def test_a_process_that_is_killed_while_the_disk_is_full_starts_again_with_everything():
    totals = await run_full_rounds(5, seed=20261124)

    assert totals.rounds == 5
    assert totals.refused > 5


async def test_reads_watches_and_deletions_go_on_while_the_disk_is_full(disk):
    async with open_store(disk / "store", stamp=stamp, clock=SystemClock()) as store:
        await put(store, PODS + "x/a", 1)
        watcher = store.watch(PODS, store.revision)
        fill(disk / "filler", RESERVE_BYTES // 2)
        with pytest.raises(StoreReadOnlyError, match="nearly full"):
            for at in range(1000):
                await store.commit([Put(PODS + f"x/{at}", a_value("n" * 20_000), 0)])
        assert store.get(PODS + "x/a") is not None
        revision = await delete(store, PODS + "x/a")
        assert (await watcher.next_batch())[1] == revision
        (disk / "filler").unlink()
        assert await put(store, PODS + "x/b", 1) == revision + 1
        assert (await store.snapshots.check(stamp)).faults == ()
