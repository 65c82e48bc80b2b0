"""What carries SPDY's bytes: a connection taken over from HTTP, or the messages of a WebSocket.

The HTTP server hands its parser over (`request.protocol.set_parser`, as its own WebSocket does); from the 101 answer
on all bytes are ours.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web


class SpdyLink(Protocol):
    """Bytes both ways; what comes in goes to the receiver that the link was made with."""

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        ...

    async def send(self, data: bytes) -> None:
        """Send, and wait while the client is slow; raises ConnectionError when it is gone."""
        ...

    def pause_reading(self) -> None:
        """Take no further bytes from the client."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...

    async def close(self) -> None:
        """Close when all is sent."""
        ...


class Receiver(Protocol):
    """Takes what comes in."""

    def receive(self, data: bytes) -> bool:
        """Take bytes of the client; False when the connection must end."""
        ...

    def lost(self) -> None:
        """The client is gone."""
        ...


class _Parser:
    """What the HTTP server feeds with the bytes of a connection that was taken over."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes; returns (end of the connection wanted, bytes left over)."""
        return not self._receiver.receive(data), b""

    def feed_eof(self) -> None:
        """The client closed the connection."""
        self._receiver.lost()

    def set_exception(self, _error: BaseException, _cause: BaseException | None = None) -> None:
        """The connection broke."""
        self._receiver.lost()


class HijackedLink:
    """A TCP or TLS connection that left HTTP behind."""

    def __init__(self, request: web.BaseRequest, receiver: Receiver) -> None:
        assert request.transport is not None
        self._transport = request.transport
        self._protocol = request.protocol
        self._protocol.set_parser(_Parser(receiver))  # type: ignore[arg-type] # the type names its only other user

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self._transport.is_closing()

    async def send(self, data: bytes) -> None:
        """Send; waits while more than the transport's high-water mark (64 KiB) is unsent."""
        if self._transport.is_closing():
            raise ConnectionResetError("the client closed the connection")
        self._transport.write(data)
        await self._protocol._drain_helper()  # noqa: SLF001 - aiohttp has no public name for it

    def pause_reading(self) -> None:
        """Take no further bytes from the client."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    async def close(self) -> None:
        """Close when all is sent."""
        self._transport.close()


class WebSocketLink:
    """Binary messages of a WebSocket, whose borders mean nothing."""

    def __init__(self, socket: web.WebSocketResponse, receiver: Callable[[], Receiver]) -> None:
        self._socket = socket
        self._receiver = receiver
        self._reading = asyncio.Event()
        self._reading.set()

    async def read(self) -> None:
        """Hand on what comes until the client is gone; runs in a task of its own."""
        receiver = self._receiver()
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or not receiver.receive(message.data):
                break
            await self._reading.wait()
        receiver.lost()

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self._socket.closed

    async def send(self, data: bytes) -> None:
        """Send one message, and wait while the client is slow."""
        await self._socket.send_bytes(data)

    def pause_reading(self) -> None:
        """Take no further messages from the client."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Go on."""
        self._reading.set()

    async def close(self) -> None:
        """Close in order."""
        await self._socket.close(code=WSCloseCode.OK)
