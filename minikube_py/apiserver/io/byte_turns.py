"""Turns by size: what takes much memory waits until there is room, one user after the other.

A request whose body has three megabytes holds up to a hundred while it is decoded, decided upon and written. As many
of them as have room in `bytes_max` go on at one time; one that is alone always may.

While a webhook is asked, the turn is put aside: the webhook may itself make a request as heavy, which would otherwise
wait for this one until its time is over. What is aside is bounded too: beyond `aside_bytes_max` no turn begins.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.io.fair_room import FairRoom


class ByteTurns:
    """Turns for at most `bytes_max` bytes at one time; beyond `waiting_max` that wait, one is refused with 429."""

    def __init__(self, bytes_max: int, aside_bytes_max: int, waiting_max: int) -> None:
        self._aside_bytes_max = aside_bytes_max
        self._room = FairRoom(bytes_max, waiting_max)
        self._aside_bytes = 0

    @asynccontextmanager
    async def turn(self, user: str, size_bytes: int) -> AsyncIterator[None]:
        """Wait for room, and hold it while the context lasts; what is done in it knows its turn (`user_in_turn`).

        Raises:
            TooManyRequestsError: too many wait, or too much was put aside.
        """
        if self._aside_bytes > self._aside_bytes_max:
            raise TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)
        await self._room.take(user, size_bytes)
        turn = _Turn(self, user, size_bytes)
        token = _TURN.set(turn)
        try:
            yield
        finally:
            _TURN.reset(token)
            turn.end()

    def put_aside(self, size_bytes: int) -> None:
        """Let others have the room of a turn that goes on later."""
        self._aside_bytes += size_bytes
        self._room.give_back(size_bytes)

    async def take_up(self, size_bytes: int) -> None:
        """Wait for room for a turn that was put aside; it stays there when this is cancelled."""
        await self._room.take_again(size_bytes)
        self._aside_bytes -= size_bytes

    def end(self, size_bytes: int, *, aside: bool) -> None:
        """End a turn."""
        if aside:
            self._aside_bytes -= size_bytes
        else:
            self._room.give_back(size_bytes)


class _Turn:
    """One turn; several questions may be asked side by side in it."""

    def __init__(self, turns: ByteTurns, user: str, size_bytes: int) -> None:
        self.user = user
        self._turns = turns
        self._size_bytes = size_bytes
        self._asking = 0
        self._aside = False
        self._taking_up = asyncio.Lock()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        self._asking += 1
        self._put_aside()
        try:
            yield
        finally:
            self._asking -= 1
            async with self._taking_up:
                await self._take_up()

    def _put_aside(self) -> None:
        if not self._aside:
            self._aside = True
            self._turns.put_aside(self._size_bytes)

    async def _take_up(self) -> None:
        if not self._aside or self._asking:
            return
        await self._turns.take_up(self._size_bytes)
        self._aside = False
        if self._asking:
            self._put_aside()  # another question was asked meanwhile

    def end(self) -> None:
        self._turns.end(self._size_bytes, aside=self._aside)


_TURN: ContextVar[_Turn | None] = ContextVar("turn", default=None)
_READER: ContextVar[str] = ContextVar("reader", default="")


def user_in_turn() -> str:
    """Return for whom it is that something is done here; empty: for nobody, or for all."""
    turn = _TURN.get()
    return turn.user if turn is not None else _READER.get()


@contextmanager
def reading_for(user: str) -> Iterator[None]:
    """Let what is done while the context lasts be a user's: a read has no turn of its own, but what it needs may."""
    token = _READER.set(user)
    try:
        yield
    finally:
        _READER.reset(token)


@asynccontextmanager
async def asking_outside() -> AsyncIterator[None]:
    """Put the turn that this belongs to, if any, aside while the context lasts, and wait for it again at the end."""
    turn = _TURN.get()
    if turn is None:
        yield
        return
    async with turn.asking():
        yield
