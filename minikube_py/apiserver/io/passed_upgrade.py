"""A request to upgrade (WebSocket, SPDY) that is sent on as it is; from then on its bytes concern the two ends alone.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import os
import ssl
from contextlib import suppress

from aiohttp import hdrs, web

from minikube_py.apiserver.proxying import Location, returned_headers
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull
from minikube_py.streaming.io.spdy_link import HijackedLink

CONNECT_TIMEOUT_S = 30.0
CHUNK_BYTES = 64 << 10
HEAD_BYTES_MAX = 64 << 10
PIECES_MAX = 64
"""Pieces of an upgraded connection that the other side has not taken; then the client is not read from."""


async def pass_upgrade(
    request: web.BaseRequest, location: Location, target: str, headers: list[tuple[str, str]], tls: ssl.SSLContext
) -> web.StreamResponse:
    """Send `request` on to `target` at `location`, and carry bytes both ways once the other side agrees.

    Raises:
        OSError: nobody answers there, or not as HTTP.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(
            location.host, location.port, ssl=tls if location.scheme == "https" else None, limit=HEAD_BYTES_MAX
        )
    try:
        lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ConnectionError("EOF") from error
        return await _join(request, location, head, reader, writer)
    finally:
        writer.close()


def dial_failure(location: Location, error: BaseException) -> str:
    """Return why nobody answers at `location`, in the words of Go's net and tls packages."""
    refused = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(refused, ssl.SSLError):
        return f"tls: {getattr(refused, 'verify_message', '') or refused.reason}"
    number = getattr(error, "errno", None) or getattr(getattr(error, "os_error", None), "errno", None)
    if isinstance(error, TimeoutError):
        return f"dial tcp {location.authority}: i/o timeout"
    if number:
        return f"dial tcp {location.authority}: connect: {os.strerror(number).lower()}"
    return f"{location.authority}: {error or 'EOF'}"


async def _join(
    request: web.BaseRequest,
    location: Location,
    head: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> web.StreamResponse:
    first, *lines = head.decode("latin-1").split("\r\n")
    _, _, said = first.partition(" ")
    code, _, reason = said.partition(" ")
    pairs = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]
    if not (code.isascii() and code.isdigit()):
        raise ConnectionError("malformed HTTP response")
    response = web.StreamResponse(status=int(code), reason=reason)
    for name, value in returned_headers(pairs, location, "", upgrade=int(code) == 101):
        response.headers.add(name, value)
    if int(code) != 101:
        return await _refused(request, response, reader)
    pipe = _ClientPipe(request)
    await response.prepare(request)
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(pipe.copy_to(writer)), group.create_task(pipe.copy_from(reader))}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
    await pipe.link.close()
    response.force_close()
    return response


async def _refused(
    request: web.BaseRequest, response: web.StreamResponse, reader: asyncio.StreamReader
) -> web.StreamResponse:
    """Give an answer back that is no upgrade; its end is its length, else the end of the connection."""
    length = response.headers.get(hdrs.CONTENT_LENGTH, "")
    left = int(length) if length.isdigit() else None
    response.force_close()
    await response.prepare(request)
    with suppress(ConnectionError):
        while left != 0:
            data = await reader.read(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))
            if not data:
                break
            left = None if left is None else left - len(data)
            await response.write(data)
        await response.write_eof()
    return response


class _ClientPipe:
    """The client's side of an upgraded connection, as raw bytes."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._inbox = Mailbox[bytes](PIECES_MAX, OnFull.BLOCK)
        self.link = HijackedLink(request, self)

    def receive(self, data: bytes) -> bool:
        """Take bytes of the client."""
        if not self._inbox.put_nowait(data):
            self.link.pause_reading()
            self._inbox.put_over_bound(data)
        return True

    def lost(self) -> None:
        """The client is gone."""
        self._inbox.close()

    async def copy_to(self, writer: asyncio.StreamWriter) -> None:
        """Send what the client sends, to its end."""
        with suppress(MailboxClosedError, ConnectionError):
            while True:
                data = await self._inbox.get()
                if len(self._inbox) == 0:
                    self.link.resume_reading()
                writer.write(data)
                await writer.drain()

    async def copy_from(self, reader: asyncio.StreamReader) -> None:
        """Give back what the other side sends, to its end."""
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                await self.link.send(data)
