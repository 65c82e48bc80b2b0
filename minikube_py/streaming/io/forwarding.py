"""One forwarded connection, the same for SPDY and WebSocket: bytes both ways until the pod has said all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from minikube_py.api.errors import StatusError
from minikube_py.api.streams import PodConnection, PodRef, PodStreams
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull
from minikube_py.streaming.port_forward import failure_text

MESSAGES_MAX = 64
"""Messages of the client that the pod has not read; then the client's whole connection is not read any more."""


class ForwardedPort:
    """The client's side of one connection to `port`."""

    def __init__(self, port: int, send: Callable[[bytes], Awaitable[None]]) -> None:
        self.port = port
        self._send = send
        self._inbox = Mailbox[bytes](MESSAGES_MAX, OnFull.BLOCK)

    async def take(self, data: bytes) -> None:
        """Take what the client sent; waits while the pod does not read."""
        await self._inbox.put(data)

    def end_input(self) -> None:
        """The client sends nothing more."""
        self._inbox.close()

    async def carry(self, ref: PodRef, streams: PodStreams) -> bytes:
        """Connect to the pod and carry bytes until the pod's end; returns what to say on the error stream.

        Raises:
            ConnectionError: the client is gone.
        """
        try:
            connection = await streams.port_forward(ref, self.port)
        except StatusError as error:
            return failure_text(ref, self.port, error.message)
        try:
            return await self._join(connection, ref)
        finally:
            self._inbox.close()
            connection.close()

    async def _join(self, connection: PodConnection, ref: PodRef) -> bytes:
        said, gone = b"", None
        async with asyncio.TaskGroup() as group:
            upload = group.create_task(self._upload(connection), name=f"port-forward {ref.pod}:{self.port}")
            try:
                while data := await _read(connection):
                    await self._send(data)
            except _BrokenError as error:
                said = failure_text(ref, self.port, str(error))
            except ConnectionError as error:
                gone = error
            finally:
                upload.cancel()
        if gone is not None:
            raise gone
        return said

    async def _upload(self, connection: PodConnection) -> None:
        while True:
            try:
                data = await self._inbox.get()
            except MailboxClosedError:
                connection.write_eof()
                return
            try:
                await connection.write(data)
            except ConnectionError:
                break
        # The pod reads no more; what the client still sends is dropped until the pod's end has come the other way.
        with suppress(MailboxClosedError):
            while True:
                await self._inbox.get()


class _BrokenError(Exception):
    """The pod's side of the connection broke."""


async def _read(connection: PodConnection) -> bytes:
    try:
        return await connection.read()
    except ConnectionError as error:
        raise _BrokenError(str(error)) from error
