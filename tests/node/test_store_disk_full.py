"""A store on a disk of its own that really fills up: refused before anything is lost, going on when room returns."""

import asyncio
import signal
import subprocess

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Put, StoreReadOnlyError
from minikube_py.store.io.open_store import open_store
from minikube_py.store.io.wal import RESERVE_BYTES
from minikube_py.testing.contracts_store import PODS, a_value, delete, put
from minikube_py.testing.kill_rounds import Judge, parse_lines, start_writer

pytestmark = pytest.mark.node
DISK_BYTES = 160 << 20


@pytest.fixture
def disk(tmp_path):
    """A small ext4 on a loop device; where there are none, a tmpfs of the same size."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], capture_output=True).returncode == 0
    if not made or subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True).returncode != 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path, left_bytes):
    """Write a file until about so much room is left."""
    free = int(subprocess.run(["stat", "-f", "-c", "%a %S", path.parent], capture_output=True).stdout.split()[0])
    block = int(subprocess.run(["stat", "-f", "-c", "%S", path.parent], capture_output=True).stdout)
    with path.open("wb") as file:
        for _ in range(max(0, free * block - left_bytes) >> 20):
            file.write(bytes(1 << 20))


async def lines_until(process, word, count):
    """Read a writer's output until so many lines hold `word`."""
    lines = []
    async with asyncio.timeout(60):
        while count:
            line = await process.stdout.readline()
            assert line, "the writer ended by itself"
            lines.append(line)
            count -= word in line
    return b"".join(lines)


async def test_under_64_writers_a_full_disk_refuses_loses_nothing_and_recovers(disk):
    judge = Judge(disk / "store")
    filler = disk / "filler"
    process = await start_writer(disk / "store", "full")
    try:
        output = await lines_until(process, b'"return"', 200)
        fill(filler, RESERVE_BYTES - (4 << 20))
        output += await lines_until(process, b'"refuse"', 200)
        filler.unlink()
        output += await lines_until(process, b'"return"', 500)
    finally:
        process.send_signal(signal.SIGKILL)
        output += await process.stdout.read()
        await process.wait()
    judge.judge(parse_lines(output))

    assert judge.totals.refused >= 200
    assert judge.totals.acknowledged >= 700


async def test_a_process_that_is_killed_while_the_disk_is_full_starts_again_with_everything(disk):
    judge = Judge(disk / "store")
    for life in range(5):
        process = await start_writer(disk / "store", f"life{life}")
        try:
            output = await lines_until(process, b'"return"', 100)
            fill(disk / "filler", RESERVE_BYTES - (2 << 20))
            output += await lines_until(process, b'"refuse"', 64)
        finally:
            process.send_signal(signal.SIGKILL)
            output += await process.stdout.read()
            await process.wait()
        judge.judge(parse_lines(output))
        (disk / "filler").unlink()

    assert judge.totals.rounds == 5


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
