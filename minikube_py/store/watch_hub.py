"""Who is told what, and who is too slow: the watchers of a store; pure.

Guarantees for each watcher (etcd's names): ordered, unique, reliable, atomic (whole revisions), resumable, and
bookmarkable: `progress` is a revision up to which nothing is still to come. A watcher that starts in the future is
told nothing older. Bookmarks are read from the same buffer as events, so they cannot overtake them.

At PENDING_MAX events or PENDING_BYTES_MAX bytes that nobody fetched (what the watcher asked to have replayed does not
count) it is cut off, so that one slow reader costs a bounded amount of memory and nobody else's time; it must list
again. Upstream: etcd's watchable store, and the API server's watch cache with its terminated watchers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from minikube_py.store.interface import StoreEvent

PENDING_MAX = 4096
PENDING_BYTES_MAX = 16 << 20
FOLDERS_MAX = 4096
"""Folders (kinds and namespaces) whose watchers are remembered; beyond that all are found anew."""


class WatcherState:
    """One watcher: its prefix, where it is, what waits for it. `on_news` is called when there is reason to look."""

    __slots__ = ("_after", "_hub", "_on_news", "_pending", "_pending_bytes", "_replayed", "prefix", "slow")

    def __init__(self, hub: "WatchHub", prefix: str, after: int, on_news: Callable[[], None]) -> None:
        self.prefix = prefix
        self.slow = False
        self._hub = hub
        self._after = after
        self._on_news = on_news
        self._pending: deque[StoreEvent] = deque()
        self._pending_bytes = 0
        self._replayed = 0

    def replay(self, events: Iterable[StoreEvent]) -> None:
        """Take events of the past: bounded by the history, not by PENDING_MAX."""
        self._pending.extend(event for event in events if event.key.startswith(self.prefix))
        self._replayed = len(self._pending)

    def offer(self, event: StoreEvent) -> None:
        """Take a new event, or be cut off."""
        if event.revision <= self._after or self.slow:
            return
        self._pending_bytes += len(event.last_value) if event.entry is None else len(event.entry.value)
        if len(self._pending) - self._replayed >= PENDING_MAX or self._pending_bytes > PENDING_BYTES_MAX:
            self.cut_off()
            return
        self._pending.append(event)
        self._on_news()

    def cut_off(self) -> None:
        """Drop what waits and let the reader know."""
        self.slow = True
        self._pending.clear()
        self._on_news()

    def has_news(self) -> bool:
        """Return whether events wait."""
        return bool(self._pending)

    def fetch(self) -> tuple[Sequence[StoreEvent], int]:
        """Return all that waits, with the revision up to which the watcher is then complete."""
        events = tuple(self._pending)
        self._pending.clear()
        self._pending_bytes = self._replayed = 0
        return events, self.progress()

    def progress(self) -> int:
        """Return the revision up to which everything has been fetched."""
        if self._pending:
            return max(self._after, self._pending[0].revision - 1)
        return max(self._after, self._hub.revision)


class WatchHub:
    """All watchers of a store, found by prefix: a watcher costs nothing for keys that it does not watch."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        """The newest published revision."""
        self._folders: dict[str, list[WatcherState]] = {}
        """Watchers whose prefix is empty or ends with a slash."""
        self._others: list[WatcherState] = []
        self._of_folder: dict[str, tuple[WatcherState, ...]] = {}
        """Who of `_folders` watches the keys of a folder, as it was found last; empty when anybody came or went."""

    def add(self, watcher: WatcherState) -> None:
        """Let the watcher be told of what is published from now on."""
        self._of_folder.clear()
        if not watcher.prefix or watcher.prefix.endswith("/"):
            self._folders.setdefault(watcher.prefix, []).append(watcher)
        else:
            self._others.append(watcher)

    def remove(self, watcher: WatcherState) -> None:
        """Forget the watcher; fine when it is forgotten already."""
        self._of_folder.clear()
        held = self._folders.get(watcher.prefix, self._others)
        if watcher in held:
            held.remove(watcher)
        if not held and held is not self._others:
            del self._folders[watcher.prefix]

    def publish(self, events: Sequence[StoreEvent]) -> None:
        """Hand one revision's events to all that watch their keys."""
        for event in events:
            key = event.key
            folder = key[: key.rfind("/") + 1]
            concerned = self._of_folder.get(folder)
            for watcher in self._find(folder) if concerned is None else concerned:
                watcher.offer(event)
            for watcher in [other for other in self._others if key.startswith(other.prefix)]:
                watcher.offer(event)
        self.revision = events[0].revision

    def advance(self, revision: int) -> None:
        """Take note that there is nothing up to `revision` that was not published."""
        self.revision = max(self.revision, revision)

    def cut_off_all(self) -> None:
        """Let every watcher list again."""
        for watcher in [*self._others, *(w for held in self._folders.values() for w in held)]:
            watcher.cut_off()

    def _find(self, folder: str) -> tuple[WatcherState, ...]:
        """Return who of `_folders` watches the keys that stand directly in the folder."""
        found = list(self._folders.get("", ()))
        at = folder.find("/")
        while at >= 0:
            found += self._folders.get(folder[: at + 1], ())
            at = folder.find("/", at + 1)
        if len(self._of_folder) >= FOLDERS_MAX:
            self._of_folder.clear()
        self._of_folder[folder] = tuple(found)
        return self._of_folder[folder]
