"""A connection to Docker that left HTTP behind: the streams of an exec or of an attached container.

aiodocker upgrades the connection and takes the frames apart (with flow control: it stops reading when 128 KiB wait);
what it has no method for is closing standard input alone, which `cat` or `tar x` at the other end waits for.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from aiodocker.stream import Stream

STDOUT = 1
STDERR = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of output; with a terminal all of it is standard output."""

    stream: int
    data: bytes


class HijackedStream:
    """Both directions of one exec or attach."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._input_open = True

    @classmethod
    async def open(cls, stream: Stream) -> "HijackedStream":
        """Send the request and take the connection over; DockerError as the engine answers."""
        try:
            await stream._init()  # noqa: SLF001 - `async with` is its only public door, and would close too early
        except AssertionError as error:
            # aiodocker asserts a live connection; an engine that is going down closes it between two lines of it.
            raise ConnectionResetError("the engine closed the connection") from error
        return cls(stream)

    async def read(self) -> Frame | None:
        """Return the next output, or None at its end (also when the connection broke: the exit code tells)."""
        try:
            message = await self._stream.read_out()
        except (aiohttp.ClientError, ConnectionError):
            return None
        return Frame(message.stream, message.data) if message is not None else None

    async def write(self, data: bytes) -> None:
        """Send input and wait while the process does not read; dropped when the other end is closed."""
        if not self._input_open:
            return
        try:
            await self._stream.write_in(data)
        except (RuntimeError, AssertionError, aiohttp.ClientError, ConnectionError):
            # aiodocker asserts that there is a connection: there is none when the process has just ended.
            self._input_open = False

    def close_input(self) -> None:
        """Let the process read the end of its input; its output goes on."""
        self._input_open = False
        connection = self._stream._resp.connection if self._stream._resp is not None else None  # noqa: SLF001
        transport = connection.transport if connection is not None else None
        if transport is not None and not transport.is_closing() and transport.can_write_eof():
            with suppress(OSError, RuntimeError):
                transport.write_eof()

    def close(self) -> None:
        """Close the connection; a process that reads or writes it gets an end of file or a broken pipe."""
        response = self._stream._resp  # noqa: SLF001
        self._stream._closed = True  # noqa: SLF001 - aiodocker's own close() asserts a live connection
        self._input_open = False
        if response is not None:
            response.close()


async def read_with_deadline(stream: HijackedStream, seconds: float) -> Frame | None:
    """Return the next output.

    Raises:
        TimeoutError: nothing came within `seconds`; a later read gets what comes then.
    """
    async with asyncio.timeout(seconds):
        return await stream.read()
