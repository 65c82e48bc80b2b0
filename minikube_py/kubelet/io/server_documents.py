"""The kubelet server's answers that are documents: health, pods, settings, logs of the host, metrics and statistics.

Upstream: kubelet/server/server.go, stats/handler.go.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from aiohttp import web

from minikube_py.api.errors import InternalError, NotFoundError
from minikube_py.api.meta import Obj
from minikube_py.kubelet.cri import ContainerPhase, ContainerRuntimeError, RuntimeListing
from minikube_py.kubelet.io.node_logs import NodeLogs
from minikube_py.kubelet.io.server_metrics import ServerMetrics
from minikube_py.kubelet.server_routes import KubeletRoute

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CHECKPOINT_REFUSED = "checkpoint/restore is not supported: this kubelet runs containers on Docker"


class Statistics(Protocol):
    """What the node uses (kubelet.io.statistics)."""

    async def summary(self) -> Obj:
        """Return the document of /stats/summary."""
        ...

    async def resource_metrics(self) -> str:
        """Return the text of /metrics/resource."""
        ...

    async def cadvisor_metrics(self) -> str:
        """Return the text of /metrics/cadvisor."""
        ...


class Listing(Protocol):
    """Lists what the runtime has."""

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return sandboxes and containers."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """Who knows what the documents say."""

    pods: Callable[[], Sequence[Obj]]
    """The pods of this node as the API has them."""
    runtime: Listing
    statistics: Statistics
    metrics: ServerMetrics
    logs: NodeLogs
    configz: Obj
    fault: Callable[[], str]
    """Why the kubelet does not follow its pods; empty when it does."""


class ServerDocuments:
    """Answers for one node."""

    def __init__(self, sources: DocumentSources) -> None:
        self._sources = sources

    async def answer(self, request: web.BaseRequest, route: KubeletRoute) -> web.StreamResponse:
        """Answer a request that is no stream.

        Raises:
            StatusError: there is nothing there, or it cannot be read now.
        """
        sources = self._sources
        match route.kind:
            case "healthz":
                return self._health(route.rest)
            case "pods":
                return _json(_pod_list(sources.pods()))
            case "runningpods":
                return _json(_pod_list(_running_pods(await self._listing())))
            case "configz":
                return _json(sources.configz)
            case "logs":
                return await sources.logs.answer(request, route.rest)
            case "checkpoint":
                raise InternalError(CHECKPOINT_REFUSED)
            case _:
                return await self._numbers(f"{route.kind}/{route.rest}".rstrip("/"))

    async def _numbers(self, path: str) -> web.StreamResponse:
        sources = self._sources
        match path:
            case "stats/summary" | "stats":
                return _json(await sources.statistics.summary())
            case "metrics":
                self._count(await self._listing())
                return _metrics(sources.metrics.render())
            case "metrics/probes":
                return _metrics(sources.metrics.render_probes())
            case "metrics/resource":
                return _metrics((await sources.statistics.resource_metrics()).encode())
            case "metrics/cadvisor":
                return _metrics((await sources.statistics.cadvisor_metrics()).encode())
            case _:
                raise NotFoundError("404: Page Not Found")

    def _health(self, check: str) -> web.Response:
        """Answer /healthz and its parts as upstream's checks do."""
        faults = {"ping": "", "log": "", "syncloop": self._sources.fault()}
        if check and check not in faults:
            raise NotFoundError("404: Page Not Found")
        asked = {check: faults[check]} if check else faults
        if not any(asked.values()):
            return web.Response(text="ok")
        lines = [f"[-]{name} failed: {why}" if why else f"[+]{name} ok" for name, why in asked.items()]
        return web.Response(status=500, text="\n".join([*lines, "healthz check failed\n"]))

    async def _listing(self) -> RuntimeListing:
        try:
            return await self._sources.runtime.listing()
        except ContainerRuntimeError as error:
            raise InternalError(error.message) from error

    def _count(self, listing: RuntimeListing) -> None:
        states = Counter(container.phase.value.lower() for container in listing.containers)
        self._sources.metrics.show_running(sum(sandbox.ready for sandbox in listing.sandboxes), states)


def _pod_list(pods: Sequence[Obj]) -> Obj:
    items = [{key: value for key, value in pod.items() if key not in ("apiVersion", "kind")} for pod in pods]
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}


def _running_pods(listing: RuntimeListing) -> list[Obj]:
    """Return what the runtime runs, as pods with nothing but names and images (upstream: ToAPIPod)."""
    pods: dict[str, dict[str, Any]] = {}
    for container in listing.containers:
        if container.phase is not ContainerPhase.RUNNING:
            continue
        identity = container.pod
        meta = {"name": identity.name, "namespace": identity.namespace, "uid": identity.uid}
        pod = pods.setdefault(identity.uid, {"metadata": meta, "spec": {"containers": []}, "status": {}})
        pod["spec"]["containers"].append({"name": container.name, "image": container.image, "resources": {}})
    return [pods[uid] for uid in sorted(pods)]


def _json(document: Obj) -> web.Response:
    return web.Response(body=orjson.dumps(document), content_type="application/json")


def _metrics(text: bytes) -> web.Response:
    return web.Response(body=text, headers={"Content-Type": _METRICS_TYPE})
