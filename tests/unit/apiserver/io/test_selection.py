import asyncio

import pytest

from minikube_py.api.resources import PODS
from minikube_py.api.selectors import parse_field_selector, parse_label_selector
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.io.selection import WORTH_AN_INDEX, Selections, matching
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.selection_index import INDEXES_MAX
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Delete, Put
from minikube_py.store.io.memory_store import MemoryStore

WEB = Filter(labels=parse_label_selector("app=web"))
COUNT = 3 * WORTH_AN_INDEX


def key(number):
    return PODS.storage_key("default", f"p{number:04}")


def value(number, app, node=""):
    meta = {"name": f"p{number:04}", "namespace": "default", "labels": {"app": app, "n": str(number)}}
    return canonical({"metadata": meta, "spec": {"nodeName": node}})


@pytest.fixture
async def store():
    store = MemoryStore(stamp, SystemClock())
    for number in range(COUNT):
        await store.commit([Put(key(number), value(number, "web" if number % 10 == 0 else "db", f"n{number}"), 0)])
    return store


class Counting:
    """A store that counts how often a collection is read whole."""

    def __init__(self, store):
        self._store = store
        self.ranges = 0

    def range(self, prefix, **options):
        self.ranges += 1
        return self._store.range(prefix, **options)

    def __getattr__(self, name):
        return getattr(self._store, name)


async def names(selections, filter_, after=""):
    entries = await selections.find(PODS, filter_, PODS.storage_prefix, after)
    found, _ = await matching(PODS, filter_, entries)
    return [entry.key for entry in found]


async def test_a_label_is_looked_up_and_the_collection_read_once(store):
    counting = Counting(store)
    selections = Selections(counting, (PODS,))
    expected = [key(number) for number in range(0, COUNT, 10)]

    assert await names(selections, WEB) == expected
    assert await names(selections, WEB, key(0)) == expected[1:]
    assert counting.ranges == 1


async def test_the_index_follows_every_write(store):
    selections = Selections(store, (PODS,))
    await names(selections, WEB)
    await store.commit([Put(key(1), value(1, "web"), None), Delete(key(0), None)])
    await store.commit([Put(key(10), value(10, "db"), None), Put(key(COUNT), value(COUNT, "web"), 0)])

    assert await names(selections, WEB) == [key(1), *(key(n) for n in range(20, COUNT, 10)), key(COUNT)]


async def test_what_is_written_while_the_index_is_made_is_in_it(store):
    selections = Selections(store, (PODS,))
    async with asyncio.TaskGroup() as group:
        making = group.create_task(names(selections, WEB))
        await asyncio.sleep(0)
        await store.commit([Put(key(1), value(1, "web"), None), Delete(key(0), None)])
        await store.commit([Delete(key(COUNT - 10), None)])

    left = [key(1), *(key(n) for n in range(10, COUNT - 10, 10))]
    assert making.result() == left
    assert await names(selections, WEB) == left


async def test_the_equality_that_selects_most_is_taken(store):
    selections = Selections(store, (PODS,))
    both = Filter(labels=parse_label_selector("app=db"), fields=parse_field_selector("spec.nodeName=n7"))

    assert [e.key for e in await selections.find(PODS, both, PODS.storage_prefix, "")] == [key(7)]


async def test_a_name_is_read_directly(store):
    counting = Counting(store)
    selections = Selections(counting, (PODS,))
    one = Filter("default", fields=parse_field_selector("metadata.name=p0003"))

    assert await names(selections, one) == [key(3)]
    assert await names(selections, one, key(3)) == []
    assert counting.ranges == 0


async def test_the_indexes_of_a_resource_are_bounded(store):
    selections = Selections(store, (PODS,))
    for number in range(INDEXES_MAX + 5):
        assert await names(selections, Filter(labels=parse_label_selector(f"x{number}=1"))) == []

    assert len(selections._indexes[PODS.storage_prefix]) == INDEXES_MAX


async def test_a_page_says_whether_there_are_more(store):
    entries = store.range(PODS.storage_prefix)

    assert await matching(PODS, WEB, entries, 2) == ([entries[0], entries[10]], True)
    assert (await matching(PODS, WEB, entries, COUNT // 10))[1] is False
