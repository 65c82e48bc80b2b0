"""Waiting until a number that only grows has grown so far: a store's revision, or the one that a copy has reached."""

import asyncio


class Growth:
    """The waiting of one such number; whoever has it says with `reach` how far it is."""

    def __init__(self) -> None:
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until `number` is reached; False when `timeout_s` passes first."""
        waiter = (number, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter[1]
        except TimeoutError:
            return False
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        return True

    def reach(self, number: int) -> None:
        """Let those go on who wait for no more than this."""
        if not self._waiters:
            return
        for awaited, future in self._waiters:
            if awaited <= number and not future.done():
                future.set_result(None)
        self._waiters = [waiter for waiter in self._waiters if not waiter[1].done()]
