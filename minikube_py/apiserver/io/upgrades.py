"""exec, attach, port-forward and proxies: checked like any request, then handed over to a protocol of their own.

Only HTTP can carry them, so they do not pass the dispatcher.
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

from minikube_py.api.errors import BadRequestError
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.io.dispatcher import check_allowed
from minikube_py.apiserver.io.kubelets import Kubelets
from minikube_py.apiserver.io.pod_logs import PodLogs
from minikube_py.apiserver.io.resource_proxy import ResourceProxy
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.pod_streams import (
    check_exec_options,
    choose_container,
    command_target,
    connect_options,
    parse_exec_options,
    port_forward_target,
)
from minikube_py.apiserver.routes import RequestInfo, Route, resolve
from minikube_py.apiserver.users import UserInfo


class Upgrades:
    """Answers requests for streams in both directions."""

    def __init__(self, logs: PodLogs, kubelets: Kubelets, proxy: ResourceProxy, storage: Storage) -> None:
        self._logs = logs
        self._kubelets = kubelets
        self._proxy = proxy
        self._storage = storage

    async def close(self) -> None:
        """Close what is kept open between requests."""
        await self._proxy.close()
        await self._kubelets.close()

    async def answer(
        self,
        request: web.BaseRequest,
        user: UserInfo,
        info: RequestInfo,
        query: Mapping[str, str],
        trail: AuditTrail | None = None,
    ) -> web.StreamResponse:
        """Serve the stream to its end.

        Raises:
            StatusError: the user may not, or it cannot begin.
        """
        check_allowed(user, info, trail)
        route = resolve(info, user=user, trail=trail)
        every = {name: request.query.getall(name) for name in request.query}
        await self._storage.admit(route, "CONNECT", connect_options(route, every))
        if route.subresource == "proxy":
            return await self._proxy.answer(request, route)
        if route.subresource == "portforward":
            return await self._port_forward(request, route)
        return await self._command(request, route, query, request.query.getall("command", []))

    async def _port_forward(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        location = self._kubelets.location(self._logs.pod(route.namespace, route.name))
        if not request.headers.get("Upgrade"):
            raise BadRequestError("Upgrade request required")
        target = port_forward_target(route.namespace, route.name, request.query.getall("ports", []))
        return await self._kubelets.upgrade(request, location, target)

    async def _command(
        self, request: web.BaseRequest, route: Route, query: Mapping[str, str], command: Sequence[str]
    ) -> web.StreamResponse:
        attach = route.subresource == "attach"
        pod = self._logs.pod(route.namespace, route.name)
        ref = choose_container(pod, query.get("container", ""))
        options = parse_exec_options(query, command, attach=attach)
        location = self._kubelets.location(pod)
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            raise BadRequestError(
                f"cannot exec into a container in a completed pod; current phase is {pod['status']['phase']}"
            )
        if not request.headers.get("Upgrade"):
            raise BadRequestError("Upgrade request required")
        check_exec_options(options, attach=attach)
        return await self._kubelets.upgrade(request, location, command_target(ref, options, attach=attach))
