"""A SPDY/3.1 connection taken over from an HTTP request: its streams by type, reading and writing.

The HTTP server hands its parser over (`request.protocol.set_parser`, as its own WebSocket does); from the 101 answer
on all bytes are ours.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from minikube_py.apiserver.remote_command import (
    RESIZE,
    STDIN,
    STREAM_TYPES,
    ClientMessage,
    Input,
    InputEnd,
    Resized,
    parse_resize,
)
from minikube_py.apiserver.spdy import (
    Frame,
    GoAway,
    Ignored,
    Ping,
    SpdyCodec,
    SpdyError,
    StreamData,
    StreamOpened,
    StreamReset,
)
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull

FRAMES_MAX = 256
"""Client frames not handled yet; beyond it the transport is paused."""
DATA_FRAME_BYTES = 32 << 10


class _Parser:
    """What the HTTP server feeds with the bytes of a connection that was taken over."""

    def __init__(self, connection: "SpdyConnection") -> None:
        self._connection = connection

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes; returns (end of the connection wanted, bytes left over)."""
        return not self._connection.receive(data), b""

    def feed_eof(self) -> None:
        """The client closed the connection."""
        self._connection.lost()

    def set_exception(self, _error: BaseException, _cause: BaseException | None = None) -> None:
        """The connection broke."""
        self._connection.lost()


class SpdyConnection:
    """One connection: the client opens streams and names each one's type in a header."""

    def __init__(self, request: web.BaseRequest) -> None:
        assert request.transport is not None
        self._transport = request.transport
        self._codec = SpdyCodec()
        self._frames = Mailbox[Frame](FRAMES_MAX, OnFull.BLOCK)
        self._types: dict[int, int] = {}
        self._streams: dict[int, int] = {}
        self._opened = asyncio.Event()
        self._last_stream_id = 0
        self._protocol = request.protocol
        self._protocol.set_parser(_Parser(self))  # type: ignore[arg-type] # the type names its only other user

    def receive(self, data: bytes) -> bool:
        """Take bytes of the client; False when they are no SPDY."""
        try:
            frames = self._codec.feed(data)
        except SpdyError:
            self.lost()
            return False
        for frame in frames:
            if not self._frames.put_nowait(frame):
                # Bounded by one socket read beyond FRAMES_MAX: no more is read until the container has caught up.
                self._transport.pause_reading()
                self._frames.put_over_bound(frame)
        return True

    def lost(self) -> None:
        """The client is gone."""
        self._frames.close()
        self._opened.set()

    async def run(self, take: Callable[[ClientMessage], Awaitable[None]]) -> None:
        """Handle the client's frames until it is gone; returns then."""
        while True:
            try:
                frame = await self._frames.get()
            except MailboxClosedError:
                return
            if len(self._frames) == 0 and not self._transport.is_closing():
                self._transport.resume_reading()
            message = self._handle(frame)
            if message is not None:
                await take(message)
                if isinstance(frame, StreamData) and frame.fin and isinstance(message, Input):
                    await take(InputEnd())

    def _handle(self, frame: Frame) -> ClientMessage:
        match frame:
            case StreamOpened(stream_id, headers, _):
                channel = STREAM_TYPES.get(headers.get("streamtype", ""), -1)
                self._types[stream_id], self._streams[channel] = channel, stream_id
                self._last_stream_id = max(self._last_stream_id, stream_id)
                self._transport.write(self._codec.syn_reply(stream_id))
                self._opened.set()
            case StreamData(stream_id, data, fin):
                return self._data(self._types.get(stream_id, -1), data, fin)
            case StreamReset(stream_id):
                return InputEnd() if self._types.get(stream_id) == STDIN else None
            case Ping(ping_id):
                self._transport.write(self._codec.ping(ping_id))
            case GoAway() | Ignored():
                pass
        return None

    def _data(self, channel: int, data: bytes, fin: bool) -> ClientMessage:
        if channel == STDIN:
            return Input(data) if data else InputEnd() if fin else None
        if channel == RESIZE:
            size = parse_resize(data)
            return Resized(size) if size else None
        return None

    async def wait_streams(self, channels: set[int], timeout_s: float) -> bool:
        """Wait until the client has opened all of `channels`; False when it does not in time or is gone."""
        try:
            async with asyncio.timeout(timeout_s):
                while not channels <= set(self._streams):
                    if self._transport.is_closing():
                        return False
                    self._opened.clear()
                    await self._opened.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, channel: int, data: bytes, *, fin: bool = False) -> None:
        """Send data on a channel; nothing when the client has not opened it.

        Raises:
            ConnectionError: the client is gone.
        """
        stream_id = self._streams.get(channel)
        if stream_id is None:
            return
        for start in range(0, max(len(data), 1), DATA_FRAME_BYTES):
            part = data[start : start + DATA_FRAME_BYTES]
            last = start + DATA_FRAME_BYTES >= len(data)
            if self._transport.is_closing():
                raise ConnectionResetError("the client closed the connection")
            self._transport.write(self._codec.data(stream_id, part, fin=fin and last))
            # Waits while more than the transport's high-water mark (64 KiB) is unsent.
            await self._protocol._drain_helper()  # noqa: SLF001 - aiohttp has no public name for it

    def close(self) -> None:
        """Say that this is the end, and close when all is sent."""
        if not self._transport.is_closing():
            self._transport.write(self._codec.go_away(self._last_stream_id))
            self._transport.close()
