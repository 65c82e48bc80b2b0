"""The proxy subresources of nodes, pods and services: the request goes on as it is, and its answer comes back so.

Bodies are streamed both ways and nothing is unpacked. A request to upgrade (WebSocket, SPDY) is sent on as it is, and
once the other side agrees its bytes are nobody's business but the two ends'.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import os
import ssl
from contextlib import suppress
from functools import partial
from random import Random
from urllib.parse import unquote

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from minikube_py.api.errors import UnavailableError, not_found
from minikube_py.api.resources import ENDPOINTS, NODES, SERVICES
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.spdy_link import HijackedLink
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.proxied_html import HTML_BYTES_MAX, is_html, rewrite_link, rewrite_page, unpack
from minikube_py.apiserver.proxying import (
    Location,
    forwarded_headers,
    node_location,
    pod_location,
    request_target,
    returned_headers,
    service_location,
    split_path,
    split_target,
)
from minikube_py.apiserver.routes import Route
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull

CONNECT_TIMEOUT_S = 30.0
CHUNK_BYTES = 64 << 10
HEAD_BYTES_MAX = 64 << 10
PIECES_MAX = 64
"""Pieces of an upgraded connection that the other side has not taken; then the client is not read from."""


class ResourceProxy:
    """Answers requests to proxy subresources."""

    def __init__(self, storage: Storage, rng: Random, kubelet_tls: ssl.SSLContext | None = None) -> None:
        """`kubelet_tls`: how the API server shows itself to kubelets, and what it trusts of theirs."""
        self._storage = storage
        self._rng = rng
        self._session: aiohttp.ClientSession | None = None
        # Pods have certificates of their own making; upstream does not check them either.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._kubelet_tls = kubelet_tls or self._tls

    async def close(self) -> None:
        """Close kept connections."""
        if self._session is not None:
            await self._session.close()

    async def answer(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        """Send the request on and give its answer back.

        Raises:
            StatusError: there is no such object, or nobody answers there.
        """
        location = self._locate(route)
        raw_path = request.rel_url.raw_path
        prefix, rest = split_path(unquote(raw_path), namespaced=bool(route.namespace))
        query = request.rel_url.raw_query_string
        if not rest and request.method in ("GET", "HEAD"):
            where = f"{raw_path}/" + (f"?{query}" if query else "")
            return web.Response(status=301, headers={hdrs.LOCATION: where})
        upgrade = bool(request.headers.get(hdrs.UPGRADE))
        headers = forwarded_headers(
            request.headers.items(),
            client=request.remote or "",
            host=request.host,
            uri=prefix + rest,
            scheme="https" if request.secure else "http",
            upgrade=upgrade,
        )
        target = request_target(rest, query)
        if upgrade:
            return await self._upgrade(request, location, target, headers)
        return await self._plain(request, location, location.root + target, headers, prefix)

    def _locate(self, route: Route) -> Location:
        target = split_target(route.resource.singular, route.name)
        named = Route(route.resource, route.verb, route.namespace, target.name)
        obj = decode(self._storage.get(named))
        if route.resource is NODES:
            return node_location(obj, target)
        if route.resource is SERVICES:
            entry = self._storage.find(ENDPOINTS, route.namespace, target.name)
            if entry is None:
                raise not_found("", SERVICES.plural, target.name)  # upstream's words for absent Endpoints
            return service_location(obj, decode(entry), target, self._rng.choice)
        return pod_location(obj, target)

    async def _plain(
        self,
        request: web.BaseRequest,
        location: Location,
        url: str,
        headers: list[tuple[str, str]],
        prefix: str,
    ) -> web.StreamResponse:
        if hdrs.CONTENT_ENCODING in request.headers:
            # The HTTP server has unpacked the body already.
            unpacked = (hdrs.CONTENT_ENCODING.lower(), hdrs.CONTENT_LENGTH.lower())
            headers = [pair for pair in headers if pair[0].lower() not in unpacked]
        try:
            answer = await self._opened().request(
                request.method,
                URL(url, encoded=True),
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
                ssl=self._kubelet_tls if location.kubelet else self._tls,
                skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE),
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(location, error) from error
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        try:
            for name, value in returned_headers(answer.headers.items(), location, prefix):
                response.headers.add(name, value)
            first = b""
            if request.method != "HEAD" and is_html(answer.headers.get(hdrs.CONTENT_TYPE, "")):
                first = await _page(request, answer, response, location, prefix)
            await response.prepare(request)
            if first:
                await response.write(first)
            if request.method != "HEAD":
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            await response.write_eof()
        except aiohttp.ClientError:
            # The status is out already: all that can be told is that the answer is not whole.
            response.force_close()
            if request.transport is not None:
                request.transport.abort()
        finally:
            answer.close()
        return response

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    async def _upgrade(
        self, request: web.BaseRequest, location: Location, target: str, headers: list[tuple[str, str]]
    ) -> web.StreamResponse:
        tls = self._kubelet_tls if location.kubelet else self._tls if location.scheme == "https" else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    location.host, location.port, ssl=tls, limit=HEAD_BYTES_MAX
                )
        except (OSError, TimeoutError) as error:
            raise _unreachable(location, error) from error
        try:
            lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
                raise _unreachable(location, error) from error
            return await _join(request, location, head, reader, writer)
        finally:
            writer.close()


async def _page(
    request: web.BaseRequest,
    answer: aiohttp.ClientResponse,
    response: web.StreamResponse,
    location: Location,
    prefix: str,
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
        rewrite_link, target_host=location.authority, client_host=request.host, prefix=prefix.rstrip("/")
    )
    rewritten = await asyncio.to_thread(rewrite_page, page, rewrite)
    if rewritten == page:
        return bytes(body)
    response.headers.popall(hdrs.CONTENT_ENCODING, None)
    response.headers[hdrs.CONTENT_LENGTH] = str(len(rewritten))
    return rewritten


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
        raise UnavailableError("error trying to reach service: malformed HTTP response")
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


def _unreachable(location: Location, error: BaseException) -> UnavailableError:
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
