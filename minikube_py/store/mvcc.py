"""The state of a store: entries by key, in order of keys, and a window of history; pure.

Invariants:
  1. Revisions are contiguous: each transaction that is applied takes the next one, a rejected one takes none.
     (Those of an etcd cluster have gaps where others write: `apply_changes`.)
  2. An entry's create_revision <= mod_revision <= the state's revision.
  3. The history holds every event after `compact_revision`, whole revisions only; undoing them from the newest on
     gives the state at any of these revisions.

A worked example: create a (rev 1), update a (2), delete a (3) leaves no entry, and three events whose `previous`
are None, a@1, a@2; `range_at(revision=2)` undoes event 3 and finds a@2.

Upstream: etcd's mvcc store and key index; there the history is on disk, here it is a bounded window in memory.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from minikube_py.store.interface import (
    Committed,
    CompactedError,
    Delete,
    Entry,
    Operation,
    Put,
    Rejected,
    Stamp,
    StoreEvent,
)
from minikube_py.store.key_index import KeyIndex


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much history is kept: at least `events_min` and `age_s`, but never more than the two maxima."""

    events_min: int = 10_000
    age_s: float = 300.0
    events_max: int = 100_000
    size_bytes_max: int = 64 << 20
    """Bytes of the values that only the history still holds, about."""


class History:
    """The events of the newest revisions; the oldest go as HistoryLimits say."""

    def __init__(self, first_revision: int, limits: HistoryLimits) -> None:
        self.compact_revision = first_revision
        self._limits = limits
        self._past: list[tuple[StoreEvent, ...]] = []
        """The events of each revision that has any, the oldest first."""
        self._at_s = array("d")
        """When each of these was applied."""
        self._dropped = 0
        """How many leading places are dropped already; they are cut off now and then, in bulk."""
        self._events = 0
        self._size_bytes = 0

    def append(self, events: tuple[StoreEvent, ...], now_s: float) -> None:
        """Add the next revision and drop what is beyond the limits."""
        self._past.append(events)
        self._at_s.append(now_s)
        self._events += len(events)
        for event in events:
            if event.previous is not None:
                self._size_bytes += len(event.previous.value)
        if self._events > self._limits.events_min or self._size_bytes > self._limits.size_bytes_max:
            while self._is_too_much(now_s):
                self._drop_oldest()

    def after(self, revision: int) -> Iterator[tuple[StoreEvent, ...]]:
        """Yield the events of each revision after `revision`, oldest first."""
        for at in range(self._place_after(revision), len(self._past)):
            yield self._past[at]

    def newest_first(self, down_to: int) -> Iterator[tuple[StoreEvent, ...]]:
        """Yield the events of each revision after `down_to`, newest first."""
        for at in range(len(self._past) - 1, self._place_after(down_to) - 1, -1):
            yield self._past[at]

    def forget(self, revision: int) -> None:
        """Drop everything up to `revision`: what lies before it is not known."""
        self.compact_revision = revision
        self._past.clear()
        del self._at_s[:]
        self._dropped = self._events = self._size_bytes = 0

    def _place_after(self, revision: int) -> int:
        return bisect_right(self._past, revision, lo=self._dropped, key=lambda events: events[0].revision)

    def _is_too_much(self, now_s: float) -> bool:
        limits = self._limits
        if len(self._past) - self._dropped <= 1:
            return False
        if self._events > limits.events_max or self._size_bytes > limits.size_bytes_max:
            return True
        left = self._events - len(self._past[self._dropped])
        return left >= limits.events_min and now_s - self._at_s[self._dropped] > limits.age_s

    def _drop_oldest(self) -> None:
        oldest = self._past[self._dropped]
        self._events -= len(oldest)
        for event in oldest:
            if event.previous is not None:
                self._size_bytes -= len(event.previous.value)
        self.compact_revision = oldest[0].revision
        self._past[self._dropped] = ()
        self._dropped += 1
        if self._dropped * 2 > len(self._past):
            del self._past[: self._dropped]
            del self._at_s[: self._dropped]
            self._dropped = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One key's change that somebody else has numbered (an etcd cluster): value None = deleted."""

    key: str
    value: bytes | None
    create_revision: int = 0
    mod_revision: int = 0


class Applied(NamedTuple):
    """A transaction took a revision: what its proposer is told, and what watchers are told."""

    committed: Committed
    events: tuple[StoreEvent, ...]


class Mvcc:
    """Entries, their order, and their history. `apply` is the one way in."""

    def __init__(self, stamp: Stamp, first_revision: int = 0, limits: HistoryLimits | None = None) -> None:
        self.revision = first_revision
        self.history = History(first_revision, limits or HistoryLimits())
        self._stamp = stamp
        self._entries: dict[str, Entry] = {}
        self._index = KeyIndex()

    @classmethod
    def load(cls, entries: Iterable[Entry], revision: int, stamp: Stamp, limits: HistoryLimits | None = None) -> Self:
        """Return the state that has these entries (of a snapshot) at `revision`, and no history before it."""
        state = cls(stamp, revision, limits)
        state._entries = {entry.key: entry for entry in entries}
        state._index.load(state._entries)
        return state

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Return the live mapping of the newest entries."""
        return self._entries

    def get(self, key: str) -> Entry | None:
        """Return the newest entry."""
        return self._entries.get(key)

    def count(self, prefix: str, after: str = "") -> int:
        """Return how many keys > `after` stand under `prefix`."""
        return self._index.count(prefix, after)

    def count_at(self, prefix: str, revision: int, after: str = "") -> int:
        """As count, but of what stood at `revision`.

        Raises:
            CompactedError: the history does not reach back so far.
        """
        undone = self._undone(prefix, revision, after)
        stood = sum(entry is not None for entry in undone.values())
        return self._index.count(prefix, after) + stood - sum(key in self._entries for key in undone)

    def range(self, prefix: str, after: str = "", limit: int = 0) -> list[Entry]:
        """Return the entries under `prefix` with keys > `after`, in order, at most `limit` (0: all)."""
        return list(map(self._entries.__getitem__, self._index.range(prefix, after, limit)))

    def range_at(self, prefix: str, revision: int, after: str = "", limit: int = 0) -> list[Entry]:
        """As range, but what stood at `revision` (a later one than the newest: the newest).

        Raises:
            CompactedError: the history does not reach back so far.
        """
        undone = self._undone(prefix, revision, after)
        if not undone:
            return self.range(prefix, after, limit)
        # So many keys may be new since then that one more of today's has to be looked at for each.
        keys = self._index.range(prefix, after, limit + len(undone) if limit else 0)
        gone = [key for key, entry in undone.items() if entry is not None and key not in self._entries]
        then: list[Entry] = []
        for key in sorted(keys + gone):
            entry = undone[key] if key in undone else self._entries[key]
            if entry is not None:
                then.append(entry)
                if len(then) == limit:
                    break
        return then

    def _undone(self, prefix: str, revision: int, after: str) -> dict[str, Entry | None]:
        """Return what the keys that have changed since `revision` held then (None: nothing).

        Raises:
            CompactedError: the history does not reach back so far.
        """
        self.check_kept(revision)
        undone: dict[str, Entry | None] = {}
        for events in self.history.newest_first(revision):
            for event in events:
                if event.key.startswith(prefix) and event.key > after:
                    undone[event.key] = event.previous
        return undone

    def check_kept(self, revision: int) -> None:
        """Raise CompactedError when the history after `revision` is not whole."""
        if revision < self.history.compact_revision:
            raise CompactedError(self.history.compact_revision)

    def check(self, operations: Sequence[Operation]) -> Rejected | None:
        """Return why the operations cannot be applied now, or None."""
        for operation in operations:
            current = self._entries.get(operation.key)
            if not expectation_holds(operation, current.mod_revision if current else 0):
                return Rejected(operation.key, current)
        return None

    def apply(self, operations: Sequence[Operation], now_s: float) -> Applied | Rejected:
        """Check and apply the operations as one revision; the check here is the one that counts."""
        rejected = self.check(operations)
        if rejected is not None:
            return rejected
        revision = self.revision + 1
        if len(operations) == 1:
            event = self._apply_one(operations[0], revision)
            events: tuple[StoreEvent, ...] = (event,)
            committed = Committed(revision, (event.entry,))
        else:
            assert operations, "an empty transaction"
            assert len({op.key for op in operations}) == len(operations), "one key twice in a transaction"
            events = tuple([self._apply_one(operation, revision) for operation in operations])
            committed = Committed(revision, tuple([event.entry for event in events]))
        self.revision = revision
        self.history.append(events, now_s)
        return Applied(committed, events)

    def apply_changes(self, revision: int, changes: Sequence[Change], now_s: float) -> tuple[StoreEvent, ...]:
        """Take over changes that were made elsewhere, as one revision; a deletion of what is not there is nothing."""
        self.revision = revision
        events = tuple(
            self._take_over(change, revision)
            for change in changes
            if change.value is not None or change.key in self._entries
        )
        if events:
            self.history.append(events, now_s)
        return events

    def _take_over(self, change: Change, revision: int) -> StoreEvent:
        key = change.key
        previous = self._entries.get(key)
        if change.value is None:
            assert previous is not None, "the caller leaves these out"
            del self._entries[key]
            self._index.remove(key)
            return StoreEvent(revision, key, None, previous, self._stamp(previous.value, revision))
        entry = Entry(
            key, self._stamp(change.value, change.mod_revision), change.create_revision, change.mod_revision
        )
        self._entries[key] = entry
        if previous is None:
            self._index.add(key)
        return StoreEvent(revision, key, entry, previous)

    def _apply_one(self, operation: Operation, revision: int) -> StoreEvent:
        key = operation.key
        previous = self._entries.get(key)
        match operation:
            case Put():
                created = previous.create_revision if previous is not None else revision
                entry = Entry(key, self._stamp(operation.value, revision), created, revision)
                self._entries[key] = entry
                if previous is None:
                    self._index.add(key)
                return StoreEvent(revision, key, entry, previous)
            case Delete():
                assert previous is not None, "checked before"
                del self._entries[key]
                self._index.remove(key)
                return StoreEvent(revision, key, None, previous, self._stamp(previous.value, revision))


def expectation_holds(operation: Operation, mod_revision: int) -> bool:
    """Return whether the operation may be applied to a key at `mod_revision` (0: it is absent)."""
    if operation.expect is None:
        return mod_revision > 0 or isinstance(operation, Put)
    return operation.expect == mod_revision and (mod_revision > 0 or isinstance(operation, Put))
