"""A request goes on to another server as it is, and its answer comes back so.

Bodies are streamed both ways and nothing is unpacked. A request to upgrade (WebSocket, SPDY) is sent on as it is, and
once the other side agrees its bytes are nobody's business but the two ends'.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from minikube_py.api.errors import UnavailableError
from minikube_py.apiserver.io.spdy_link import HijackedLink
from minikube_py.apiserver.proxied_html import HTML_BYTES_MAX, is_html, rewrite_link, rewrite_page, unpack
from minikube_py.apiserver.proxying import Location, returned_headers
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull

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


class HttpForwarder:
    """Sends requests on; connections are kept and shared, by address and TLS context."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close kept connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def forward(self, request: web.BaseRequest, onward: Onward, tls: ssl.SSLContext) -> web.StreamResponse:
        """Send the request on and give the answer back, to its end.

        Raises:
            UnavailableError: nobody answers there.
        """
        if request.headers.get(hdrs.UPGRADE):
            return await self._upgrade(request, onward, tls)
        return await self._plain(request, onward, tls)

    async def _plain(self, request: web.BaseRequest, onward: Onward, tls: ssl.SSLContext) -> web.StreamResponse:
        headers = onward.headers
        if hdrs.CONTENT_ENCODING in request.headers:
            # The HTTP server has unpacked the body already.
            unpacked = (hdrs.CONTENT_ENCODING.lower(), hdrs.CONTENT_LENGTH.lower())
            headers = [pair for pair in headers if pair[0].lower() not in unpacked]
        try:
            answer = await self.session().request(
                request.method,
                URL(onward.location.root + onward.target, encoded=True),
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
                ssl=tls,
                server_hostname=onward.server_name or None,
                skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE),
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(onward.location, error) from error
        if not onward.redirects and 300 <= answer.status < 400 and answer.headers.get(hdrs.LOCATION):
            answer.close()
            return _refused_redirect()
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        try:
            for name, value in returned_headers(answer.headers.items(), onward.location, onward.prefix):
                response.headers.add(name, value)
            await _give_back(request, answer, response, onward)
            await response.write_eof()
        except aiohttp.ClientError:
            # The status is out already: all that can be told is that the answer is not whole.
            response.force_close()
            if request.transport is not None:
                request.transport.abort()
        finally:
            answer.close()
        return response

    def session(self) -> aiohttp.ClientSession:
        """Return the connections, to ask something of one's own over them."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    async def _upgrade(self, request: web.BaseRequest, onward: Onward, tls: ssl.SSLContext) -> web.StreamResponse:
        location = onward.location
        secure = location.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    location.host,
                    location.port,
                    ssl=tls if secure else None,
                    server_hostname=(onward.server_name or location.host) if secure else None,
                    limit=HEAD_BYTES_MAX,
                )
        except (OSError, TimeoutError) as error:
            raise unreachable(location, error) from error
        try:
            lines = [
                f"{request.method} {onward.target} HTTP/1.1",
                *(f"{name}: {value}" for name, value in onward.headers),
            ]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
                raise unreachable(location, error) from error
            return await _join(request, onward, head, reader, writer)
        finally:
            writer.close()


def _refused_redirect() -> web.Response:
    return web.Response(status=502, text="the backend attempted to redirect this request, which is not permitted")


async def _give_back(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, response: web.StreamResponse, onward: Onward
) -> None:
    """Send head and body of an answer; the links of a page lead through here again."""
    first, with_body = b"", request.method != "HEAD"
    if with_body and onward.prefix and is_html(answer.headers.get(hdrs.CONTENT_TYPE, "")):
        first = await _page(request, answer, response, onward)
    await response.prepare(request)
    if first:
        await response.write(first)
    if with_body:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)


async def _page(
    request: web.BaseRequest,
    answer: aiohttp.ClientResponse,
    response: web.StreamResponse,
    onward: Onward,
) -> bytes:
    """Return the beginning of a page, or all of it with its links led through the proxy."""
    body = bytearray()
    while len(body) <= HTML_BYTES_MAX:
        piece = await answer.content.read(CHUNK_BYTES)
        if not piece:
            break
        body += piece
    encoding = answer.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    page = unpack(bytes(body), encoding) if len(body) <= HTML_BYTES_MAX else None
    if page is None:
        return bytes(body)
    rewrite = partial(
        rewrite_link,
        target_host=onward.location.authority,
        client_host=request.host,
        prefix=onward.prefix.rstrip("/"),
    )
    rewritten = await asyncio.to_thread(rewrite_page, page, rewrite)
    if rewritten == page:
        return bytes(body)
    response.headers.popall(hdrs.CONTENT_ENCODING, None)
    response.headers[hdrs.CONTENT_LENGTH] = str(len(rewritten))
    return rewritten


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
        raise UnavailableError("error trying to reach service: malformed HTTP response")
    response = web.StreamResponse(status=int(code), reason=reason)
    for name, value in returned_headers(pairs, onward.location, "", upgrade=int(code) == 101):
        response.headers.add(name, value)
    if not onward.redirects and 300 <= int(code) < 400 and hdrs.LOCATION in response.headers:
        return _refused_redirect()
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


def unreachable(location: Location, error: BaseException) -> UnavailableError:
    """Return upstream's words for a server that cannot be reached."""
    refused = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(refused, ssl.SSLError):
        return UnavailableError(
            f"error trying to reach service: tls: {getattr(refused, 'verify_message', '') or refused.reason}"
        )
    number = getattr(error, "errno", None) or getattr(getattr(error, "os_error", None), "errno", None)
    why = f"dial tcp {location.authority}: " if number else f"{location.authority}: "
    if isinstance(error, TimeoutError):
        why += "i/o timeout"
    elif number:
        why += f"connect: {os.strerror(number).lower()}"
    else:
        why += str(error) or "EOF"
    return UnavailableError(f"error trying to reach service: {why}")
