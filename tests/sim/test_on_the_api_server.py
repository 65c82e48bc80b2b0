"""Controllers and scheduler against the real API server, store and informers (in process, real time, no machine)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random

import orjson
import pytest

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    controller_of,
    format_time,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    resource_version_of,
    uid_of,
)
from minikube_py.api.resource import Resource, is_stored
from minikube_py.api.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    RESOURCES,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from minikube_py.client.interface import STRATEGIC, DeleteOptions, Selection
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import RestClient
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.deployment_sets import REVISION
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.controllers.pod_state import is_ready
from minikube_py.controllers.table import controllers
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.io.scheduler_loop import Scheduler
from minikube_py.testing.least_objects import least_object
from minikube_py.testing.memory_api_server import memory_api_server
from minikube_py.testing.workload_cluster import a_deployment

pytestmark = pytest.mark.slow
WITHIN_S = 20.0
CLOCK = SystemClock()
CONFIG = ControllersConfig(root_ca_pem="PEM")


class Cluster:
    """What a test sees of the cluster."""

    def __init__(self, client: RestClient, informers: InformerSet) -> None:
        self.client = client
        self.informers = informers

    def objects(self, resource: Resource, namespace: str = "default") -> list[Obj]:
        return list(self.informers.informer(resource).list(namespace if resource.namespaced else ""))

    async def change(self, spec: Obj) -> None:
        """Patch the Deployment, and wait until the cache shows it."""
        patch = {"spec": spec}
        changed = await self.client.patch(DEPLOYMENTS, ObjectKey("default", "web"), patch, patch_type=STRATEGIC)
        assert await self.informers.informer(DEPLOYMENTS).wait_revision(resource_version_of(changed), WITHIN_S)

    async def until(self, condition: Callable[[], object]) -> None:
        end = CLOCK.now_s() + WITHIN_S
        while not condition():
            assert CLOCK.now_s() < end, "the condition did not come true in time"
            await asyncio.sleep(0.01)

    async def writes_within(self, seconds: float) -> bool:
        """Return whether anything is written in that time."""
        before = (await self.client.list(PODS)).resource_version
        await asyncio.sleep(seconds)
        return (await self.client.list(PODS)).resource_version != before

    async def beat(self) -> None:
        """Show signs of life of the node."""
        for number in count():
            heard = {"type": "Ready", "status": "True", "lastHeartbeatTime": format_time(CLOCK.wall_s() + number)}
            change = {"status": {"conditions": [heard]}}
            await self.client.patch(NODES, ObjectKey("", "n1"), change, patch_type=STRATEGIC, subresource="status")
            await asyncio.sleep(0.1)

    def is_rolled_out(self, replicas: int) -> bool:
        (deployment,) = self.objects(DEPLOYMENTS)
        status = deployment.get("status") or {}
        counts = {status.get(field) for field in ("updatedReplicas", "replicas", "availableReplicas")}
        return status.get("observedGeneration") == metadata(deployment)["generation"] and counts == {replicas}


async def act_as_kubelet(client: RestClient, informers: InformerSet, group: asyncio.TaskGroup) -> None:
    """Make pods Ready at once, and confirm deletions."""
    numbers: dict[str, int] = {}

    async def serve(pod: Obj) -> None:
        if is_deleting(pod):
            await client.delete(PODS, key_of(pod), DeleteOptions(0, uid_of(pod)))
            return
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": format_time(CLOCK.wall_s())}
        ip = f"10.244.0.{numbers[uid_of(pod)]}"
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
        await client.patch(PODS, key_of(pod), {"status": status}, patch_type=STRATEGIC, subresource="status")

    def follow(change) -> None:
        pod = change.new
        if pod is None or not pod["spec"].get("nodeName"):
            return
        if uid_of(pod) not in numbers or (is_deleting(pod) and not is_deleting(change.old or {})):
            numbers.setdefault(uid_of(pod), len(numbers) + 2)
            group.create_task(serve(pod))

    informers.informer(PODS).subscribe(follow)


@asynccontextmanager
async def a_cluster(config: ControllersConfig = CONFIG) -> AsyncIterator[Cluster]:
    server = memory_api_server()
    await server.bootstrap()
    clock, ids, rng = CLOCK, system_ids(), Random(1)
    client = RestClient(server.local_transport(), "test", lambda: 300)
    informers = InformerSet(client, clock, rng.random)
    running = Controllers(client, informers, clock, ids, controllers(config))
    scheduler = Scheduler(client, informers, clock, ids, rng.randrange, SchedulerConfig())
    async with asyncio.TaskGroup() as group:
        await act_as_kubelet(client, informers, group)
        tasks = [group.create_task(run()) for run in (running.run, scheduler.run, informers.run)]
        status = {
            "allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": format_time(CLOCK.wall_s())}],
        }
        await client.create(NODES, {"metadata": {"name": "n1"}, "status": status})
        await client.patch(NODES, ObjectKey("", "n1"), {"status": status}, subresource="status")
        yield Cluster(client, informers)
        for task in tasks:
            task.cancel()


async def test_a_deployment_rolls_out_rolls_on_and_rolls_back() -> None:
    async with a_cluster() as cluster:
        await cluster.client.create(
            SERVICES,
            {
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
            },
        )
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=3))
        await cluster.until(lambda: cluster.objects(DEPLOYMENTS) and cluster.is_rolled_out(3))
        for number in (2, 1):
            await cluster.change({"template": {"spec": {"containers": [{"name": "c", "image": f"i:{number}"}]}}})
            await cluster.until(lambda: cluster.is_rolled_out(3))
        await cluster.change({"replicas": 5})
        await cluster.until(lambda: cluster.is_rolled_out(5))
        await cluster.until(lambda: len(cluster.objects(PODS)) == 5)
        (deployment,) = cluster.objects(DEPLOYMENTS)
        sets = {
            rs["metadata"]["annotations"][REVISION]: rs["spec"]["replicas"] for rs in cluster.objects(REPLICA_SETS)
        }
        assert metadata(deployment)["annotations"][REVISION] == "3"
        assert sets == {"2": 0, "3": 5}
        slices = [s for s in cluster.objects(ENDPOINT_SLICES) if labels_of(s)["kubernetes.io/service-name"] == "web"]
        (endpoints,) = [e for e in cluster.objects(ENDPOINTS) if name_of(e) == "web"]
        assert sum(len(s["endpoints"]) for s in slices) == 5
        assert len(endpoints["subsets"][0]["addresses"]) == 5
        assert {name_of(a) for a in cluster.objects(SERVICE_ACCOUNTS)} == {"default"}
        assert cluster.objects(NODES)[0]["spec"]["podCIDR"] == "10.244.0.0/24"
        async with asyncio.timeout(WITHIN_S):
            while await cluster.writes_within(0.5):
                pass


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_a_deleted_deployment_takes_its_pods_with_it(propagation) -> None:
    async with a_cluster() as cluster:
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=3))
        await cluster.until(lambda: cluster.objects(DEPLOYMENTS) and cluster.is_rolled_out(3))
        await cluster.client.delete(DEPLOYMENTS, ObjectKey("default", "web"), DeleteOptions(propagation=propagation))
        await cluster.until(lambda: not (cluster.objects(DEPLOYMENTS) or cluster.objects(REPLICA_SETS)))
        await cluster.until(lambda: not cluster.objects(PODS))


async def test_orphans_stay() -> None:
    async with a_cluster() as cluster:
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1))
        await cluster.until(lambda: cluster.objects(DEPLOYMENTS) and cluster.is_rolled_out(1))
        await cluster.client.delete(DEPLOYMENTS, ObjectKey("default", "web"), DeleteOptions(propagation="Orphan"))
        await cluster.until(lambda: not cluster.objects(DEPLOYMENTS))
        assert not metadata(cluster.objects(REPLICA_SETS)[0]).get("ownerReferences")
        assert len(cluster.objects(PODS)) == 1


async def test_a_namespace_goes_with_everything_in_it() -> None:
    async with a_cluster() as cluster:
        await cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
        await cluster.until(lambda: cluster.objects(CONFIGMAPS, "shop"))
        deployment = a_deployment(replicas=2)
        deployment["metadata"]["namespace"] = "shop"
        await cluster.client.create(DEPLOYMENTS, deployment)
        await cluster.until(lambda: len(cluster.objects(PODS, "shop")) == 2)
        await cluster.client.delete(NAMESPACES, ObjectKey("", "shop"))
        await cluster.until(lambda: "shop" not in {name_of(n) for n in cluster.objects(NAMESPACES)})
        for resource in (PODS, DEPLOYMENTS, REPLICA_SETS, CONFIGMAPS, SERVICE_ACCOUNTS, EVENTS):
            assert (await cluster.client.list(resource, Selection(namespace="shop"))).items == ()


async def test_an_orphan_is_adopted_and_a_relabelled_pod_released() -> None:
    async with a_cluster() as cluster:
        spec = {"containers": [{"name": "c", "image": "i:1"}]}
        orphan = {"metadata": {"name": "orphan", "namespace": "default", "labels": {"app": "web"}}, "spec": spec}
        await cluster.client.create(PODS, orphan)
        replica_set = a_deployment(replicas=2)["spec"]
        body = {field: replica_set[field] for field in ("replicas", "selector", "template")}
        await cluster.client.create(REPLICA_SETS, {"metadata": {"name": "rs", "namespace": "default"}, "spec": body})
        await cluster.until(lambda: len([pod for pod in cluster.objects(PODS) if controller_of(pod)]) == 2)
        assert len(cluster.objects(PODS)) == 2
        patch = {"metadata": {"labels": {"app": "released"}}}
        await cluster.client.patch(PODS, ObjectKey("default", "orphan"), patch, patch_type=STRATEGIC)
        await cluster.until(lambda: len(cluster.objects(PODS)) == 3)
        await cluster.until(lambda: len([pod for pod in cluster.objects(PODS) if controller_of(pod)]) == 2)
        released = next(pod for pod in cluster.objects(PODS) if name_of(pod) == "orphan")
        assert controller_of(released) is None


async def test_a_silent_node_is_tainted_and_its_pods_are_not_ready() -> None:
    async with a_cluster(ControllersConfig(root_ca_pem="PEM", node_monitor_grace_period_s=1.0)) as cluster:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(cluster.beat())
            await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1))
            await cluster.until(lambda: any(is_ready(pod) for pod in cluster.objects(PODS)))
            beating.cancel()
        await cluster.until(lambda: cluster.objects(NODES)[0]["spec"].get("taints"))
        await cluster.until(lambda: not any(is_ready(pod) for pod in cluster.objects(PODS)))
        conditions = {c["type"]: c["status"] for c in cluster.objects(NODES)[0]["status"]["conditions"]}
        assert conditions["Ready"] == "Unknown"
        assert [c["type"] for c in cluster.objects(PODS)[0]["status"]["conditions"]].count("Ready") == 1


async def test_a_namespace_goes_with_one_of_every_kind_in_it() -> None:
    kinds = [r for r in RESOURCES if r.namespaced and is_stored(r)]
    async with a_cluster() as cluster:
        await cluster.client.create(NAMESPACES, {"metadata": {"name": "full"}})
        for resource in kinds:
            obj = orjson.loads(orjson.dumps(least_object(resource)).replace(b'"default"', b'"full"'))
            await cluster.client.create(resource, obj)
        await cluster.until(lambda: "full" in map(name_of, cluster.objects(NAMESPACES)))
        await cluster.client.delete(NAMESPACES, ObjectKey("", "full"))
        await cluster.until(lambda: "full" not in map(name_of, cluster.objects(NAMESPACES)))

        left = {r.plural: (await cluster.client.list(r, Selection(namespace="full"))).items for r in kinds}
        assert {plural for plural, objects in left.items() if objects} == set()
        assert len(kinds) > 25


async def test_dependents_of_any_kind_follow_their_owner() -> None:
    owner_kind, dependents = "jobs", ("persistentvolumeclaims", "leases", "rolebindings", "horizontalpodautoscalers")
    rows = {r.plural: r for r in RESOURCES if is_stored(r)}
    async with a_cluster() as cluster:
        owner = await cluster.client.create(rows[owner_kind], least_object(rows[owner_kind]))
        reference = {"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": uid_of(owner)}
        for plural in dependents:
            await cluster.client.create(rows[plural], least_object(rows[plural], ownerReferences=[reference]))
        for plural in dependents:
            await cluster.until(lambda plural=plural: cluster.objects(rows[plural]))
        await cluster.client.delete(rows[owner_kind], ObjectKey("default", "x"))

        for plural in dependents:
            await cluster.until(lambda plural=plural: not cluster.objects(rows[plural]))
