"""Parsing of JSON that is kept: Python's collector of cycles looks at it in small portions.

CPython looks at its young objects when so many more were made than freed. While every object that is kept takes the
place of an older one (an update of a stored object, an event in an informer's cache), as many are freed as made, and
the list of the young grows without end; when something sets the collector off at last, it held the event loop for 150
milliseconds. So whoever parses what will live says so here, by parsing with `parse_kept`.
"""

import gc
from collections.abc import Callable
from typing import Any

import orjson

YOUNG_BYTES_MAX = 192 << 10
"""JSON parsed before the collector looks at the youngest: some 2,000 dicts and lists, a millisecond."""
YOUNG_ROUNDS_MAX = 4
"""Looks at the youngest before those that outlived them are looked at once more: some milliseconds."""


class KeptObjects:
    """When the collector is to look at what was parsed; `collect` is gc.collect, or takes note of the generation."""

    def __init__(self, collect: Callable[[int], object]) -> None:
        self._collect = collect
        self._bytes = 0
        self._rounds = 0

    def parse(self, value: bytes) -> Any:
        """Return the value that this JSON writes.

        Raises:
            orjson.JSONDecodeError: it is not JSON.
        """
        parsed = orjson.loads(value)
        self._bytes += len(value)
        if self._bytes >= YOUNG_BYTES_MAX:
            self._bytes = 0
            self._look()
        return parsed

    def _look(self) -> None:
        self._rounds += 1
        if self._rounds < YOUNG_ROUNDS_MAX:
            self._collect(0)
        else:
            self._rounds = 0
            self._collect(1)


parse_kept = KeptObjects(gc.collect).parse
"""KeptObjects.parse for this process, as there is one collector in it."""
