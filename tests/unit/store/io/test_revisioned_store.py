import asyncio

from minikube_py.apiserver.canonical import stamp
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.contracts_store import PODS, put
from minikube_py.testing.manual_clock import ManualClock, settle


async def test_closed_watchers_are_forgotten():
    store = MemoryStore(stamp, ManualClock())
    watchers = [store.watch(PODS, 0) for _ in range(3)]
    for watcher in watchers:
        watcher.close()

    assert store._hub._folders == {}


async def test_a_watch_that_begins_within_a_listener_gets_each_event_once():
    store = MemoryStore(stamp, ManualClock())
    watchers = []
    store.on_commit(lambda events: watchers.append(store.watch(PODS, events[0].revision - 1)))
    await put(store, PODS + "x/a")
    await put(store, PODS + "x/b")

    first, _ = await watchers[0].next_batch()
    second, _ = await watchers[1].next_batch()
    assert [event.revision for event in first] == [1, 2]
    assert [event.revision for event in second] == [2]


async def test_one_who_waits_for_a_far_revision_is_not_woken_by_a_near_one():
    store = MemoryStore(stamp, ManualClock())
    async with asyncio.TaskGroup() as group:
        near = group.create_task(store.wait_revision(1, 5))
        far = group.create_task(store.wait_revision(2, 5))
        await settle()
        await put(store, PODS + "x/a")
        await settle()
        assert (near.done(), far.done()) == (True, False)
        await put(store, PODS + "x/a")
    assert far.result()
