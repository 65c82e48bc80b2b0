"""A kubelet on a fake host, runtime and API server, for tests in virtual time (looptime)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.kubelet_loop import Kubelet
from minikube_py.kubelet.ports import KubeletPorts, OpenInhibitor
from minikube_py.testing.awaited_executor import AwaitedExecutor
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_host_statistics import FakeCgroupWriter, FakeHostStatistics
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.fake_node import (
    FakeEndpointDrain,
    FakeEventSink,
    FakeHost,
    FakeImageVolumes,
    FakeLeftovers,
    FakePodFiles,
    FakePodNetwork,
    FakeProbeNetwork,
)
from minikube_py.testing.fake_runtime import FakeRuntime
from minikube_py.testing.loop_clock import LoopClock

NODE = "node1"
IMAGE = "busybox:1.29"


@dataclass(slots=True)
class KubeletLab:
    """The parts; `started` runs a kubelet on them, again and again if wished."""

    clock: LoopClock
    client: FakeClient
    informers: FakeInformers
    runtime: FakeRuntime
    network: FakePodNetwork
    drain: FakeEndpointDrain
    files: FakePodFiles
    probes: FakeProbeNetwork
    host: FakeHost
    statistics: FakeHostStatistics
    cgroups: FakeCgroupWriter
    leftovers: FakeLeftovers
    events: FakeEventSink
    config: KubeletConfig
    image_volumes: FakeImageVolumes
    open_inhibitor: OpenInhibitor | None = None

    def ports(self) -> KubeletPorts:
        """Return the ports of a kubelet on this host."""
        return KubeletPorts(
            client=self.client,
            informers=self.informers,
            runtime=self.runtime,
            images=self.runtime,
            image_volumes=self.image_volumes,
            network=self.network,
            endpoint_drain=self.drain,
            files=self.files,
            probe_network=self.probes,
            host=self.host,
            statistics=self.statistics,
            places=self.statistics,
            cgroups=self.cgroups,
            leftovers=self.leftovers,
            recorder=self.events,
            clock=self.clock,
            random=lambda: 0.5,
            open_inhibitor=self.open_inhibitor,
        )

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Kubelet]:
        """Run a kubelet; leaving kills it as `kill -9` does (nothing is told to anybody)."""
        kubelet = Kubelet(self.config, self.ports())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(kubelet.run())
            await asyncio.sleep(0.01)
            yield kubelet
            task.cancel()

    async def status(self, name: str, namespace: str = "default") -> Obj:
        """Return a pod's status as the API has it."""
        pod = await self.client.get(PODS, ObjectKey(namespace, name))
        status: Obj = pod.get("status") or {}
        return status

    async def eventually(self, condition: Callable[[], bool], within_s: float) -> None:
        """Wait until `condition` holds, looking ten times a second of virtual time.

        Raises:
            AssertionError: it did not hold within `within_s`.
        """
        until_s = self.clock.now_s() + within_s
        while not condition():
            assert self.clock.now_s() < until_s, f"not within {within_s} s; journal: {self.runtime.journal}"
            await asyncio.sleep(0.1)

    def pod(self, name: str, namespace: str = "default") -> Obj | None:
        """Return a pod as the API has it, or None."""
        for obj in self.client.objects(PODS):
            if (obj["metadata"]["namespace"], obj["metadata"]["name"]) == (namespace, name):
                return obj
        return None

    def phase(self, name: str) -> str:
        """Return a pod's phase, empty when there is no such pod."""
        pod = self.pod(name)
        return "" if pod is None else str((pod.get("status") or {}).get("phase", ""))

    def container(self, name: str, index: int = 0) -> Mapping[str, Any]:
        """Return the status of a pod's container, empty before there is one."""
        pod = self.pod(name)
        statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or ()
        return statuses[index] if len(statuses) > index else {}

    def is_ready(self, name: str) -> bool:
        """Return whether a pod's Ready condition is True."""
        conditions = ((self.pod(name) or {}).get("status") or {}).get("conditions") or ()
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def a_kubelet_lab() -> KubeletLab:
    """Return a fresh host with one image; call it inside a running loop: it stands still for its threads then."""
    asyncio.get_running_loop().set_default_executor(AwaitedExecutor())
    clock = LoopClock()
    client = FakeClient(clock)
    runtime = FakeRuntime(clock)
    runtime.add_image(IMAGE)
    return KubeletLab(
        clock=clock,
        client=client,
        informers=FakeInformers(client),
        runtime=runtime,
        network=FakePodNetwork(runtime.journal),
        drain=FakeEndpointDrain(clock, runtime.journal),
        files=FakePodFiles(),
        probes=FakeProbeNetwork({}, []),
        host=FakeHost(),
        statistics=FakeHostStatistics(clock),
        cgroups=FakeCgroupWriter(),
        leftovers=FakeLeftovers(),
        events=FakeEventSink([]),
        image_volumes=FakeImageVolumes(),
        config=KubeletConfig(
            node_name=NODE,
            node_ip="192.0.2.1",
            root_dir="/data/agent",
            pod_logs_dir="/var/log/pods",
            cluster_dns=("10.96.0.10",),
        ),
    )


def a_pod(name: str, *containers: Mapping[str, Any], **spec: Any) -> Obj:
    """Return a pod bound to the lab's node; a container without an image gets the lab's."""
    made = [{"image": IMAGE, **c} for c in (containers or ({"name": "c"},))]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"nodeName": NODE, "containers": made, "terminationGracePeriodSeconds": 30, **spec},
    }


def a_service(name: str) -> Obj:
    """Return a service that selects the pods of `a_pod(name)`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.20", "selector": {"app": name}, "ports": [{"port": 80}]},
    }
