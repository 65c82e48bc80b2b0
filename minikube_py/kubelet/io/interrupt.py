"""Giving up a long wait (a pull, a hook) the moment its pod is to be stopped."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class InterruptedByStopError(Exception):
    """The work was cancelled because the event came first."""


async def run_unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, or cancel it as soon as `event` is set.

    Raises:
        InterruptedByStopError: the event came first. Errors of `work` pass through as they are.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            waiter = group.create_task(event.wait())
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
            waiter.cancel()
    except BaseExceptionGroup as errors:
        # One task that can fail: its error is what the caller knows how to handle.
        raise errors.exceptions[0] from None
    if task.cancelled():
        raise InterruptedByStopError
    return task.result()
