"""The metrics API on the real API server, with kubelets that answer texts: what kubectl top and autoscalers read."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from minikube_py.api.errors import NotFoundError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NAMESPACES, NODES, PODS
from minikube_py.api.table.metrics_v1beta1 import NODE_METRICS, POD_METRICS
from minikube_py.client.interface import Selection
from minikube_py.client.io.rest_client import RestClient
from minikube_py.testing.loop_clock import LoopClock
from minikube_py.testing.memory_api_server import LOOPBACK_CONFIG, memory_api_server

pytestmark = pytest.mark.looptime

RESOLUTION_S = 15.0


class Kubelets:
    """Nodes whose containers use what `cores` says; `silent` ones do not answer."""

    def __init__(self, clock):
        self.clock = clock
        self.cores = {("node1", "default", "web", "c"): 0.25, ("node2", "other", "db", "x"): 0.5}
        self.silent = set()

    async def scrape(self, node):
        if node in self.silent:
            raise ConnectionRefusedError(111, "connection refused")
        now_s = self.clock.wall_s()
        at = f" {round(now_s * 1000)}"
        lines = [
            f"node_cpu_usage_seconds_total {self.clock.now_s() + 1}{at}",
            f"node_memory_working_set_bytes 1048576{at}",
        ]
        for (place, namespace, pod, container), cores in self.cores.items():
            if place == node:
                labels = f'{{container="{container}",namespace="{namespace}",pod="{pod}"}}'
                lines.append(f"container_cpu_usage_seconds_total{labels} {cores * (self.clock.now_s() + 1)}{at}")
                lines.append(f"container_memory_working_set_bytes{labels} 2097152{at}")
        return "\n".join(lines)


class Cluster:
    def __init__(self):
        self.clock = LoopClock()
        self.kubelets = Kubelets(self.clock)
        config = replace(LOOPBACK_CONFIG, metric_resolution_s=RESOLUTION_S)
        self.server = memory_api_server(config, clock=self.clock, scrape_node=self.kubelets.scrape)
        self.client = RestClient(self.server.local_transport(), "test", lambda: 300)

    async def prepare(self):
        for name in ("node1", "node2"):
            await self.client.create(NODES, {"metadata": {"name": name, "labels": {"n": name}}})
        await self.client.create(NAMESPACES, {"metadata": {"name": "other"}})
        for namespace, name in (("default", "web"), ("other", "db")):
            await self.pod(namespace, name)

    async def pod(self, namespace, name, phase="Running"):
        metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
        await self.client.create(PODS, {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        await self.client.patch(PODS, ObjectKey(namespace, name), {"status": {"phase": phase}}, subresource="status")

    async def names(self, resource, **selection):
        listed = await self.client.list(resource, Selection(**selection))
        return [obj["metadata"]["name"] for obj in listed.items]


@asynccontextmanager
async def a_cluster():
    """Run what asks the kubelets; two readings are taken when it is yielded."""
    cluster = Cluster()
    await cluster.server.bootstrap()
    await cluster.prepare()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(cluster.server.node_metrics.run())
        await asyncio.sleep(RESOLUTION_S + 1)
        yield cluster
        task.cancel()


async def test_usage_is_what_was_used_between_the_last_two_readings():
    async with a_cluster() as cluster:
        node = await cluster.client.get(NODE_METRICS, ObjectKey("", "node1"))
        pod = await cluster.client.get(POD_METRICS, ObjectKey("default", "web"))

    assert node["usage"] == {"cpu": "1", "memory": "1Mi"}
    assert (node["window"], node["metadata"]["labels"]) == ("15s", {"n": "node1"})
    assert pod["containers"] == [{"name": "c", "usage": {"cpu": "250m", "memory": "2Mi"}}]
    assert (pod["kind"], pod["apiVersion"], pod["window"]) == ("PodMetrics", "metrics.k8s.io/v1beta1", "15s")


async def test_lists_are_by_namespace_label_and_name():
    async with a_cluster() as cluster:
        assert await cluster.names(NODE_METRICS) == ["node1", "node2"]
        assert await cluster.names(NODE_METRICS, label_selector="n=node2") == ["node2"]
        assert await cluster.names(POD_METRICS) == ["web", "db"]
        assert await cluster.names(POD_METRICS, namespace="other") == ["db"]
        assert await cluster.names(POD_METRICS, label_selector="app=web") == ["web"]
        assert await cluster.names(POD_METRICS, field_selector="metadata.name=db") == ["db"]


async def test_what_is_not_measured_or_does_not_run_is_not_found():
    async with a_cluster() as cluster:
        await cluster.pod("default", "pending", phase="Pending")
        for key in (ObjectKey("default", "pending"), ObjectKey("default", "nobody")):
            with pytest.raises(NotFoundError, match=f'pods.metrics.k8s.io "{key.name}" not found'):
                await cluster.client.get(POD_METRICS, key)


async def test_a_node_that_does_not_answer_is_not_known_and_the_others_are(caplog):
    async with a_cluster() as cluster:
        cluster.kubelets.silent.add("node1")
        await asyncio.sleep(3 * RESOLUTION_S)
        assert await cluster.names(NODE_METRICS) == ["node2"]
        assert await cluster.names(POD_METRICS) == ["db"]
        cluster.kubelets.silent.clear()
        await asyncio.sleep(2 * RESOLUTION_S)
        assert await cluster.names(NODE_METRICS) == ["node1", "node2"]

    assert len([r for r in caplog.records if "metrics of node node1 are not known" in r.message]) == 1


async def test_a_container_that_was_started_anew_is_shown_once_it_is_known():
    async with a_cluster() as cluster:
        cluster.kubelets.cores[("node1", "default", "web", "second")] = 0.125
        await asyncio.sleep(RESOLUTION_S)
        assert await cluster.names(POD_METRICS) == ["db"]
        await asyncio.sleep(RESOLUTION_S)
        pod = await cluster.client.get(POD_METRICS, ObjectKey("default", "web"))

    assert [(c["name"], c["usage"]["cpu"]) for c in pod["containers"]] == [("c", "250m"), ("second", "125m")]
