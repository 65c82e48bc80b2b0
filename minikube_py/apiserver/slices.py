"""Entries in slices: so many objects, and so many bytes, are looked at before others run.

By objects alone a slice of long ones would take a hundred times as long as one of short ones.
"""

from collections.abc import Iterator, Sequence

from minikube_py.store.interface import Entry


def slices(entries: Sequence[Entry], objects_max: int, bytes_max: int) -> Iterator[Sequence[Entry]]:
    """Yield all entries, at most `objects_max` at a time, and no further one once they have `bytes_max` bytes."""
    start = size_bytes = 0
    for at, entry in enumerate(entries):
        size_bytes += len(entry.value)
        if size_bytes >= bytes_max or at - start >= objects_max - 1:
            yield entries[start : at + 1]
            start, size_bytes = at + 1, 0
    if start < len(entries):
        yield entries[start:]
