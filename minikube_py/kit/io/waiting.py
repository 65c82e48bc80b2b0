"""Waiting for whichever comes first, an event or a moment of the clock."""

import asyncio

from minikube_py.kit.clock import Clock


async def wait_event_or_sleep(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Return when the event is set or `seconds` of the clock have passed; True when it is set then."""
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(event.wait()), group.create_task(clock.sleep(seconds))}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
    return event.is_set()
