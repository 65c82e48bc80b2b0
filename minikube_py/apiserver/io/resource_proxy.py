"""The proxy subresources of nodes, pods and services: the request goes on as it is, and its answer comes back so.

Bodies are streamed both ways and nothing is unpacked. A request to upgrade (WebSocket, SPDY) is sent on as it is, and
once the other side agrees its bytes are nobody's business but the two ends'.

Upstream: apimachinery util/proxy (UpgradeAwareHandler).
"""

import asyncio
import ssl
from functools import partial
from random import Random
from urllib.parse import unquote

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from minikube_py.api.errors import UnavailableError, not_found
from minikube_py.api.resources import ENDPOINTS, NODES, SERVICES
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.passed_upgrade import CHUNK_BYTES, CONNECT_TIMEOUT_S, dial_failure, pass_upgrade
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
            tls = self._kubelet_tls if location.kubelet else self._tls
            try:
                return await pass_upgrade(request, location, target, headers, tls)
            except OSError as error:
                raise _unreachable(location, error) from error
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


def _unreachable(location: Location, error: BaseException) -> UnavailableError:
    return UnavailableError(f"error trying to reach service: {dial_failure(location, error)}")
