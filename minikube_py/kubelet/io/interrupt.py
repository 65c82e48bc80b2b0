"""Long waits (a pull, a hook) with something beside them: given up the moment their pod is to be stopped."""

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
    return await run_beside(event.wait(), work)


async def run_beside(companion: Coroutine[Any, Any, object], work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; `companion` runs meanwhile, and its end is the end of both.

    Raises:
        InterruptedByStopError: the companion ended first. Errors of `work` pass through as they are.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            beside = group.create_task(companion)
            await asyncio.wait({task, beside}, return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
            beside.cancel()
    except BaseExceptionGroup as errors:
        # One task that can fail: its error is what the caller knows how to handle.
        raise errors.exceptions[0] from None
    if task.cancelled():
        raise InterruptedByStopError
    return task.result()
