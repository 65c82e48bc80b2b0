"""The API without HTTP: one request in, one answer out. HTTP and the transport in this process both come in here.

authorize -> find the route -> read, or write; errors are answers too.
"""

from collections.abc import Awaitable, Callable, Mapping

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.errors import BadRequestError, StatusError
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.authorize import Denied, authorize, forbidden_request
from minikube_py.apiserver.io.answers import Answer, error_answer, warned
from minikube_py.apiserver.io.computed import Computed
from minikube_py.apiserver.io.documents import Documents
from minikube_py.apiserver.io.extension_proxy import ExtensionProxy
from minikube_py.apiserver.io.pod_logs import PodLogs
from minikube_py.apiserver.io.reads import Reads
from minikube_py.apiserver.io.writes import Writes
from minikube_py.apiserver.routes import RequestInfo, Route, Verb, parse_request, resolve
from minikube_py.apiserver.users import UserInfo
from minikube_py.client.wire import ApiRequest

UPGRADE_SUBRESOURCES = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources that are streams in both directions; only HTTP can carry them (apiserver.io.upgrades)."""


class Dispatcher:
    """Answers requests."""

    def __init__(
        self,
        reads: Reads,
        writes: Writes,
        documents: Documents,
        logs: PodLogs,
        computed: Computed,
        catalog: Callable[[], Catalog] = lambda: STATIC,
        extensions: ExtensionProxy | None = None,
    ) -> None:
        self._extensions = extensions
        self._catalog = catalog
        self._documents = documents
        self._logs = logs
        self._computed = computed
        self._by_verb: Mapping[Verb, Callable[[Route, ApiRequest], Awaitable[Answer]]] = {
            "get": reads.get,
            "list": reads.list,
            "watch": reads.watch,
            "create": writes.create,
            "update": writes.update,
            "patch": writes.patch,
            "delete": writes.delete,
            "deletecollection": writes.delete_collection,
        }

    async def handle(
        self,
        request: ApiRequest,
        user: UserInfo,
        info: RequestInfo | None = None,
        trail: AuditTrail | None = None,
    ) -> Answer:
        """Answer `request` of `user`; never raises StatusError."""
        info = info or parse_request(request.method, request.path, request.query)
        try:
            check_allowed(user, info, trail)
            service = self._extensions.service_for(info.path) if self._extensions is not None else None
            if service is not None and self._extensions is not None:
                return await self._extensions.whole_answer(request, user, service)
            if not info.is_resource:
                return await self._documents.answer(info, request)
            return await self._resource(resolve(info, self._catalog(), user, trail), request)
        except StatusError as error:
            return error_answer(error)

    async def _resource(self, route: Route, request: ApiRequest) -> Answer:
        deprecation = route.resource.deprecation
        if not deprecation:
            return await self._dispatch(route, request)
        try:
            answer = await self._dispatch(route, request)
        except StatusError as error:
            answer = error_answer(error)
        return warned(answer, deprecation)

    async def _dispatch(self, route: Route, request: ApiRequest) -> Answer:
        if route.subresource == "log":
            return await self._logs.answer(route, request)
        if route.resource.computed:
            return await self._computed.answer(route, request)
        if route.subresource in UPGRADE_SUBRESOURCES:
            raise BadRequestError("Upgrade request required")
        return await self._by_verb[route.verb](route, request)


def check_allowed(user: UserInfo, info: RequestInfo, trail: AuditTrail | None = None) -> None:
    """Ask the authorizer.

    Raises:
        ForbiddenError: the user may not.
    """
    verdict = authorize(user, info)
    if trail is not None:
        trail.annotate("authorization.k8s.io/decision", "forbid" if isinstance(verdict, Denied) else "allow")
        trail.annotate("authorization.k8s.io/reason", verdict.why if isinstance(verdict, Denied) else "")
    if isinstance(verdict, Denied):
        raise forbidden_request(user, info, verdict.why)
