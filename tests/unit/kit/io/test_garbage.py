import asyncio
import gc
import weakref

import pytest

from minikube_py.kit.io.garbage import LOOK_AT_ALL_S, THRESHOLDS, Garbage
from minikube_py.testing.manual_clock import ManualClock


class Node:
    pass


def a_cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node), node


@pytest.fixture(autouse=True)
def _default_afterwards():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_young_cycles_are_collected_and_old_objects_set_aside():
    reference, node = a_cycle()
    del node
    Garbage(ManualClock()).set_aside()

    assert reference() is None
    assert gc.get_freeze_count() > 0


def test_a_cycle_that_died_old_is_found_when_all_are_looked_at():
    clock = ManualClock()
    garbage = Garbage(clock)
    reference, node = a_cycle()
    garbage.set_aside()
    del node
    garbage.set_aside()
    assert reference() is not None
    clock.move(LOOK_AT_ALL_S)
    garbage.set_aside()

    assert reference() is None


async def test_the_default_is_left_behind():
    before = gc.get_threshold()
    task = asyncio.get_running_loop().create_task(Garbage(ManualClock()).run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert gc.get_threshold() == THRESHOLDS
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
