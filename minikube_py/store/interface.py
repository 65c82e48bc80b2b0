"""What a store is to the API server: state in memory to read, an ordered log to write.

Reads are synchronous, from memory (with the embedded store memory *is* the state; with an etcd back end it is a
watch-fed copy and `read_barrier` makes it current). Writes await: propose, append and fsync in groups, apply,
answer, publish. Revisions are contiguous numbers from 1: each successful transaction takes the next, a failed one
takes none (upstream: etcd's mvcc revisions; ../shared/reference/state.md 3.1 and 5).

Values are canonical JSON bytes without resourceVersion; `stamp(value, revision)` puts it in, once, at apply, so
that what is read is what goes over the wire.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Stamp = Callable[[bytes, int], bytes]
"""Put a revision into a value when it is applied: (value as proposed, revision) -> value as served.

A value that carries a revision already gets the new one in its place (the last value of a deletion).
"""


class Entry:
    """One key's value at one revision. Immutable; two are equal only when they are the same one."""

    __slots__ = ("create_revision", "key", "mod_revision", "value")

    def __init__(self, key: str, value: bytes, create_revision: int, mod_revision: int) -> None:
        self.key = key
        self.value = value
        self.create_revision = create_revision
        self.mod_revision = mod_revision


class StoreEvent(NamedTuple):
    """One key's change in one revision: entry None = deleted; `previous` None = created.

    For a deletion, `last_value` is the value as it was, stamped with the revision of the deletion.
    """

    revision: int
    key: str
    entry: Entry | None
    previous: Entry | None
    last_value: bytes = b""


@dataclass(frozen=True, slots=True)
class Put:
    """Write `value` at `key` when the key's mod_revision is `expect` (0: must not exist; None: whatever)."""

    key: str
    value: bytes
    expect: int | None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove `key` when its mod_revision is `expect` (None: whatever, but it must exist)."""

    key: str
    expect: int | None


Operation = Put | Delete


class Committed(NamedTuple):
    """The transaction is durable and applied, as one revision."""

    revision: int
    entries: tuple[Entry | None, ...]
    """For each operation: the entry that stands now, None for deletes."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A comparison failed; nothing was written. `current` is what stands at the first key that did not match."""

    key: str
    current: Entry | None


class CompactedError(Exception):
    """The revision asked for is older than the history that is kept; `oldest` can still be had."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"revision is compacted; the oldest kept is {oldest}")
        self.oldest = oldest


class StoreReadOnlyError(Exception):
    """The store takes no writes (disk full, shutting down); nothing was written."""


class StoreOpenError(Exception):
    """The store cannot be opened: in use by another process, damaged, or out of reach; the text says which."""


class WatcherSlowError(Exception):
    """The watcher's buffer overflowed; list again and watch from there."""


class Watcher(Protocol):
    """Events under one prefix after one revision, in order, each exactly once."""

    async def next_batch(self) -> tuple[Sequence[StoreEvent], int]:
        """Wait for events; return them with the revision up to which the watcher is complete.

        Whole revisions only. Raises WatcherSlowError when the buffer overflowed.
        """
        ...

    def progress(self) -> int:
        """Return the revision up to which everything has been delivered: what a bookmark may carry."""
        ...

    def close(self) -> None:
        """Stop; a pending next_batch raises WatcherSlowError."""
        ...


class Store(Protocol):
    """Revisioned keys."""

    @property
    def revision(self) -> int:
        """The newest applied revision."""
        ...

    @property
    def compact_revision(self) -> int:
        """History before and at this revision is gone; exact reads and watches need a later one."""
        ...

    def get(self, key: str) -> Entry | None:
        """Return the newest entry of `key`."""
        ...

    def range(self, prefix: str, *, after: str = "", limit: int = 0) -> Sequence[Entry]:
        """Return entries under `prefix` sorted by key, those with key > `after`, at most `limit` (0: all)."""
        ...

    def range_at(self, prefix: str, revision: int, *, after: str = "", limit: int = 0) -> Sequence[Entry]:
        """As range, but the state at `revision`. Raises CompactedError."""
        ...

    def count(self, prefix: str, *, after: str = "") -> int:
        """Return how many keys > `after` stand under `prefix`."""
        ...

    def count_at(self, prefix: str, revision: int, *, after: str = "") -> int:
        """As count, but of the state at `revision`. Raises CompactedError."""
        ...

    def watch(self, prefix: str, after_revision: int) -> Watcher:
        """Watch `prefix` from the revision after `after_revision` (may lie in the future). Raises CompactedError."""
        ...

    def on_commit(self, listener: Callable[[Sequence[StoreEvent]], None]) -> None:
        """Call `listener` synchronously, in order, with the events of each applied revision (caches, fan-out)."""
        ...

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Write all operations as one revision, durable before this returns. Raises StoreReadOnlyError."""
        ...

    async def wait_revision(self, revision: int, timeout_s: float) -> bool:
        """Wait until `revision` is applied; False when `timeout_s` passes first."""
        ...

    async def read_barrier(self) -> int:
        """Return a revision at least as new as any write acknowledged anywhere before this call."""
        ...
