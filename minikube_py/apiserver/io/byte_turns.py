"""Turns by size: what takes much memory waits until there is room, first come first served.

A request whose body has three megabytes holds up to a hundred while it is decoded, decided upon and written. As many
of them as have room in `bytes_max` go on at one time; one that is alone always may. A turn lasts over the questions
to webhooks in between, which are bounded in time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from minikube_py.api.errors import TooManyRequestsError


class ByteTurns:
    """Turns for at most `bytes_max` bytes at one time; beyond `waiting_max` that wait, one is refused with 429."""

    def __init__(self, bytes_max: int, waiting_max: int) -> None:
        self._bytes_max = bytes_max
        self._waiting_max = waiting_max
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def turn(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait for room, and hold it while the context lasts.

        Raises:
            TooManyRequestsError: too many wait.
        """
        if self._waiting or not self._fits(size_bytes):
            await self._wait(size_bytes)
        else:
            self._taken += size_bytes
        try:
            yield
        finally:
            self._release(size_bytes)

    async def _wait(self, size_bytes: int) -> None:
        if len(self._waiting) >= self._waiting_max:
            raise TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._release(size_bytes)  # it was given in the very moment
            else:
                self._grant()  # whoever waits behind may have room
            raise

    def _fits(self, size_bytes: int) -> bool:
        return not self._taken or self._taken + size_bytes <= self._bytes_max

    def _release(self, size_bytes: int) -> None:
        self._taken -= size_bytes
        self._grant()

    def _grant(self) -> None:
        while self._waiting and (self._waiting[0][1].cancelled() or self._fits(self._waiting[0][0])):
            size_bytes, granted = self._waiting.popleft()
            if not granted.cancelled():
                self._taken += size_bytes
                granted.set_result(None)
