"""A cluster without a machine: controllers, scheduler and fake kubelets over the fake API server, in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, format_micro_time, format_time, is_deleting, key_of, metadata, uid_of
from minikube_py.api.resources import DEPLOYMENTS, LEASES, NAMESPACES, NODES, PODS
from minikube_py.client.interface import STRATEGIC, DeleteOptions
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.controllers.table import controllers
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.io.scheduler_loop import Scheduler
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.sequential_ids import sequential_ids

WAITING_MAX = 10_000
"""Changes of pods that wait for a fake kubelet."""
ALLOCATABLE: Mapping[str, str] = {"cpu": "4", "memory": "8Gi", "pods": "110"}
CONFIG = ControllersConfig(root_ca_pem="-----BEGIN CERTIFICATE-----\n")


class FakeKubelet:
    """Makes the pods of one node Ready after a while, and ends deleted ones after another; `alive` False: silent."""

    def __init__(
        self,
        name: str,
        cluster: "WorkloadCluster",
        ready_after_s: Callable[[], float],
        gone_after_s: Callable[[], float],
    ) -> None:
        self.name = name
        self.cluster = cluster
        self.alive = True
        self.ready_after_s = ready_after_s
        self.gone_after_s = gone_after_s
        self.seen: set[str] = set()
        self.leaving: set[str] = set()

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Follow the pods of this node until cancelled."""
        informer = self.cluster.informers.informer(PODS)
        pods: asyncio.Queue[Obj] = asyncio.Queue(WAITING_MAX)
        informer.subscribe(lambda change: pods.put_nowait(change.new) if change.new else None)
        group.create_task(self._heartbeat())
        while True:
            pod = await pods.get()
            if (pod.get("spec") or {}).get("nodeName") != self.name:
                continue
            uid = uid_of(pod)
            if is_deleting(pod) and uid not in self.leaving:
                self.leaving.add(uid)
                group.create_task(self._end(pod))
            elif uid not in self.seen:
                self.seen.add(uid)
                group.create_task(self._start(pod))

    async def _heartbeat(self) -> None:
        while True:
            if self.alive:
                renewed = {"spec": {"renewTime": format_micro_time(self.cluster.clock.wall_s())}}
                await self.cluster.client.patch(LEASES, ObjectKey("kube-node-lease", self.name), renewed)
            await self.cluster.clock.sleep(10.0)

    async def _start(self, pod: Obj) -> None:
        await self.cluster.clock.sleep(self.ready_after_s())
        now = self.cluster.clock.wall_s()
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": format_time(now)}
        number = int(uid_of(pod)[-6:], 10)
        ip = f"10.244.{number // 250 % 250}.{number % 250 + 1}"
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
        current = self.cluster.informers.informer(PODS).get(key_of(pod))
        if self.alive and current is not None and uid_of(current) == uid_of(pod) and not is_deleting(current):
            patch = {"metadata": {"uid": uid_of(pod)}, "status": status}
            await self._insist(
                lambda: self.cluster.client.patch(
                    PODS, key_of(pod), patch, patch_type=STRATEGIC, subresource="status"
                )
            )

    async def _end(self, pod: Obj) -> None:
        await self.cluster.clock.sleep(self.gone_after_s())
        if self.alive:
            options = DeleteOptions(0, uid_of(pod))
            await self._insist(lambda: self.cluster.client.delete(PODS, key_of(pod), options))

    async def _insist(self, call: Callable[[], Awaitable[Obj]]) -> None:
        """Call until it is done, or pointless: the pod is gone, or another one (each fault may be injected)."""
        while True:
            try:
                await call()
            except NotFoundError:
                return
            except StatusError as error:
                if "Precondition" in error.message:
                    return
                await self.cluster.clock.sleep(0.5)
            else:
                return


class WorkloadCluster:
    """The whole thing; `running` starts it."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.informers = FakeInformers(self.client)
        self.rng = random.Random(seed)  # noqa: S311 - a seed has to repeat the run
        ids = sequential_ids()
        self.controllers = Controllers(self.client, self.informers, self.clock, ids, controllers(CONFIG))
        self.scheduler = Scheduler(
            self.client, self.informers, self.clock, ids, self.rng.randrange, SchedulerConfig()
        )
        self.kubelets: dict[str, FakeKubelet] = {}
        self._group: asyncio.TaskGroup | None = None
        for name in ("default", "kube-node-lease"):
            self.client.seed(NAMESPACES, {"metadata": {"name": name}, "status": {"phase": "Active"}})

    def add_node(
        self,
        name: str,
        *,
        ready_after_s: Callable[[], float] = lambda: 2.0,
        gone_after_s: Callable[[], float] = lambda: 1.0,
        allocatable: Mapping[str, str] = ALLOCATABLE,
    ) -> FakeKubelet:
        """Add a Ready node with a kubelet; call it before `running`."""
        status = {
            "allocatable": dict(allocatable),
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:00Z"}],
        }
        self.client.seed(
            NODES, {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "status": status}
        )
        self.client.seed(LEASES, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": {}})
        self.kubelets[name] = FakeKubelet(name, self, ready_after_s, gone_after_s)
        return self.kubelets[name]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["WorkloadCluster"]:
        """Run everything until the block ends."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.controllers.run()), group.create_task(self.scheduler.run())]
            kubelets = group.create_task(self._run_kubelets())
            await settle(300)
            yield self
            for task in (*tasks, kubelets):
                task.cancel()

    async def _run_kubelets(self) -> None:
        async with asyncio.TaskGroup() as group:
            for kubelet in self.kubelets.values():
                group.create_task(kubelet.run(group))

    async def advance(self, seconds: float) -> None:
        """Let time pass, and let everybody come to rest."""
        await self.clock.advance(seconds)
        await settle(200)

    async def advance_until(self, condition: Callable[[], bool], within_s: float, step_s: float = 0.5) -> None:
        """Let time pass until the condition holds; fails when it does not within that time."""
        deadline = self.clock.now_s() + within_s
        while not condition():
            assert self.clock.now_s() < deadline, "the condition did not come true in time"
            await self.advance(step_s)


def a_deployment(name: str = "web", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    """Return a Deployment as the API server would hand it out."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}},
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            **spec,
        },
    }


def status_of(cluster: WorkloadCluster, name: str = "web") -> Mapping[str, Any]:
    """Return the Deployment's status."""
    found = next(d for d in cluster.client.objects(DEPLOYMENTS) if metadata(d)["name"] == name)
    return found.get("status") or {}
