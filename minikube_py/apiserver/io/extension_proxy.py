"""Requests for the group versions of other servers: authenticated and allowed here, answered there.

What comes over HTTP is streamed both ways, watches and upgrades too. Components in this process get whole answers.
While a server is not available nobody waits for it: 503 at once.

Upstream: kube-aggregator pkg/apiserver/handler_proxy.go (the texts, as plain text).
"""

import logging
from collections.abc import Callable

from aiohttp import hdrs, web

from minikube_py.api.errors import StatusError, UnavailableError
from minikube_py.apiserver.api_services import ApiService, Registry
from minikube_py.apiserver.io.answers import text_answer
from minikube_py.apiserver.io.extension_servers import ExtensionServers
from minikube_py.apiserver.io.http_requests import too_many_requests
from minikube_py.apiserver.io.passed_upgrade import Onward
from minikube_py.apiserver.proxying import Location, forwarded_headers
from minikube_py.apiserver.request_headers import with_user
from minikube_py.apiserver.users import UserInfo
from minikube_py.client.wire import ApiRequest, ApiResponse

log = logging.getLogger("apiserver")

REQUESTS_MAX = 10_000
"""Requests to other servers at one time, watches among them; a further one is answered with 429."""
WHOLE_ANSWER_TIMEOUT_S = 60.0
_UNAVAILABLE = "service unavailable"
_OPENAPI_V3 = "/openapi/v3"


class ExtensionProxy:
    """Sends requests on to the servers of APIServices."""

    def __init__(self, servers: ExtensionServers, registry: Callable[[], Registry]) -> None:
        self._servers = servers
        self._registry = registry
        self._open = 0
        self.has_openapi_v3: Callable[[ApiService], bool] = lambda service: False
        """Whether a server publishes its own OpenAPI v3 document, which is asked for there then."""

    def service_for(self, path: str) -> ApiService | None:
        """Return the APIService whose server answers for a path; None: this server does."""
        registry = self._registry()
        if not registry.remote:
            return None
        if path.startswith(_OPENAPI_V3):
            service = registry.remote_of(path.removeprefix(_OPENAPI_V3))
            return service if service is not None and self.has_openapi_v3(service) else None
        return registry.remote_of(path)

    async def answer(self, request: web.BaseRequest, user: UserInfo, service: ApiService) -> web.StreamResponse:
        """Send a request on and give the answer back, to its end.

        Raises:
            TooManyRequestsError: too many are open.
        """
        if self._open >= REQUESTS_MAX:
            raise too_many_requests()
        self._open += 1
        try:
            return await self._forward(request, user, service)
        except StatusError as error:
            return web.Response(status=503, text=f"{error.message}\n", headers={"X-Content-Type-Options": "nosniff"})
        finally:
            self._open -= 1

    async def _forward(self, request: web.BaseRequest, user: UserInfo, service: ApiService) -> web.StreamResponse:
        raw_path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
        headers = forwarded_headers(
            request.headers.items(),
            client=request.remote or "",
            host=request.host,
            uri=raw_path,
            scheme="https" if request.secure else "http",
            upgrade=bool(request.headers.get(hdrs.UPGRADE)),
        )
        assert service.service is not None
        location = self._locate(service)
        tls = self._servers.tls(service)
        others = [pair for pair in with_user(headers, user) if pair[0].lower() != hdrs.HOST.lower()]
        onward = Onward(
            location,
            raw_path + (f"?{query}" if query else ""),
            [(hdrs.HOST, location.authority), *others],
            server_name=service.service.server_name,
            redirects=False,
        )
        return await self._servers.forwarder.forward(request, onward, tls)

    def _locate(self, service: ApiService) -> Location:
        assert service.service is not None
        if not service.available:
            raise UnavailableError(_UNAVAILABLE)
        try:
            return self._servers.locate(service.service)
        except UnavailableError as error:
            log.warning("APIService %s: %s", service.name, error.message)
            raise UnavailableError(_UNAVAILABLE) from error

    async def whole_answer(self, request: ApiRequest, user: UserInfo, service: ApiService) -> ApiResponse:
        """Return the answer to a request from this process; a watch is none that ends, and is refused."""
        if not service.available:
            return text_answer(f"{_UNAVAILABLE}\n", 503)
        try:
            return await self._servers.ask(service, request, user, timeout_s=WHOLE_ANSWER_TIMEOUT_S)
        except UnavailableError as error:
            return text_answer(f"{error.message}\n", 503)
