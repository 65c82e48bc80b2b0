"""Cutting a byte stream into lines: watch streams carry one JSON document a line, of any length.

A reader with a line limit (asyncio's StreamReader: 64 KiB) breaks on big objects; the only bound here is
LINE_BYTES_MAX, more than the API server takes as a body, where the stream is given up.
"""

LINE_BYTES_MAX = 16 << 20


class LineTooLongError(Exception):
    """A line is longer than LINE_BYTES_MAX: this is no watch stream."""


class LineSplitter:
    """Collects chunks and gives out whole lines."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next chunk and return the lines that it completes, without line ends; empty lines are left out.

        Raises:
            LineTooLongError: a line without an end has grown beyond LINE_BYTES_MAX.
        """
        *whole, rest = chunk.split(b"\n")
        lines: list[bytes] = []
        if whole:
            whole[0] = b"".join((*self._parts, whole[0]))
            self._parts.clear()
            self._size = 0
            lines = [line for line in whole if line.strip()]
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        if self._size > LINE_BYTES_MAX:
            raise LineTooLongError(f"a line of more than {LINE_BYTES_MAX} bytes")
        return lines

    def rest(self) -> bytes:
        """Return what stands behind the last line end: empty when the stream ended well."""
        return b"".join(self._parts)
