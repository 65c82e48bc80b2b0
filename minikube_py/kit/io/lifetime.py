"""Bounded clean-up: what must still happen when a task is being cancelled."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress


async def finish_within(seconds: float, work: Awaitable[object]) -> bool:
    """Run `work` to its end even if the caller is cancelled meanwhile, for at most `seconds`.

    Returns:
        True when the work ended by itself, False when it was cut off at the deadline.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    deadline = asyncio.get_running_loop().time() + seconds
    while not task.done():
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            break
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError as error:
            cancelled = error
    ended = task.done()
    if not ended:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if cancelled is not None:
        raise cancelled
    if ended:
        task.result()
    return ended
