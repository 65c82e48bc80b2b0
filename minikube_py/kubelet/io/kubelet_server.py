"""The kubelet's own HTTPS server (port 10250): what the API server, monitors and administrators ask a node.

Each request: who asks (client certificate of the cluster's CA, or a token) -> may it (nodes/log, nodes/metrics) ->
the answer. Nobody is served anonymously, and refusals are plain text, as upstream's are.

Upstream: kubelet/server/server.go.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

from minikube_py.api.errors import StatusError
from minikube_py.kit.peer_subject import PeerSubject, subject_of
from minikube_py.kubelet.access import AccessRequest, Caller, access_request, failure_text, forbidden_text
from minikube_py.kubelet.io.server_documents import ServerDocuments
from minikube_py.kubelet.io.server_metrics import ServerMetrics
from minikube_py.kubelet.io.server_streams import ServerStreams
from minikube_py.kubelet.server_routes import KubeletRoute, parse_route
from minikube_py.streaming.io.http_listener import NotifyingServer, listen

log = logging.getLogger("kubelet")

HEADER_BYTES_MAX = 64 << 10
SHUTDOWN_GRACE_S = 1.0
"""At stop, how long open streams may take to end before their connections are cut."""
_STREAMS = frozenset({"exec", "attach", "portForward", "run", "containerLogs"})


class Access(Protocol):
    """Who knows callers and their rights (kubelet.io.delegated_access)."""

    async def caller(self, subject: PeerSubject | None, authorization: str) -> Caller | None:
        """Return who asks, None when it is nobody that is known."""
        ...

    async def allows(self, caller: Caller, request: AccessRequest, subresource: str) -> bool:
        """Return whether it may."""
        ...


class KubeletServer:
    """One node's server."""

    def __init__(
        self, access: Access, documents: ServerDocuments, streams: ServerStreams, metrics: ServerMetrics
    ) -> None:
        self._access = access
        self._documents = documents
        self._streams = streams
        self._metrics = metrics
        self._server: NotifyingServer | None = None
        self.port = 0
        """Where it listens, once it does."""

    async def serve(
        self, address: str, port: int, tls: ssl.SSLContext | None, ready: asyncio.Event | None = None
    ) -> None:
        """Listen and answer until cancelled.

        Raises:
            ListenError: the address cannot be had.
        """
        self._server = NotifyingServer(
            self._handle,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            keepalive_timeout=180.0,
            access_log=None,
        )
        runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=SHUTDOWN_GRACE_S)
        await runner.setup()
        try:
            self.port = await listen(runner, address, port, tls, "--kubelet-port")
            if ready is not None:
                ready.set()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            await self._check(request)
            route = parse_route(request.method, request.path)
            with self._metrics.counting(request.method, route.kind, long_running=route.kind in _STREAMS):
                answer = await self._answer(request, route)
        except _RefusedError as refused:
            return _text(refused.code, refused.text)
        except StatusError as error:
            return _text(error.code, error.message)
        return answer

    async def _answer(self, request: web.BaseRequest, route: KubeletRoute) -> web.StreamResponse:
        if route.kind not in _STREAMS:
            return await self._documents.answer(request, route)
        assert self._server is not None
        # Who leaves in the middle of a stream ends it: a log is followed, a command runs, for nobody else.
        answer = await self._server.while_connected(request, self._streams.answer(request, route))
        return answer or web.Response(status=499, reason="Client Closed Request")

    async def _check(self, request: web.BaseRequest) -> None:
        """Let through who is known and may.

        Raises:
            _RefusedError: with upstream's code and words.
        """
        wanted = access_request(request.method, request.path)
        try:
            caller = await self._access.caller(_subject(request), request.headers.get("Authorization", ""))
        except StatusError as error:
            log.warning("a caller of the kubelet's server is not authenticated: %s", error.message)
            caller = None
        if caller is None:
            raise _RefusedError(401, "Unauthorized")
        for subresource in wanted.subresources:
            try:
                if await self._access.allows(caller, wanted, subresource):
                    return
            except StatusError as error:
                log.warning("a caller of the kubelet's server is not authorized: %s", error.message)
                raise _RefusedError(500, failure_text(caller, wanted, subresource)) from error
        raise _RefusedError(403, forbidden_text(caller, wanted))


class _RefusedError(Exception):
    """The caller is not served."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _subject(request: web.BaseRequest) -> PeerSubject | None:
    transport = request.transport
    certificate: Mapping[str, Any] | None = transport.get_extra_info("peercert") if transport is not None else None
    return subject_of(certificate)


def _text(code: int, text: str) -> web.Response:
    return web.Response(status=code, text=text)
