import asyncio
import threading

import pytest

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.decisions import complete_nothing
from minikube_py.apiserver.io.heavy_work import HeavyWork, asking


@pytest.fixture
def heavy_work():
    work = HeavyWork(works_max=8)
    yield work
    work.close()


async def test_what_is_heavy_is_done_on_another_thread_and_what_is_not_at_once(heavy_work):
    here = threading.get_ident()

    assert await heavy_work.run_if(True, threading.get_ident) != here
    assert await heavy_work.run_if(False, threading.get_ident) == here


async def test_an_error_of_a_work_is_that_of_who_waits_for_it(heavy_work):
    with pytest.raises(ZeroDivisionError):
        await heavy_work.run(lambda: 1 / 0)


async def test_works_beyond_the_bound_are_to_be_tried_again_later(heavy_work):
    go_on = threading.Event()
    async with asyncio.TaskGroup() as group:
        taken = [group.create_task(heavy_work.run(go_on.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsError) as refused:
            await heavy_work.run(int)
        assert refused.value.retry_after_s == 1
        go_on.set()
    assert all(task.result() for task in taken)
    assert await heavy_work.run(int) == 0


async def test_a_work_that_nobody_waits_for_any_more_leaves_the_queue(heavy_work):
    go_on, done = threading.Event(), []
    async with asyncio.TaskGroup() as group:
        group.create_task(heavy_work.run(go_on.wait))
        waiting = group.create_task(heavy_work.run(lambda: done.append(1)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        go_on.set()
    assert await heavy_work.run(int) == 0
    assert done == []


async def test_a_work_that_nobody_waits_for_any_more_does_not_keep_others_from_the_thread(heavy_work):
    begun = threading.Event()
    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(heavy_work.run(lambda: _endless(begun)))
        await asyncio.to_thread(begun.wait)
        given_up.cancel()
    assert await heavy_work.run(int) == 0


def _endless(begun):
    begun.set()
    while True:
        pass


async def test_the_works_of_one_user_do_not_wait_for_all_of_anothers(heavy_work):
    go_on, order = threading.Event(), []

    async def work(user, name, what):
        async with heavy_work.turn(user, 1):
            await heavy_work.run(what)
            order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(work("a", "a1", go_on.wait))
        await asyncio.sleep(0)
        group.create_task(work("b", "b1", int))
        group.create_task(work("b", "b2", int))
        group.create_task(work("c", "c1", int))
        await asyncio.sleep(0)
        go_on.set()
    assert order == ["a1", "b1", "c1", "b2"]


async def test_a_work_asks_the_loop_for_what_only_the_loop_may_touch(heavy_work):
    asked_on = []

    def complete(new, old):
        asked_on.append((threading.get_ident(), new, old))
        return ("fault",)

    with asking(complete) as ask:
        assert await heavy_work.run(lambda: ask({"a": 1}, None)) == ("fault",)
    assert asked_on == [(threading.get_ident(), {"a": 1}, None)]


async def test_nothing_is_asked_for_who_needs_nothing():
    with asking(complete_nothing) as ask:
        assert ask is complete_nothing


async def test_a_work_whose_request_has_ended_is_given_nothing(heavy_work):
    begun, go_on, given = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        go_on.wait()
        ask({}, None)

    with asking(lambda new, old: given.append(1) or ()) as ask:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(heavy_work.run(work))
            await asyncio.to_thread(begun.wait)
            task.cancel()
    go_on.set()
    assert await heavy_work.run(int) == 0
    assert given == []
