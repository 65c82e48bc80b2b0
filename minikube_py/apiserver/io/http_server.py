"""HTTP <-> ApiRequest and Answer: TLS, authentication, limits, headers, compression; no decision about objects.

One handler takes every request (no router, no middlewares). Upstream: apiserver server/config.go (the handler chain).
"""

import asyncio
import gzip
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from aiohttp import HttpVersion11, web

from minikube_py.api.errors import (
    BadRequestError,
    StatusError,
    TimeoutStatusError,
    UnauthorizedError,
)
from minikube_py.apiserver import joining
from minikube_py.apiserver.audit_events import Call, Outcome
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.http_head import COMMON_FIELDS, render_answer
from minikube_py.apiserver.impersonation import impersonate, impersonated_in
from minikube_py.apiserver.io.answers import (
    Answer,
    PartsResponse,
    StreamResponse,
    WatchResponse,
    error_answer,
    indented,
)
from minikube_py.apiserver.io.audit_log import AuditLog, Exchange
from minikube_py.apiserver.io.dispatcher import UPGRADE_SUBRESOURCES, Dispatcher, check_allowed
from minikube_py.apiserver.io.extension_proxy import ExtensionProxy
from minikube_py.apiserver.io.http_requests import (
    ASKED_MAX,
    EXCHANGE,
    Asked,
    AskedBefore,
    BodyRoom,
    compress_parts,
    read_body,
    start,
    too_many_requests,
)
from minikube_py.apiserver.io.http_watch import HttpWatch
from minikube_py.apiserver.io.join_endpoint import JoinEndpoint
from minikube_py.apiserver.io.metrics import ApiMetrics
from minikube_py.apiserver.io.request_counts import request_labels
from minikube_py.apiserver.io.status_connection import StatusRequestHandler
from minikube_py.apiserver.io.upgrades import Upgrades
from minikube_py.apiserver.io.whole_response import WRITER, WholeResponse, client_http
from minikube_py.apiserver.negotiate import is_read_by_people
from minikube_py.apiserver.request_headers import FrontProxies, header_text, user_in
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import ANONYMOUS, UserInfo
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.peer_subject import PeerSubject
from minikube_py.streaming.io.http_listener import NotifyingServer, listen

log = logging.getLogger("apiserver")

Authenticate = Callable[[PeerSubject | None, str], UserInfo]

GZIP_BYTES_MIN = 128 << 10
"""Smaller bodies are not compressed (upstream's threshold)."""
HEADER_BYTES_MAX = 64 << 10
AUDIT_ID_LENGTH_MAX = 64
"""A client's own Audit-ID is cut to this."""
AUDIT_ID = web.RequestKey("audit_id", str)
NOBODY = UserInfo("", ())
"""The user of a request that did not say who it is, in the audit log."""
_HEALTH = ("/livez", "/readyz", "/healthz")
"""Always answered: a server that is busy is not dead."""
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class HttpPorts:
    """What serving HTTP needs beside the API itself."""

    authenticate: Authenticate
    clock: Clock
    ids: Ids
    rng: Random
    extensions: ExtensionProxy
    front_proxies: FrontProxies | None
    """Whose X-Remote headers are believed; None: nobody's."""
    joins: JoinEndpoint | None
    """Who answers hosts that want to become nodes; None: nobody."""
    audit: AuditLog | None = None


class HttpServer:
    """Serves the dispatcher over HTTPS."""

    def __init__(
        self,
        config: ApiServerConfig,
        dispatcher: Dispatcher,
        upgrades: Upgrades,
        metrics: ApiMetrics,
        ports: HttpPorts,
    ) -> None:
        self._config = config
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._authenticate = ports.authenticate
        self._upgrades = upgrades
        self._clock = ports.clock
        self._ids = ports.ids
        self._rng = ports.rng
        self._extensions = ports.extensions
        self._front_proxies = ports.front_proxies
        self._joins = ports.joins
        self._audit = ports.audit
        self._gzip = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apiserver-gzip")
        self._server: NotifyingServer | None = None
        self._room = BodyRoom(config.body_bytes_in_flight_max)
        self._asked = AskedBefore(ASKED_MAX)
        self._open: dict[HttpWatch, None] = {}
        self._in_flight = {False: 0, True: 0}
        self._in_flight_max = {False: config.requests_in_flight_max, True: config.mutating_requests_in_flight_max}
        for mutating, kind in ((False, "readOnly"), (True, "mutating")):
            metrics.show_in_flight(kind, partial(self._in_flight.__getitem__, mutating))
        self.port = 0
        """Where it listens, once it does."""

    async def serve(self, tls: ssl.SSLContext | None, ready: asyncio.Event | None = None) -> None:
        """Listen and answer until cancelled; then end watches, and wait a little for the rest.

        Raises:
            ListenError: the address cannot be had.
        """
        self._server = NotifyingServer(
            self._handle,
            StatusRequestHandler,
            request_factory=self._make_request,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            keepalive_timeout=180.0,
            access_log=None,
            auto_decompress=True,
        )
        runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=self._config.shutdown_grace_s)
        await runner.setup()
        try:
            self.port = await listen(
                runner, self._config.bind_address, self._config.secure_port, tls, "--https-listen-port"
            )
            if ready is not None:
                ready.set()
            await asyncio.Event().wait()
        finally:
            for watch in tuple(self._open):
                watch.end()
            await runner.cleanup()
            await self._upgrades.close()
            self._gzip.shutdown(wait=False)

    def _make_request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        request = web.Request(
            message, payload, protocol, writer, task, loop, client_max_size=self._config.body_bytes_max
        )
        request[WRITER] = writer
        return request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = self._asked.of(request)
        info = asked.info
        request[AUDIT_ID] = request.headers.get("Audit-ID", "")[:AUDIT_ID_LENGTH_MAX] or self._ids.new_uid()
        try:
            # A host that joins shows a token, which makes it no user of the API.
            user = ANONYMOUS if info.path in joining.PATHS else self._user_of(request)
        except UnauthorizedError as error:
            return await self._refuse(request, info, error)
        exchange = self._begin(request, info, user)
        if exchange is None:
            return (await self._served(request, user, asked, None))[0]
        exchange.stage("RequestReceived")
        request[EXCHANGE] = exchange
        with exchange:
            response, answer = await self._served(request, user, asked, exchange)
            kept = response.status >= 400 or exchange.decision.keeps("RequestResponse")
            exchange.ended(Outcome(response.status, _body_of(answer) if kept else b""))
            return response

    async def _refuse(
        self, request: web.BaseRequest, info: RequestInfo, error: UnauthorizedError
    ) -> web.StreamResponse:
        """Answer somebody who is not who he says."""
        answer = error_answer(error)
        self._metrics.requests.count(info, answer.status, None)
        if (exchange := self._begin(request, info, NOBODY)) is not None:
            exchange.stage("ResponseStarted", Outcome(answer.status, answer.body))
        return await self._whole(request, answer)

    async def _served(
        self,
        request: web.BaseRequest,
        user: UserInfo,
        asked: Asked,
        exchange: Exchange | None,
    ) -> tuple[web.StreamResponse, Answer | web.StreamResponse]:
        """Answer a request of `user`; returns the response, sent if it is streamed, and the answer in it."""
        started_s = self._clock.now_s()
        try:
            acting = impersonate(user, impersonated_in(request.headers.items()))
            if exchange is not None and acting is not user:
                exchange.acts_as(acting)
            answer = await self._answer(request, acting, asked, exchange)
        except StatusError as error:
            answer = error_answer(error)
        if isinstance(answer, web.StreamResponse):
            self._metrics.requests.count(asked.info, answer.status, None)
            return answer, answer
        return await self._send(request, asked.info, answer, started_s), answer

    async def _answer_host(self, request: web.BaseRequest, info: RequestInfo, joins: JoinEndpoint) -> ApiResponse:
        """Answer a host that is no node yet; what it causes is in the audit log as the bootstrap user's requests."""
        headers = {"authorization": request.headers.get("Authorization", "")}
        try:
            with self._room.holding() as grow:
                async with asyncio.timeout(self._config.request_timeout_s):
                    body = await read_body(request, joining.BODY_BYTES_MAX, grow)
                    return await joins.answer(ApiRequest(request.method, info.path, {}, headers, body))
        except TimeoutError as error:
            raise _too_late() from error

    def _begin(self, request: web.BaseRequest, info: RequestInfo, user: UserInfo) -> Exchange | None:
        """Begin to write a request down; None when nobody wants that."""
        if self._audit is None:
            return None
        call = Call(
            audit_id=header_text(request[AUDIT_ID]),
            info=info,
            uri=request.rel_url.raw_path_qs,
            user=user,
            source=request.remote or "",
            user_agent=header_text(request.headers.get("User-Agent", "")),
            received_s=self._clock.wall_s(),
        )
        return self._audit.begin(call)

    def _user_of(self, request: web.BaseRequest) -> UserInfo:
        connection = request.protocol
        assert isinstance(connection, StatusRequestHandler)
        if connection.user is not None:
            return connection.user
        peer, authorization = connection.peer, header_text(request.headers.get("Authorization", ""))
        if self._front_proxies is None or not self._front_proxies.issued(peer.certificate):
            user = self._authenticate(peer.subject, authorization)
            if peer.subject is not None and peer.subject.common_name:
                connection.user = user  # whom a certificate names does not change
            return user
        believed = user_in(tuple(request.headers.items())) if self._front_proxies.believes(peer.der) else None
        if believed is None and not authorization:
            raise UnauthorizedError("Unauthorized")
        return believed or self._authenticate(None, authorization)

    async def _answer(
        self,
        request: web.BaseRequest,
        user: UserInfo,
        asked: Asked,
        exchange: Exchange | None,
    ) -> Answer | web.StreamResponse:
        info, query = asked.info, asked.query
        if self._joins is not None and info.path in joining.PATHS:
            return await self._answer_host(request, info, self._joins)
        trail = exchange.trail if exchange is not None else None
        service = self._extensions.service_for(info.path)
        if service is not None:
            check_allowed(user, info, trail)
            assert self._server is not None
            forwarded = self._extensions.answer(request, user, service)
            return await self._server.while_connected(request, forwarded) or _client_is_gone()
        if info.subresource in UPGRADE_SUBRESOURCES and info.is_resource:
            assert self._server is not None
            upgraded = self._upgrades.answer(request, user, info, query, trail)
            return await self._server.while_connected(request, upgraded) or _client_is_gone()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if info.subresource == "log":
            return await self._dispatcher.handle(
                ApiRequest(request.method, info.path, query, headers), user, info, trail
            )
        mutating = request.method in _BODY_METHODS
        if self._in_flight[mutating] >= self._in_flight_max[mutating] and not info.path.startswith(_HEALTH):
            raise too_many_requests()
        self._in_flight[mutating] += 1
        try:
            if info.verb == "get" and not query:
                # The commonest request waits for nothing, so it needs no deadline.
                return await self._dispatcher.handle(
                    ApiRequest(request.method, info.path, query, headers), user, info, trail
                )
            with self._room.holding() as grow:
                async with asyncio.timeout(self._config.request_timeout_s):
                    body = await read_body(request, self._config.body_bytes_max, grow) if mutating else b""
                    if exchange is not None and exchange.decision.keeps("Request"):
                        exchange.sent(body)
                    api_request = ApiRequest(request.method, info.path, query, headers, body)
                    return await self._dispatcher.handle(api_request, user, info, trail)
        except TimeoutError as error:
            raise _too_late() from error
        finally:
            self._in_flight[mutating] -= 1

    async def _send(
        self, request: web.BaseRequest, info: RequestInfo, answer: Answer, started_s: float
    ) -> web.StreamResponse:
        match answer:
            case ApiResponse():
                self._metrics.requests.count(info, answer.status, self._clock.now_s() - started_s)
                return await self._whole(request, answer)
            case PartsResponse():
                self._metrics.requests.count(info, 200, self._clock.now_s() - started_s)
                return await self._parts(request, answer)
            case WatchResponse(session, headers):
                if request.version < HttpVersion11:
                    return await self._whole(request, error_answer(BadRequestError("a watch needs HTTP/1.1")))
                if len(self._open) >= self._config.watches_max:
                    return await self._whole(request, error_answer(too_many_requests()))
                watch = HttpWatch(session, self._config, self._clock, self._rng)
                self._metrics.requests.count(info, 200, None)
                return await self._watch(request, watch, info, headers)
            case StreamResponse(chunks, headers):
                self._metrics.requests.count(info, 200, None)
                response = web.StreamResponse(headers={**headers, **self._common_headers(request)})
                return await self._stream(request, response, chunks)

    def _common_headers(self, request: web.BaseRequest) -> dict[str, str]:
        return {**COMMON_FIELDS, "Audit-Id": request[AUDIT_ID]}

    async def _whole(self, request: web.BaseRequest, answer: ApiResponse) -> web.StreamResponse:
        headers, body = answer.headers, answer.body
        if is_read_by_people(request.headers.get("User-Agent", "")) and "pretty" not in request.query_string:
            body = indented(answer)
        if len(body) > GZIP_BYTES_MIN and "gzip" in request.headers.get("Accept-Encoding", ""):
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._gzip, gzip.compress, body, 1)
            vary = ", ".join(filter(None, (headers.get("vary"), "Accept-Encoding")))
            headers = {**headers, "content-encoding": "gzip", "vary": vary}
        whole = render_answer(
            answer.status, headers, body, request[AUDIT_ID], self._clock.wall_s(), client_http(request)
        )
        return WholeResponse(request, answer.status, whole)

    async def _parts(self, request: web.BaseRequest, answer: PartsResponse) -> web.StreamResponse:
        """Write a long answer in turns with everything else."""
        headers = {**self._common_headers(request), **answer.headers}
        parts: Iterable[bytes] = answer.body.parts()
        length = answer.body.size_bytes
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            loop = asyncio.get_running_loop()
            packed = await loop.run_in_executor(self._gzip, compress_parts, parts)
            headers["Content-Encoding"] = "gzip"
            headers["Vary"] = "Accept-Encoding"
            parts, length = packed, sum(map(len, packed))
        headers["Content-Length"] = str(length)
        response = web.StreamResponse(headers=headers)
        await start(request, response)
        if request.method == "HEAD":
            return response
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _watch(
        self, request: web.BaseRequest, watch: HttpWatch, info: RequestInfo, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        assert self._server is not None
        response = web.StreamResponse(headers={**headers, **self._common_headers(request)})
        labels = request_labels(info)
        self._server.on_lost[request.protocol] = watch.end
        self._open[watch] = None
        self._metrics.watches.opened(labels)
        try:
            with suppress(ConnectionError):
                await watch.run(request, response)
        finally:
            self._metrics.watches.closed(labels)
            del self._open[watch]
            self._server.on_lost.pop(request.protocol, None)
        if watch.dropped:
            self._metrics.watch_drops.labels(info.resource).inc()
            log.info("cut off a watch of %s by %s: too slow", info.resource, request.remote)
        return response

    async def _stream(
        self, request: web.BaseRequest, response: web.StreamResponse, chunks: Any
    ) -> web.StreamResponse:
        assert self._server is not None
        try:
            await self._server.while_connected(request, _write_chunks(request, response, chunks))
        except ConnectionError:
            log.debug("a log's reader went away: %s", request.remote)
        finally:
            await chunks.aclose()
        return response


def _too_late() -> TimeoutStatusError:
    return TimeoutStatusError("Timeout: request did not complete within the allotted timeout", retry_after_s=1)


def _client_is_gone() -> web.Response:
    return web.Response(status=499, reason="Client Closed Request")


def _body_of(answer: Answer | web.StreamResponse) -> bytes:
    """Return an answer's body for the audit log; streams have none."""
    if isinstance(answer, ApiResponse):
        return answer.body
    return answer.body.whole() if isinstance(answer, PartsResponse) else b""


async def _write_chunks(request: web.BaseRequest, response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
    response.enable_chunked_encoding()
    await start(request, response)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
