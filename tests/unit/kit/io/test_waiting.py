import asyncio

from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.testing.manual_clock import ManualClock, settle


async def test_an_event_ends_the_wait_before_its_time():
    event, clock = asyncio.Event(), ManualClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_event_or_sleep(event, clock, 5))
        await settle()
        assert not waiting.done()
        event.set()
    assert waiting.result()


async def test_without_the_event_the_wait_ends_with_its_time():
    clock = ManualClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_event_or_sleep(asyncio.Event(), clock, 5))
        await settle()
        await clock.advance(6)
    assert not waiting.result()
