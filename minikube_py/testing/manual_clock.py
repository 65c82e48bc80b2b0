"""A clock that only moves when told, so that a test of an hour takes milliseconds (kit.clock.Clock)."""

import asyncio
import heapq
from itertools import count


class ManualClock:
    """Time starts at `wall_s` (2026-01-01 unless given) and `now_s` 1000; sleepers wake in order of their time."""

    def __init__(self, wall_s: float = 1767225600.0) -> None:
        self._now_s = 1000.0
        self._wall_offset_s = wall_s - self._now_s
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_s(self) -> float:
        """Return monotonic seconds."""
        return self._now_s

    def wall_s(self) -> float:
        """Return seconds since the Unix epoch."""
        return self._now_s + self._wall_offset_s

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the time that far; only yields once for zero or less."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + seconds, next(self._order), future))
        await future

    def move(self, seconds: float) -> None:
        """Move the time without letting anybody run: for tests without a loop."""
        self._now_s += seconds

    async def advance(self, seconds: float) -> None:
        """Move the time, waking each sleeper at its own moment and letting what it woke run."""
        end_s = self._now_s + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            wake_s, _, future = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, wake_s)
            if not future.done():
                future.set_result(None)
            await settle()
        self._now_s = end_s
        await settle()

    def next_wakeup_s(self) -> float | None:
        """Return in how many seconds the next sleeper wakes, or None when nobody sleeps."""
        pending = [wake_s for wake_s, _, future in self._sleepers if not future.done()]
        return min(pending) - self._now_s if pending else None


async def settle(turns: int = 50) -> None:
    """Let the tasks that are ready run; for tests that use no real I/O, instead of sleeping."""
    for _ in range(turns):
        await asyncio.sleep(0)
