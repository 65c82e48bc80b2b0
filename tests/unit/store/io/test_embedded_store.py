import asyncio
import itertools

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state, diff_states
from minikube_py.store.interface import Committed, Delete, Put, Rejected, StoreReadOnlyError
from minikube_py.store.io import embedded_store
from minikube_py.store.io.open_store import open_store
from minikube_py.store.io.wal import LogBrokenError, LogFullError
from minikube_py.testing.contracts_store import PODS, a_value, delete, put


def opened(directory):
    return open_store(directory, stamp=stamp, clock=SystemClock())


async def test_everything_is_there_after_a_new_start_history_included(tmp_path):
    async with opened(tmp_path) as store:
        for at in range(5):
            await put(store, PODS + f"x/{at}", at)
        await put(store, PODS + "x/0", 9)
        await delete(store, PODS + "x/1")
        before = store.state
    async with opened(tmp_path) as store:
        assert diff_states(before, store.state) == ()
        assert check_state(store.state) == ()
        assert await put(store, PODS + "x/new") == 8
        events, _ = await store.watch(PODS, 5).next_batch()
        assert [event.revision for event in events] == [6, 7, 8]


async def test_many_writers_share_a_flush_and_keep_their_order(tmp_path):
    async with opened(tmp_path) as store:
        appended = []
        append = store._wal.append

        def counted(payloads, before, **options):
            appended.append(len(payloads))
            return append(payloads, before, **options)

        store._wal.append = counted
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(put(store, PODS + f"x/{at:03}")) for at in range(200)]

    assert [task.result() for task in tasks] == list(range(1, 201))
    assert sum(appended) == 200
    assert len(appended) < 10


async def test_a_group_may_hold_transactions_that_build_on_one_another(tmp_path):
    async with opened(tmp_path) as store:
        async with asyncio.TaskGroup() as group:
            created = group.create_task(store.commit([Put(PODS + "a", a_value("a"), 0)]))
            updated = group.create_task(store.commit([Put(PODS + "a", a_value("a", 1), 1)]))
            deleted = group.create_task(store.commit([Delete(PODS + "a", 2)]))
            late = group.create_task(store.commit([Put(PODS + "a", a_value("a"), 2)]))
        assert [task.result().revision for task in (created, updated, deleted)] == [1, 2, 3]
        assert late.result() == Rejected(PODS + "a", None)
        before = store.state
    async with opened(tmp_path) as store:
        assert diff_states(before, store.state) == ()


async def test_a_full_disk_refuses_writes_and_serves_reads_until_there_is_room(tmp_path):
    async with opened(tmp_path) as store:
        await put(store, PODS + "x/a")
        append, store._wal.append = store._wal.append, raiser(LogFullError("no space left"))
        async with asyncio.TaskGroup() as group:
            first = group.create_task(outcome(store.commit([Put(PODS + "x/b", a_value("b"), 0)])))
            second = group.create_task(outcome(store.commit([Put(PODS + "x/b", a_value("b"), 0)])))
            third = group.create_task(outcome(store.commit([Put(PODS + "x/a", a_value("a"), 0)])))
        assert isinstance(first.result(), StoreReadOnlyError)
        assert isinstance(second.result(), StoreReadOnlyError)
        assert isinstance(third.result(), Rejected)
        assert (store.revision, store.get(PODS + "x/b")) == (1, None)
        store._wal.append = append
        assert await put(store, PODS + "x/b") == 2


async def test_a_failed_flush_ends_the_store_and_everybody_who_waits(tmp_path):
    outcomes = []
    with pytest.raises(ExceptionGroup) as raised:
        async with opened(tmp_path) as store:
            store._wal.append = raiser(LogBrokenError("EIO"))
            outcomes.append(await outcome(store.commit([Put(PODS + "x/a", a_value("a"), 0)])))
            outcomes.append(await outcome(store.commit([Put(PODS + "x/b", a_value("b"), 0)])))
            await asyncio.Event().wait()

    assert raised.group_contains(LogBrokenError)
    assert [type(result) for result in outcomes] == [StoreReadOnlyError, StoreReadOnlyError]


async def test_what_waits_is_written_before_the_store_closes_and_nothing_later(tmp_path):
    async with opened(tmp_path) as store, asyncio.TaskGroup() as group:
        task = group.create_task(outcome(store.commit([Put(PODS + "x/a", a_value("a"), 0)])))
        await asyncio.sleep(0)
        store.stop()
        with pytest.raises(StoreReadOnlyError):
            await store.commit([Put(PODS + "x/b", a_value("b"), 0)])

    assert isinstance(task.result(), Committed)
    async with opened(tmp_path) as store:
        assert store.count("") == 1


async def test_a_full_queue_makes_proposers_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_store, "QUEUE_MAX", 3)
    async with opened(tmp_path) as store:
        async with asyncio.TaskGroup() as group:
            for at in range(30):
                group.create_task(put(store, PODS + f"x/{at}"))
            await asyncio.sleep(0)
            assert len(store._queue) <= 3
        assert store.count(PODS) == 30


async def test_a_proposer_that_was_cancelled_holds_up_nobody(tmp_path):
    async with opened(tmp_path) as store:
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(put(store, PODS + "x/a"))
            await asyncio.sleep(0)
            gone.cancel()
        assert await put(store, PODS + "x/b") == store.revision
        assert not store._pending_keys


async def test_a_transaction_beyond_any_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_store, "TRANSACTION_BYTES_MAX", 10)
    async with opened(tmp_path) as store:
        with pytest.raises(ValueError, match="the most is 10"):
            await put(store, PODS + "x/a")


def raiser(error: Exception):
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


async def outcome(commit):
    try:
        return await commit
    except StoreReadOnlyError as error:
        return error


async def test_deletions_go_on_when_the_disk_is_nearly_full(tmp_path):
    async with opened(tmp_path) as store:
        await put(store, PODS + "x/a")
        await put(store, PODS + "x/b")
        append = store._wal.append

        def nearly_full(payloads, before, *, reserve_bytes):
            if reserve_bytes != 0:
                raise LogFullError("nearly full")
            return append(payloads, before, reserve_bytes=reserve_bytes)

        store._wal.append = nearly_full
        with pytest.raises(StoreReadOnlyError):
            await put(store, PODS + "x/c")
        async with asyncio.TaskGroup() as group:
            refused = group.create_task(outcome(store.commit([Put(PODS + "x/c", a_value("c"), 0)])))
            first = group.create_task(delete(store, PODS + "x/a"))
            also_refused = group.create_task(outcome(store.commit([Put(PODS + "x/d", a_value("d"), 0)])))
            second = group.create_task(delete(store, PODS + "x/b"))
        assert isinstance(refused.result(), StoreReadOnlyError)
        assert isinstance(also_refused.result(), StoreReadOnlyError)
        assert (first.result(), second.result()) == (3, 4)
        store._wal.append = append
        assert await put(store, PODS + "x/c") == 5


def many(group, store, count):
    return [group.create_task(put(store, PODS + f"x/{at:03}")) for at in range(count)]


async def test_a_large_group_is_applied_and_answered_in_turns_with_others(tmp_path):
    async with opened(tmp_path) as store, asyncio.TaskGroup() as group:
        tasks = many(group, store, 100)
        seen = [0]
        while seen[-1] < 100:
            await asyncio.sleep(0)
            seen.append(store.revision)
            assert sum(task.done() for task in tasks) <= store.revision

    steps = [after - before for before, after in itertools.pairwise(seen)]
    assert max(steps) == embedded_store.APPLIED_PER_TURN_MAX


async def test_a_group_that_is_durable_is_answered_even_when_the_store_ends_in_the_middle(tmp_path):
    async with asyncio.TaskGroup() as group:
        with pytest.RaisesGroup(RuntimeError):
            async with opened(tmp_path) as store:
                tasks = many(group, store, 100)
                while not store.revision:
                    await asyncio.sleep(0)
                assert store.revision < 100
                raise RuntimeError

    assert [task.result() for task in tasks] == list(range(1, 101))
    async with opened(tmp_path) as store:
        assert store.revision == 100
