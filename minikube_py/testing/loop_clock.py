"""A clock that is the event loop's: with looptime, timeouts and sleeps alike pass in no time (kit.clock.Clock)."""

import asyncio

EPOCH_WALL_S = 1767225600.0
"""2026-01-01: the wall clock when the loop's time is 0."""


class LoopClock:
    """`now_s` is the loop's time; the wall clock runs along with it."""

    def now_s(self) -> float:
        """Return monotonic seconds."""
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        """Return seconds since the Unix epoch."""
        return EPOCH_WALL_S + self.now_s()

    async def sleep(self, seconds: float) -> None:
        """Sleep in the loop's time."""
        await asyncio.sleep(max(0.0, seconds))
