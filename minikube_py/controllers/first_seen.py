"""Since when something is so, when no object says it: remembered from the moment it was first seen.

After a restart the time counts from the start, which errs on the side of waiting. Bounded: at REMEMBERED_MAX entries
the one that was asked for least recently is forgotten, and would wait again.
"""

from collections import OrderedDict
from collections.abc import Hashable

REMEMBERED_MAX = 100_000


class FirstSeen:
    """Remembers when each key was first seen."""

    def __init__(self) -> None:
        self._since_s: OrderedDict[Hashable, float] = OrderedDict()

    def since_s(self, key: Hashable, now_s: float) -> float:
        """Return when `key` was first seen; that is `now_s` when it is new."""
        since_s = self._since_s.setdefault(key, now_s)
        self._since_s.move_to_end(key)
        if len(self._since_s) > REMEMBERED_MAX:
            self._since_s.popitem(last=False)
        return since_s

    def forget(self, key: Hashable) -> None:
        """Forget `key`: it is no longer so."""
        self._since_s.pop(key, None)
