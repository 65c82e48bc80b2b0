"""The keys of a store in order: what ranges, pages and counts are answered from.

A worked example: `/registry/core/pods/x/a` and `/registry/core/nodes/n` stand in two buckets, `/registry/core/pods/`
and `/registry/core/nodes/`; a range of pods looks at the first one alone.

Upstream: etcd's treeIndex.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

_SLASHES = 4
"""A key's bucket is what stands before and with its fourth slash: `/registry/apps/replicasets/`."""
_FEW = 64
"""So many keys are put in their places one by one; more are sorted in, which costs a pass over the bucket."""


class KeyIndex:
    """Keys in order, in one sorted list for each bucket, so that an insertion moves few of 100,000 keys.

    New keys are put in their places only when somebody looks: a start that replays a log adds many at once.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, list[str]] = {}
        self._added: dict[str, list[str]] = {}
        """Keys that are not in their buckets yet."""

    def load(self, keys: Iterable[str]) -> None:
        """Add many keys to an empty index."""
        for key in keys:
            self._buckets.setdefault(bucket_of(key), []).append(key)
        for bucket in self._buckets.values():
            bucket.sort()

    def add(self, key: str) -> None:
        """Add a key that is not there."""
        bucket = bucket_of(key)
        self._buckets.setdefault(bucket, [])
        self._added.setdefault(bucket, []).append(key)

    def remove(self, key: str) -> None:
        """Remove a key that is there."""
        bucket = bucket_of(key)
        keys = self._settled(bucket)
        del keys[bisect_left(keys, key)]
        if not keys:
            del self._buckets[bucket]

    def _settled(self, bucket: str) -> list[str]:
        keys = self._buckets[bucket]
        added = self._added.pop(bucket, ())
        if len(added) < _FEW:
            for key in added:
                insort(keys, key)
        else:
            keys += added
            keys.sort()
        return keys

    def range(self, prefix: str, after: str = "", limit: int = 0) -> list[str]:
        """Return the keys under `prefix` that are greater than `after`, in order, at most `limit` (0: all)."""
        parts = self._parts(prefix, after)
        if len(parts) == 1:
            keys, start, end = parts[0]
            return keys[start : min(end, start + limit) if limit else end]
        found = sorted(key for keys, start, end in parts for key in keys[start:end])
        return found[:limit] if limit else found

    def count(self, prefix: str, after: str = "") -> int:
        """Return how many keys stand under `prefix` that are greater than `after`."""
        return sum(end - start for _, start, end in self._parts(prefix, after))

    def _parts(self, prefix: str, after: str) -> list[tuple[list[str], int, int]]:
        bucket = bucket_of(prefix)
        if bucket:
            buckets = [self._settled(bucket)] if bucket in self._buckets else []
        else:
            buckets = [self._settled(name) for name in self._buckets if not name or name.startswith(prefix)]
        parts = []
        for keys in buckets:
            start = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
            end = bisect_left(keys, prefix_end(prefix)) if prefix else len(keys)
            if start < end:
                parts.append((keys, start, end))
        return parts


def bucket_of(key: str) -> str:
    """Return the part of the key up to its fourth slash, or nothing when it has fewer."""
    parts = key.split("/", _SLASHES)
    return key[: -len(parts[-1]) or None] if len(parts) > _SLASHES else ""


def prefix_end(prefix: str) -> str:
    """Return the smallest text that is greater than everything that begins with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
