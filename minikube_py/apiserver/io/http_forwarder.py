"""A request goes on to another server as it is, and its answer comes back so.

Bodies are streamed both ways and nothing is unpacked. A request to upgrade (WebSocket, SPDY): see `passed_upgrade`.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import ssl
from functools import partial

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from minikube_py.api.errors import UnavailableError
from minikube_py.apiserver.io.http_requests import start
from minikube_py.apiserver.io.passed_upgrade import (
    CHUNK_BYTES,
    CONNECT_TIMEOUT_S,
    Onward,
    dial_failure,
    pass_upgrade,
    refused_redirect,
)
from minikube_py.apiserver.proxied_html import HTML_BYTES_MAX, is_html, rewrite_link, rewrite_page, unpack
from minikube_py.apiserver.proxying import Location, returned_headers


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
            try:
                return await pass_upgrade(request, onward, tls)
            except OSError as error:
                raise unreachable(onward.location, error) from error
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
            return refused_redirect()
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


async def _give_back(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, response: web.StreamResponse, onward: Onward
) -> None:
    """Send head and body of an answer; the links of a page lead through here again."""
    first, with_body = b"", request.method != "HEAD"
    if with_body and onward.prefix and is_html(answer.headers.get(hdrs.CONTENT_TYPE, "")):
        first = await _page(request, answer, response, onward)
    await start(request, response)
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


def unreachable(location: Location, error: BaseException) -> UnavailableError:
    """Return upstream's words for a server that cannot be reached."""
    return UnavailableError(f"error trying to reach service: {dial_failure(location, error)}")
