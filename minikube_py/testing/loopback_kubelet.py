"""The kubelet's real server on loopback HTTPS, over streams, statistics and pods that a test gives."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.apiserver.io.certificates import Pki, ensure_node_serving
from minikube_py.apiserver.pki import kubelet_serving
from minikube_py.client.interface import Client
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.tls import server_context
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.configz import configz
from minikube_py.kubelet.cri import RuntimeListing
from minikube_py.kubelet.io.delegated_access import DelegatedAccess
from minikube_py.kubelet.io.kubelet_server import KubeletServer
from minikube_py.kubelet.io.node_logs import NodeLogs
from minikube_py.kubelet.io.server_documents import DocumentSources, ServerDocuments
from minikube_py.kubelet.io.server_metrics import ServerMetrics
from minikube_py.kubelet.io.server_streams import NodeStreams, ServerStreams

FindPod = Callable[[str, str], Mapping[str, Any] | None]


class NoRuntime:
    """A runtime that has nothing, and a node that uses nothing."""

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return nothing."""
        return RuntimeListing((), ())

    async def summary(self) -> Obj:
        """Return a summary of the node alone."""
        return {"node": {"nodeName": "n1"}, "pods": []}

    async def resource_metrics(self) -> str:
        """Return one number."""
        return "scrape_error 0\n"

    async def cadvisor_metrics(self) -> str:
        """Return one number."""
        return "container_scrape_error 0\n"


def loopback_kubelet(
    client: Client,
    clock: Clock,
    streams: NodeStreams,
    find_pod: FindPod,
    *,
    pods: Callable[[], Sequence[Obj]] = tuple,
    log_dir: str = "/var/log",
) -> KubeletServer:
    """Return the server of node n1."""
    runtime = NoRuntime()
    metrics = ServerMetrics("n1")
    config = configz(KubeletConfig("n1", "127.0.0.1", "/kubelet", "/var/log/pods"))
    sources = DocumentSources(pods, runtime, runtime, metrics, NodeLogs(log_dir), config, str)
    access = DelegatedAccess(client, clock, "n1")
    return KubeletServer(access, ServerDocuments(sources), ServerStreams(find_pod, streams, clock), metrics)


def kubelet_context(pki: Pki, folder: Path, wall_s: float) -> ssl.SSLContext:
    """Return the TLS settings of node n1 on loopback, with a certificate of the cluster's CA."""
    paths = ensure_node_serving(pki, folder, kubelet_serving("n1", ("127.0.0.1",)), wall_s)
    context = server_context(pki.ca.certificate_pem)
    context.load_cert_chain(*paths)
    return context


@asynccontextmanager
async def kubelet_serving_at(server: KubeletServer, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve while the context lasts; gives the port."""
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve("127.0.0.1", 0, tls, ready))
        await ready.wait()
        try:
            yield server.port
        finally:
            task.cancel()
