"""Room that requests wait for: so much at one time, and one user after the other when it does not do for all."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.fair_queue import FairQueue

SHARE_OF_ONE = 4
"""One user has at most one in so many of the places to wait."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    size: int
    granted: "asyncio.Future[None]"


class FairRoom:
    """Room for `room_max`; what is larger than that has it alone. Beyond `waiting_max` that wait: 429."""

    def __init__(self, room_max: int, waiting_max: int) -> None:
        self._room_max = room_max
        self._taken = 0
        self._queue: FairQueue[_Waiting] = FairQueue(waiting_max, max(1, waiting_max // SHARE_OF_ONE))
        self._returning: deque[_Waiting] = deque()

    async def take(self, user: str, size: int) -> None:
        """Wait for room, and take it.

        Raises:
            TooManyRequestsError: too many wait.
        """
        if not self._someone_waits() and self._fits(size):
            self._taken += size
            return
        waiting = _Waiting(size, asyncio.get_running_loop().create_future())
        if not self._queue.push(user, waiting):
            raise TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)
        await self._granted(waiting, partial(self._queue.remove, user, waiting))

    async def take_again(self, size: int) -> None:
        """As `take`, before all who have not begun yet: who has had room before holds what he has made in it."""
        if not self._returning and self._fits(size):
            self._taken += size
            return
        waiting = _Waiting(size, asyncio.get_running_loop().create_future())
        self._returning.append(waiting)
        await self._granted(waiting, partial(self._leave_returning, waiting))

    def give_back(self, size: int) -> None:
        """Let others have it."""
        self._taken -= size
        self._grant()

    async def _granted(self, waiting: _Waiting, leave: Callable[[], None]) -> None:
        """Wait until there is room; who does not wait any more leaves his place to others."""
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if waiting.granted.done() and not waiting.granted.cancelled():
                self.give_back(waiting.size)  # it was given in the very moment
            else:
                leave()
                self._grant()  # whoever waits behind may have room
            raise

    def _leave_returning(self, waiting: _Waiting) -> None:
        with suppress(ValueError):  # it was passed over already
            self._returning.remove(waiting)

    def _someone_waits(self) -> bool:
        return bool(self._returning or self._queue)

    def _fits(self, size: int) -> bool:
        return not self._taken or self._taken + size <= self._room_max

    def _grant(self) -> None:
        while self._someone_waits():
            waiting = self._returning[0] if self._returning else self._queue.head()
            if not waiting.granted.cancelled() and not self._fits(waiting.size):
                return
            if self._returning:
                self._returning.popleft()
            else:
                self._queue.pop()
            if not waiting.granted.cancelled():
                self._taken += waiting.size
                waiting.granted.set_result(None)
