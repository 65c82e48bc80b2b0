"""When a watch gets its bookmarks, and when it ends.

Bookmarks come at the interval, and one shortly before the end, so that a client goes on from there without a list.
Upstream: storage/cacher (bookmarkAfterResourceVersion, bookmarkHeartbeat), handlers/get.go (timeouts).
"""

from typing import Protocol

from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.list_options import ListOptions

LAST_BOOKMARK_BEFORE_S = 2.0
"""How long before its end a watch gets its last bookmark."""
WATCH_S_MAX = 7 * 24 * 3600
"""A longer timeoutSeconds is cut to this."""


class Rng(Protocol):
    """What is needed of random.Random."""

    def uniform(self, a: float, b: float, /) -> float:
        """Return a number between a and b."""
        ...


class WatchPace:
    """The timetable of one watch; all times are monotonic seconds."""

    def __init__(self, config: ApiServerConfig, options: ListOptions, now_s: float, rng: Rng) -> None:
        duration_s = min(options.timeout_s, WATCH_S_MAX) or rng.uniform(*config.watch_timeout_s)
        self._interval_s = config.bookmark_interval_s
        self._wants_bookmarks = options.bookmarks
        self._end_s = now_s + duration_s
        self._last_s = self._end_s - min(LAST_BOOKMARK_BEFORE_S, duration_s / 2)
        # The first interval is cut at random, so that watches that begin together do not act together.
        self._next_s = min(self._last_s, now_s + rng.uniform(0.5, 1.0) * self._interval_s)

    def wait_s(self, now_s: float) -> float | None:
        """Return for how long to wait for events now; None when the watch is over."""
        if now_s >= self._end_s:
            return None
        due_s = self._next_s if self._wants_bookmarks else self._end_s
        return max(0.0, min(due_s, self._end_s) - now_s)

    def take_bookmark(self, now_s: float) -> bool:
        """Return whether a bookmark is due, and set the time of the next one."""
        if not self._wants_bookmarks or now_s < self._next_s:
            return False
        following_s = now_s + self._interval_s
        if self._next_s >= self._last_s:
            self._next_s = self._end_s + self._interval_s
        else:
            self._next_s = min(following_s, self._last_s)
        return True
