"""One change of an object at a time, so that many clients who change the same object do not undo one another's work.

A change is decided on what is stored and refused by the store when that has changed meanwhile; of n that begin
together one wins and the others begin again, n²/2 in all, and the last ones run out of tries. In turns each is
decided once. Nobody may hold a turn while somebody outside is asked (a webhook may itself change the object).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyTurns:
    """Turns by key, first come first served; a key that nobody uses costs nothing."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for the turn, and hold it while the context lasts."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
