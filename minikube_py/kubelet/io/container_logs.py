"""Reads a container's log from Docker's files: what exists, and with follow what comes until the container ends.

Reading files instead of asking Docker keeps `kubectl logs` cheap (Docker 20.10 reads whole files for a tail), and no
connection of the engine's is held while a client follows. Docker rotates by renaming `X-json.log` to `X-json.log.1`
and so on; an open file is followed to its end, then the one that came after it (found by its inode) is taken up.

All file work runs in a thread, a block at a time.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from minikube_py.api.streams import LogOptions
from minikube_py.kubelet.container_spec import LOG_FILES_MAX
from minikube_py.kubelet.log_lines import LogFilter, TailFinder

BLOCK_BYTES = 64 << 10
POLL_S = 0.1
"""How soon a follower sees a new line."""


@dataclass(slots=True)
class _Start:
    """Where reading begins: a file of the set, and an offset in it."""

    path: Path
    offset: int


async def read_container_log(
    log_path: str, options: LogOptions, wait_ended: Callable[[float], Awaitable[bool]]
) -> AsyncGenerator[bytes, None]:
    """Yield the log in pieces of whole entries.

    Args:
        log_path: Docker's file; nothing comes when it does not exist.
        options: which part (`previous` has been settled by the choice of the container).
        wait_ended: waits so many seconds for the end of the container's process, at most, and returns whether it has
            ended; called only while following.
    """
    chosen = LogFilter(options)
    start = await asyncio.to_thread(_find_start, Path(log_path), options)
    if start is None or chosen.full:
        return
    reader = _Reader(Path(log_path), start)
    try:
        ended = not options.follow or await wait_ended(0)
        while True:
            # Known before reading: what was written until the end is then read for certain.
            async for piece in reader.available(chosen):
                yield piece
                if chosen.full:
                    return
            if ended:
                return
            ended = await wait_ended(POLL_S)
    finally:
        reader.close()


class _Reader:
    """Goes through the files of one log, oldest first, and remembers where it is."""

    def __init__(self, log_path: Path, start: _Start) -> None:
        self._log_path = log_path
        self._file: BinaryIO | None = _open(start.path)
        if self._file is not None:
            self._file.seek(start.offset)
        self._rest = b""

    def close(self) -> None:
        """Close the open file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def available(self, chosen: LogFilter) -> AsyncGenerator[bytes, None]:
        """Yield what the files hold now."""
        while True:
            block = await asyncio.to_thread(self._next_block)
            if not block:
                return
            *lines, self._rest = (self._rest + block).split(b"\n")
            shown = b"".join(map(chosen.render, lines))
            if shown:
                yield shown

    def _next_block(self) -> bytes:
        if self._file is not None and (block := self._file.read(BLOCK_BYTES)):
            return block
        successor = self._successor()
        if successor is None:
            return b""
        if self._file is not None and (block := self._file.read(BLOCK_BYTES)):
            successor.close()
            return block  # written between the last read and the rotation
        self.close()
        self._file, self._rest = successor, b""
        return self._file.read(BLOCK_BYTES)

    def _successor(self) -> BinaryIO | None:
        """Return the file that was begun after the open one, or None when that is the newest."""
        paths = log_files(self._log_path)
        if self._file is None:
            return _open(paths[0]) if paths else None
        ours = os.fstat(self._file.fileno()).st_ino
        inodes = [_inode(path) for path in paths]
        if inodes and inodes[-1] == ours:
            return None
        # Not found: it was rotated out of the set while we slept; the oldest that is left comes next.
        following = inodes.index(ours) + 1 if ours in inodes else 0
        return _open(paths[following]) if following < len(paths) else None


def log_files(log_path: Path) -> list[Path]:
    """Return the files of one log that exist, the oldest first."""
    rotated = [log_path.with_name(f"{log_path.name}.{number}") for number in range(LOG_FILES_MAX, 0, -1)]
    return [path for path in (*rotated, log_path) if path.exists()]


def _find_start(log_path: Path, options: LogOptions) -> _Start | None:
    paths = log_files(log_path)
    if not paths:
        return _Start(log_path, 0) if options.follow else None
    if options.tail_lines is None:
        return _Start(paths[0], 0)
    finder = TailFinder(options.tail_lines, options.stream)
    for path in reversed(paths):
        for offset, line in _lines_backwards(path):
            if not finder.covers(line):
                return _Start(path, offset + len(line) + 1)
    return _Start(paths[0], 0)


def _lines_backwards(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, line) of the complete lines of a file, the last one first."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        pending = b""
        first = True
        while position > 0:
            size = min(BLOCK_BYTES, position)
            position -= size
            file.seek(position)
            pending = file.read(size) + pending
            head, *lines = pending.split(b"\n")
            at = position + len(pending)
            for line in reversed(lines):
                at -= len(line)
                if not first:
                    yield at, line
                first = False  # what follows the last newline is nothing, or a line that Docker is just writing
                at -= 1
            pending = head
        if pending and not first:
            yield 0, pending


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
