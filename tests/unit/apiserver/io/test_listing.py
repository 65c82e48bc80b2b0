import asyncio
from functools import partial

import pytest

from minikube_py.api.errors import GoneError, TimeoutStatusError
from minikube_py.api.resources import PODS
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.listing import ExpiredTokenError, ListSource, list_entries
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.list_options import ListOptions, decode_continue, parse_list_options
from minikube_py.apiserver.routes import Route
from minikube_py.store.interface import Delete, Put
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.custom_objects import refuse_conversion
from minikube_py.testing.manual_clock import ManualClock

FIRST_REVISION = 100
FUTURE_WAIT_S = 60.0
HEAVY_WORK = HeavyWork()
VIEWS = Views(refuse_conversion, HEAVY_WORK)


async def a_store(*names):
    store = MemoryStore(stamp, ManualClock(), FIRST_REVISION)
    for name in names:
        await put(store, name)
    return store


async def put(store, name, **labels):
    obj = {"metadata": {"name": name, "namespace": "n", "labels": labels}}
    await store.commit((Put(PODS.storage_key("n", name), canonical(obj), None),))


def options(**query):
    renamed = {("continue" if key == "go_on" else key): value for key, value in query.items()}
    return parse_list_options(Route(PODS, "list", "n", ""), renamed)


async def names(store, future_wait_s=FUTURE_WAIT_S, **query):
    listed = await list_entries(
        ListSource(store, VIEWS, partial(HEAVY_WORK.list_turn, "u")), PODS, options(**query), future_wait_s
    )
    return [decode(entry)["metadata"]["name"] for entry in listed.entries], listed.meta


async def test_pages_of_one_list_show_one_state():
    store = await a_store("a", "b", "c", "d", "e")
    first, meta = await names(store, limit="2")
    await store.commit((Delete(PODS.storage_key("n", "d"), None),))
    await put(store, "bb")
    second, more = await names(store, limit="2", go_on=meta.go_on)
    third, last = await names(store, limit="2", go_on=more.go_on)

    assert (first, second, third) == (["a", "b"], ["c", "d"], ["e"])
    assert [m.revision for m in (meta, more, last)] == [FIRST_REVISION + 5] * 3
    assert (meta.remaining, more.remaining, last.go_on) == (3, 1, "")


async def test_pages_of_a_filtered_list_are_full():
    store = await a_store()
    for number in range(10):
        await put(store, f"p{number}", even=str(number % 2 == 0))
    first, meta = await names(store, limit="3", labelSelector="even=True")
    second, last = await names(store, limit="3", labelSelector="even=True", go_on=meta.go_on)
    assert (first, second) == (["p0", "p2", "p4"], ["p6", "p8"])
    assert meta.remaining is None
    assert last.go_on == ""


async def test_an_exact_state_can_be_had_while_its_history_is_kept():
    store = await a_store("a", "b")
    await store.commit((Delete(PODS.storage_key("n", "a"), None),))
    then = str(FIRST_REVISION + 2)
    exact, _ = await names(store, resourceVersion=then, resourceVersionMatch="Exact")
    newer, _ = await names(store, resourceVersion=then, resourceVersionMatch="NotOlderThan")
    assert (exact, newer) == (["a", "b"], ["b"])
    with pytest.raises(GoneError, match="The resourceVersion for the provided list is too old"):
        await names(store, resourceVersion="5", resourceVersionMatch="Exact")


async def test_a_token_of_a_compacted_state_offers_to_go_on_with_what_is_there():
    store = await a_store("a", "b", "c")
    old = await a_store("a", "b", "c")
    _, meta = await names(old, limit="1")
    token = decode_continue(meta.go_on)
    stale = ListOptions(filter=options().filter, limit=1, go_on=type(token)(5, token.after))
    with pytest.raises(ExpiredTokenError) as expired:
        await list_entries(ListSource(store, VIEWS, partial(HEAVY_WORK.list_turn, "u")), PODS, stale, FUTURE_WAIT_S)
    rest, _ = await names(store, go_on=expired.value.go_on)
    assert rest == ["b", "c"]


async def test_a_state_that_is_not_there_yet_is_waited_for():
    store = await a_store("a")
    async with asyncio.TaskGroup() as group:
        listing = group.create_task(names(store, resourceVersion=str(FIRST_REVISION + 2)))
        await asyncio.sleep(0)
        await put(store, "b")
    assert listing.result()[0] == ["a", "b"]


async def test_a_state_that_does_not_come_is_an_error():
    store = await a_store("a")
    with pytest.raises(TimeoutStatusError, match=f"Too large resource version: 9999, current: {FIRST_REVISION + 1}"):
        await names(store, 0.02, resourceVersion="9999")
