import asyncio

from minikube_py.client.io.waiting_queue import WaitingQueue
from minikube_py.kit.backoff import BackoffPolicy
from minikube_py.testing.manual_clock import ManualClock, settle


async def test_a_waiting_worker_gets_a_key_when_it_is_added():
    queue = WaitingQueue(ManualClock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(queue.get())
        await settle()
        queue.add("a")

    assert task.result() == "a"


async def test_a_delayed_key_comes_at_its_time_and_an_added_one_before_it():
    clock = ManualClock()
    queue = WaitingQueue(clock)
    queue.add_after("late", 5)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(queue.get())
        await clock.advance(1)
        queue.add("soon")
        await settle()
        assert first.result() == "soon"
        second = group.create_task(queue.get())
        await clock.advance(3.9)
        assert not second.done()
        await clock.advance(0.1)
        assert second.result() == "late"


async def test_a_key_that_is_done_after_it_was_added_again_comes_again():
    queue = WaitingQueue(ManualClock())
    queue.add("a")
    await queue.get()
    queue.add("a")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(queue.get())
        await settle()
        assert not task.done()
        queue.done("a")

    assert task.result() == "a"
    queue.done("a")
    assert queue.idle


async def test_a_failed_key_comes_back_after_its_back_off():
    clock = ManualClock()
    queue = WaitingQueue(clock, BackoffPolicy(initial_s=2, maximum_s=8, reset_after_s=100))
    queue.add("a")
    key = await queue.get()
    queue.requeue_failed(key)
    queue.done(key)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(queue.get())
        await clock.advance(1.9)
        assert not task.done()
        await clock.advance(0.2)
        assert task.done()
