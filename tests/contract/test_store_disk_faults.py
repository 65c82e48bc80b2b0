"""Lives of a store on a disk that fails, by seed (testing.disk_lives); more of them: `scripts/soak store_disk`."""

import asyncio
import threading

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Committed, Put
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.testing.contracts_store import PODS, a_value, put
from minikube_py.testing.disk_lives import run_story
from minikube_py.testing.sim_disk import SimDisk

SEEDS = 2000
SEEDS_OF_ONE_TEST = 50


@pytest.mark.damaged_store
@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_OF_ONE_TEST))
def test_every_life_finds_a_prefix_with_all_that_was_acknowledged_or_refuses(first):
    opened = acknowledged = 0
    for seed in range(first, first + SEEDS_OF_ONE_TEST):
        try:
            story = run_story(seed)
        except BaseException as error:
            raise AssertionError(f"repeat: scripts/soak store_disk --minutes 0 --seed {seed}") from error
        opened += story.opened
        acknowledged += story.acknowledged
    assert opened > 2 * SEEDS_OF_ONE_TEST
    assert acknowledged > 20 * SEEDS_OF_ONE_TEST


class Stall(threading.Event):
    """What a flush waits for; it says when one has begun to."""

    def __init__(self):
        super().__init__()
        self.began = threading.Event()

    def wait(self, timeout=None):
        self.began.set()
        return super().wait(timeout)


async def test_while_a_flush_stalls_nothing_is_acknowledged_and_reads_go_on(tmp_path):
    disk = SimDisk()
    options = StoreOptions(disk=disk)
    async with open_store(tmp_path, stamp=stamp, clock=SystemClock(), options=options) as store:
        await put(store, PODS + "x/a", 1)
        disk.faults.stall = stall = Stall()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(store.commit([Put(PODS + "x/b", a_value("b"), 0)]))
            watcher = store.watch(PODS, 1)
            await asyncio.to_thread(stall.began.wait)
            for _ in range(1000):
                await asyncio.sleep(0)
                assert store.get(PODS + "x/a") is not None
                assert (store.get(PODS + "x/b"), watcher.progress(), waiting.done()) == (None, 1, False)
            stall.set()
        assert isinstance(waiting.result(), Committed)
