"""Whatever goes wrong on the way, the controllers end at the same state, and at rest they write nothing."""

import asyncio
import random

import pytest

from minikube_py.api.errors import ConflictError, InternalError, TooManyRequestsError, UnavailableError
from minikube_py.api.meta import ObjectKey, controller_of, is_deleting, key_of, labels_of, name_of, uid_of
from minikube_py.api.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    LEASES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from minikube_py.client.interface import DeleteOptions
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.controllers.pod_state import is_active, is_ready
from minikube_py.controllers.table import controllers
from minikube_py.testing.fake_client import Recorded
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import settle
from minikube_py.testing.sequential_ids import sequential_ids
from minikube_py.testing.workload_cluster import CONFIG, WorkloadCluster, a_deployment, status_of

KEY = ObjectKey("default", "web")
SERVICE = {"selector": {"app": "web"}, "clusterIP": "10.96.0.5", "ports": [{"port": 80, "targetPort": 8080}]}
FAULTS = (UnavailableError, ConflictError, InternalError, TooManyRequestsError)


def cause_faults(cluster: WorkloadCluster, rng: random.Random, count: int) -> None:
    for _ in range(count):
        verb = rng.choice(["create", "update", "patch", "delete", "get", "list"])
        resource = rng.choice([PODS, REPLICA_SETS, DEPLOYMENTS, ENDPOINT_SLICES, ENDPOINTS, EVENTS])
        cluster.client.fail_next(verb, resource, rng.choice(FAULTS)("injected"))


class Chaos:
    """Random acts of a user, of nodes and of the network; its own requests are not disturbed."""

    def __init__(self, cluster: WorkloadCluster, rng: random.Random) -> None:
        self.cluster = cluster
        self.rng = rng
        self.image = "i:1"
        self.replicas = 3

    async def _own(self, verb: str, *arguments, **options) -> None:
        for _ in range(100):
            try:
                await getattr(self.cluster.client, verb)(*arguments, **options)
            except FAULTS:
                continue
            return

    async def act(self) -> None:
        acts = (
            self.change_image,
            self.scale,
            self.kill_a_pod,
            self.relabel_a_pod,
            self.fail_a_pod,
            self.resize_a_set,
            self.stop_the_watches,
            self.disturb_requests,
        )
        await self.rng.choice(acts)()

    async def change_image(self) -> None:
        self.image = f"i:{self.rng.randint(1, 4)}"
        containers = [{"name": "c", "image": self.image}]
        await self._own("patch", DEPLOYMENTS, KEY, {"spec": {"template": {"spec": {"containers": containers}}}})

    async def scale(self) -> None:
        self.replicas = self.rng.randint(0, 6)
        await self._own("patch", DEPLOYMENTS, KEY, {"spec": {"replicas": self.replicas}})

    async def kill_a_pod(self) -> None:
        for pod in self.cluster.client.objects(PODS)[:1]:
            await self._own("delete", PODS, key_of(pod), DeleteOptions(grace_period_s=0))

    async def relabel_a_pod(self) -> None:
        pods = [pod for pod in self.cluster.client.objects(PODS) if labels_of(pod).get("app") == "web"]
        for pod in pods[-1:]:
            await self._own("patch", PODS, key_of(pod), {"metadata": {"labels": {"app": "released"}}})

    async def fail_a_pod(self) -> None:
        for pod in self.cluster.client.objects(PODS)[-2:-1]:
            await self._own("patch", PODS, key_of(pod), {"status": {"phase": "Failed"}}, subresource="status")

    async def resize_a_set(self) -> None:
        for replica_set in self.cluster.client.objects(REPLICA_SETS)[:1]:
            await self._own("patch", REPLICA_SETS, key_of(replica_set), {"spec": {"replicas": 7}})

    async def stop_the_watches(self) -> None:
        self.cluster.informers.pause()
        await self.cluster.advance(self.rng.uniform(0, 3))
        self.cluster.informers.resume()

    async def disturb_requests(self) -> None:
        cause_faults(self.cluster, self.rng, 10)


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_trouble_the_cluster_is_as_the_user_wants_it(seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    cluster = WorkloadCluster(seed)
    for number in range(2):
        cluster.add_node(
            f"n{number}", ready_after_s=lambda: rng.uniform(0.1, 3), gone_after_s=lambda: rng.uniform(0.1, 3)
        )
    chaos = Chaos(cluster, rng)
    async with cluster.running():
        await cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": SERVICE})
        await cluster.client.create(DEPLOYMENTS, a_deployment())
        for _ in range(25):
            await chaos.act()
            await cluster.advance(rng.uniform(0, 4))
        await cluster.advance(300)

    wanted = chaos.replicas
    active = [p for p in cluster.client.objects(PODS) if is_active(p) and labels_of(p).get("app") == "web"]
    status = status_of(cluster)
    assert (status.get("replicas", 0), status.get("availableReplicas", 0)) == (wanted, wanted)
    assert {pod["spec"]["containers"][0]["image"] for pod in active} <= {chaos.image}
    assert sum(is_ready(pod) for pod in active) == len(active) == wanted
    assert len({(controller_of(pod) or {}).get("uid") for pod in active}) <= 1
    serving = {uid_of(pod) for pod in active}
    endpoints = [e for s in cluster.client.objects(ENDPOINT_SLICES) for e in s.get("endpoints") or ()]
    assert sorted(e["targetRef"]["uid"] for e in endpoints) == sorted(serving)
    subsets = [a for e in cluster.client.objects(ENDPOINTS) for s in e.get("subsets") or () for a in s["addresses"]]
    assert len(subsets) == wanted
    assert not any(is_deleting(pod) for pod in cluster.client.objects(PODS))


async def test_at_rest_nothing_is_written_not_even_by_controllers_that_start_anew() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": SERVICE})
        await cluster.client.create(DEPLOYMENTS, a_deployment())
        await cluster.advance(60)
        written: list[str] = []

        def note(recorded: Recorded) -> None:
            if recorded.resource not in (LEASES.qualified, EVENTS.qualified):
                written.append(f"{recorded.resource} {name_of(recorded.last)}")

        cluster.client.on_commit(note)
        await cluster.advance(60)
        again = Controllers(
            cluster.client, FakeInformers(cluster.client), cluster.clock, sequential_ids(), controllers(CONFIG)
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(again.run())
            await settle(500)
            await cluster.advance(60)
            task.cancel()

    assert written == []
