"""Waiting until a number that only grows has grown so far: a store's revision, or the one that a copy has reached."""

import asyncio


class Growth:
    """The waiting of one such number; whoever has it says with `reach` how far it is."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], int] = {}
        """Each with the number that it waits for; bounded by who waits."""

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until `number` is reached; False when `timeout_s` passes first."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = number
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.pop(waiter, None)
        return True

    def reach(self, number: int) -> None:
        """Let those go on who wait for no more than this."""
        if not self._waiters:
            return
        for waiter in [waiter for waiter, awaited in self._waiters.items() if awaited <= number]:
            del self._waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)
