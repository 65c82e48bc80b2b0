"""A request to upgrade (WebSocket, SPDY) that is sent on as it is; from then on its bytes concern the two ends alone.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import hdrs, web

from minikube_py.apiserver.io.http_requests import start
from minikube_py.apiserver.proxying import Location, returned_headers
from minikube_py.kit.io.dead_peers import give_up_dead_peers
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull
from minikube_py.streaming.io.spdy_link import HijackedLink

CONNECT_TIMEOUT_S = 30.0
CHUNK_BYTES = 64 << 10
HEAD_BYTES_MAX = 64 << 10
PIECES_MAX = 64
"""Pieces of an upgraded connection that the other side has not taken; then the client is not read from."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a request goes and what it says there."""

    location: Location
    target: str
    """Path and query as they stand in the request line."""
    headers: Sequence[tuple[str, str]]
    prefix: str = ""
    """What redirects of the other server get before their paths, so that they lead through here again."""
    server_name: str = ""
    """The name that the other server's certificate must have; empty: the location's host."""
    redirects: bool = True
    """False: a redirect is answered with 502, since the other server must not send our clients elsewhere."""


async def pass_upgrade(request: web.BaseRequest, onward: Onward, tls: ssl.SSLContext) -> web.StreamResponse:
    """Send `request` on, and carry bytes both ways once the other side agrees.

    Raises:
        OSError: nobody answers there, or not as HTTP.
    """
    location = onward.location
    secure = location.scheme == "https"
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(
            location.host,
            location.port,
            ssl=tls if secure else None,
            server_hostname=(onward.server_name or location.host) if secure else None,
            limit=HEAD_BYTES_MAX,
        )
    give_up_dead_peers(writer.get_extra_info("socket"))
    try:
        lines = [
            f"{request.method} {onward.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in onward.headers),
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ConnectionError("EOF") from error
        return await _join(request, onward, head, reader, writer)
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


def refused_redirect() -> web.Response:
    """Return the answer in place of a redirect by a server that may not redirect."""
    return web.Response(status=502, text="the backend attempted to redirect this request, which is not permitted")


async def _join(
    request: web.BaseRequest,
    onward: Onward,
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
    for name, value in returned_headers(pairs, onward.location, "", upgrade=int(code) == 101):
        response.headers.add(name, value)
    if not onward.redirects and 300 <= int(code) < 400 and hdrs.LOCATION in response.headers:
        return refused_redirect()
    if int(code) != 101:
        return await _refused(request, response, reader)
    pipe = _ClientPipe(request)
    await start(request, response)
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
    await start(request, response)
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
