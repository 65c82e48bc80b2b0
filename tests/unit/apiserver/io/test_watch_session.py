import asyncio
from functools import partial

from minikube_py.api.resources import PODS
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.io.converted_watches import ConvertedWatches
from minikube_py.apiserver.io.event_fanout import EventFanout
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.listing import ListSource
from minikube_py.apiserver.io.selection import Selections
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.watch_session import Failed, Happened, InitialEnd, WatchSession, WatchSource
from minikube_py.apiserver.list_options import parse_list_options
from minikube_py.apiserver.negotiate import PLAIN
from minikube_py.apiserver.routes import Route
from minikube_py.store.interface import Put
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.custom_objects import refuse_conversion
from minikube_py.testing.manual_clock import ManualClock

FIRST_REVISION = 100
HEAVY_WORK = HeavyWork()
VIEWS = Views(refuse_conversion, HEAVY_WORK)


class Reader:
    """Follows one watch: what it was told of the past and of the present, in one list."""

    def __init__(self, store, fanout, selections=None, namespace="", future_wait_s=60.0, **query):
        options = parse_list_options(Route(PODS, "watch", namespace, ""), query)
        there = ListSource(store, VIEWS, partial(HEAVY_WORK.list_turn, "u"), selections)
        source = WatchSource(there, fanout.of(PODS))
        self.session = WatchSession(source, options, PLAIN, future_wait_s)
        self.names = []
        self.failure = None

    def deliver(self, batch):
        for change, change_type in batch:
            self.names.append(change.obj(change_type)["metadata"]["name"])

    async def read(self, between=None):
        async for event in self.session.past(self):
            match event:
                case Happened(change, change_type):
                    self.deliver(((change, change_type),))
                case InitialEnd(revision):
                    self.names.append(f"end@{revision}")
                case Failed(error):
                    self.failure = error
            if between is not None:
                await between()


def a_world():
    store = MemoryStore(stamp, ManualClock(), FIRST_REVISION)
    return store, EventFanout(store, VIEWS, ConvertedWatches(VIEWS).take)


async def put(store, *names):
    for name in names:
        obj = {"metadata": {"name": name, "namespace": "n"}}
        await store.commit((Put(PODS.storage_key("n", name), canonical(obj), None),))


async def test_a_watch_begins_with_what_is_there():
    store, fanout = a_world()
    await put(store, "a", "b")
    reader = Reader(store, fanout)
    await reader.read()
    await put(store, "c")
    assert reader.names == ["a", "b", "c"]


async def test_a_watch_from_a_version_begins_after_it():
    store, fanout = a_world()
    await put(store, "a", "b", "c")
    reader = Reader(store, fanout, resourceVersion=str(FIRST_REVISION + 1))
    await reader.read()
    assert reader.names == ["b", "c"]


async def test_what_happens_while_the_past_is_read_is_told_once():
    store, fanout = a_world()
    await put(store, *(f"old{number:02}" for number in range(10)))
    reader = Reader(store, fanout, resourceVersion=str(FIRST_REVISION))
    fresh = iter(range(10))

    async def meanwhile():
        number = next(fresh, None)
        if number is not None:
            await put(store, f"new{number:02}")

    await reader.read(meanwhile)
    await put(store, "live")
    assert len(reader.names) == len(set(reader.names)) == 21
    assert reader.names[-1] == "live"
    assert [name for name in reader.names if name.startswith("new")] == [f"new{number:02}" for number in range(10)]


async def test_initial_events_end_with_their_version():
    store, fanout = a_world()
    await put(store, "a")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    reader = Reader(store, fanout, **query)
    await reader.read()
    assert reader.names == ["a", f"end@{FIRST_REVISION + 1}"]


async def test_a_watch_from_a_compacted_version_fails_and_does_not_go_live():
    store, fanout = a_world()
    await put(store, "a")
    reader = Reader(store, fanout, resourceVersion="5")
    await reader.read()
    assert reader.failure is not None
    assert reader.failure.code == 410
    assert fanout.of(PODS).count == 0


async def test_a_watch_from_the_future_waits_and_then_says_so():
    store, fanout = a_world()
    never = Reader(store, fanout, future_wait_s=0.02, resourceVersion="9999")
    soon = Reader(store, fanout, resourceVersion=str(FIRST_REVISION + 1))
    async with asyncio.TaskGroup() as group:
        group.create_task(never.read())
        group.create_task(soon.read())
        await asyncio.sleep(0)
        await put(store, "a")
    await put(store, "b")
    assert never.failure.code == 410
    assert soon.names == ["b"]


async def test_a_closed_watch_hears_nothing_more():
    store, fanout = a_world()
    reader = Reader(store, fanout)
    await reader.read()
    reader.session.close()
    reader.session.close()
    await put(store, "a")
    assert reader.names == []
    assert fanout.of(PODS).count == 0


class CountingStore(MemoryStore):
    """Counts how often a whole range of keys is read."""

    ranged = 0

    def range(self, prefix, *, after="", limit=0):
        self.ranged += 1
        return super().range(prefix, after=after, limit=limit)


async def test_a_watch_of_one_object_does_not_look_at_the_others():
    store = CountingStore(stamp, ManualClock(), FIRST_REVISION)
    fanout, selections = EventFanout(store, VIEWS, ConvertedWatches(VIEWS).take), Selections(store, [PODS])
    await put(store, "a", "b", "c")
    reader = Reader(store, fanout, selections, "n", fieldSelector="metadata.name=b")
    await reader.read()
    await put(store, "a", "b")
    assert reader.names == ["b", "b"]
    assert store.ranged == 0


async def turns_beside(reading):
    """Return how many turns others had while `reading` went on."""
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        await reading
        counting.cancel()
    return turns


async def test_others_run_while_a_watch_looks_through_what_it_does_not_want():
    store, fanout = a_world()
    await put(store, *(f"p{number}" for number in range(600)))
    of_state = Reader(store, fanout, labelSelector="app=none")
    of_history = Reader(store, fanout, labelSelector="app=none", resourceVersion=str(FIRST_REVISION))
    assert await turns_beside(of_state.read()) > 2
    assert await turns_beside(of_history.read()) > 8
    assert (of_state.names, of_history.names) == ([], [])
