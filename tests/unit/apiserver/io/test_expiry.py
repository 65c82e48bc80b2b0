import asyncio
from contextlib import asynccontextmanager

from minikube_py.api.resources import EVENTS
from minikube_py.apiserver.canonical import stamp
from minikube_py.apiserver.io.expiry import Expiry
from minikube_py.store.interface import Put
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.manual_clock import ManualClock

TTL_S = EVENTS.ttl_s


@asynccontextmanager
async def a_sweeper(objects_max=1000):
    clock = ManualClock()
    store = MemoryStore(stamp, clock)
    expiry = Expiry(store, EVENTS, clock, objects_max)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(expiry.run())
        yield store, clock
        task.cancel()


async def write(store, *names):
    for name in names:
        value = b'{"metadata":{"name":"%s"}}' % name.encode()
        await store.commit((Put(EVENTS.storage_key("n", name), value, None),))


def left(store):
    return [entry.key.rpartition("/")[2] for entry in store.range(EVENTS.storage_prefix)]


async def test_an_object_goes_its_time_after_the_last_write():
    async with a_sweeper() as (store, clock):
        await write(store, "a", "b")
        await clock.advance(TTL_S - 60)
        await write(store, "b")
        assert left(store) == ["a", "b"]
        await clock.advance(120)
        assert left(store) == ["b"]
        await clock.advance(TTL_S)
        assert left(store) == []


async def test_in_a_flood_the_oldest_go_before_their_time():
    async with a_sweeper(objects_max=3) as (store, clock):
        await write(store, "e", "d", "c", "b", "a")
        await clock.advance(30)
        assert left(store) == ["a", "b", "c"]


async def test_other_resources_stay():
    async with a_sweeper() as (store, clock):
        await store.commit((Put("/registry/core/pods/n/p", b'{"metadata":{}}', None),))
        await clock.advance(TTL_S * 2)
        assert store.get("/registry/core/pods/n/p") is not None
