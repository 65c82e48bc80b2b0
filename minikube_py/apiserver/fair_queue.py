"""Who is next: one user after the other, each in the order of his requests, so that nobody waits for another's queue.

Upstream: apiserver util/flowcontrol (fair queuing); there by flow schema, and by shuffle sharding.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """At most `waiting_max` items in all, and `of_one_max` of one user."""

    def __init__(self, waiting_max: int, of_one_max: int) -> None:
        self._waiting_max = waiting_max
        self._of_one_max = of_one_max
        self._count = 0
        self._by_user: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def push(self, user: str, item: T) -> bool:
        """Let an item of this user wait; False: there is no place for it."""
        mine = self._by_user.get(user, ())
        if self._count >= self._waiting_max or len(mine) >= self._of_one_max:
            return False
        self._by_user.setdefault(user, deque()).append(item)
        self._count += 1
        return True

    def remove(self, user: str, item: T) -> None:
        """Take an item of this user out of turn; fine when it had its turn."""
        mine = self._by_user.get(user)
        if mine is None or item not in mine:
            return
        mine.remove(item)
        self._count -= 1
        if not mine:
            del self._by_user[user]

    def head(self) -> T:
        """Return whose turn it is; there must be one."""
        return next(iter(self._by_user.values()))[0]

    def pop(self) -> T:
        """Take whose turn it is out; his user's next item waits until all other users had a turn."""
        user, items = next(iter(self._by_user.items()))
        item = items.popleft()
        self._count -= 1
        if items:
            self._by_user.move_to_end(user)
        else:
            del self._by_user[user]
        return item
