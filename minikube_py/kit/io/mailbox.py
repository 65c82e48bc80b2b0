"""A bounded queue with a stated behaviour when it is full."""

import asyncio
from collections import deque
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class OnFull(Enum):
    """What happens to a message that finds the mailbox full."""

    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"
    DISCONNECT = "disconnect"


class MailboxClosedError(Exception):
    """The reader was too slow (DISCONNECT) or the mailbox was closed."""


class Mailbox(Generic[T]):
    """Messages for one owner task; at `size_max` messages `on_full` decides."""

    def __init__(self, size_max: int, on_full: OnFull) -> None:
        self._items: deque[T] = deque()
        self._size_max = size_max
        self._on_full = on_full
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def put_nowait(self, item: T) -> bool:
        """Put without waiting.

        Returns:
            False when a BLOCK mailbox is full (the item is not taken); True otherwise.
        """
        if self._closed:
            return True
        if len(self._items) >= self._size_max:
            if self._on_full is OnFull.BLOCK:
                self._room.clear()
                return False
            if self._on_full is OnFull.DISCONNECT:
                self.close()
                return True
            self._items.popleft()
        self._items.append(item)
        self._changed.set()
        return True

    def put_over_bound(self, item: T) -> None:
        """Put although it is full: for a sender that has just stopped its own source and must not lose the rest."""
        self._items.append(item)
        self._changed.set()

    async def put(self, item: T) -> None:
        """Put, waiting for room when the mailbox blocks."""
        while not self.put_nowait(item):
            await self._room.wait()

    async def get(self) -> T:
        """Return the next message.

        Raises:
            MailboxClosedError: the mailbox is closed and empty, or was cut off because its reader was too slow.
        """
        while not self._items:
            if self._closed:
                raise MailboxClosedError
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        self._room.set()
        return item

    def close(self) -> None:
        """Let the reader end; with DISCONNECT pending messages are lost, and the reader knows."""
        self._closed = True
        if self._on_full is OnFull.DISCONNECT:
            self._items.clear()
        self._changed.set()
        self._room.set()

    def __len__(self) -> int:
        return len(self._items)
