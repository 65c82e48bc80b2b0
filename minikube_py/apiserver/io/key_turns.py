"""One change of an object at a time, so that many clients who change the same object do not undo one another's work.

A change is decided on what is stored and refused by the store when that has changed meanwhile; of n that begin
together one wins and the others begin again, n²/2 in all, and the last ones run out of tries. In turns each is
decided once. Nobody may hold a turn while somebody outside is asked (a webhook may itself change the object).
"""

import asyncio


class KeyTurns:
    """Turns by key, first come first served; a key that nobody uses costs nothing."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def turn(self, key: str) -> "_Turn":
        """Return a context: it is entered when the turn has come, and holds it."""
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = _Turn(self._turns, key)
        return turn


class _Turn:
    """The turn of one key, for all who use it."""

    __slots__ = ("_key", "_lock", "_turns", "_users")

    def __init__(self, turns: "dict[str, _Turn]", key: str) -> None:
        self._turns = turns
        self._key = key
        self._lock = asyncio.Lock()
        self._users = 0

    async def __aenter__(self) -> None:
        self._users += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            del self._turns[self._key]
