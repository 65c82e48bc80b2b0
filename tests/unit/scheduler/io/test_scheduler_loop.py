"""The scheduler at work over a fake API server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from minikube_py.api.errors import InternalError
from minikube_py.api.meta import ObjectKey, copy_object, name_of
from minikube_py.api.resources import EVENTS, NODES, PODS
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.io.scheduler_loop import Scheduler
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.sequential_ids import sequential_ids
from minikube_py.testing.workload_objects import a_node, a_pod


class Stage:
    """A scheduler, nodes by hand, pods by hand."""

    def __init__(self, *nodes) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.informers = FakeInformers(self.client)
        self.nodes = nodes
        self.scheduler = Scheduler(
            self.client, self.informers, self.clock, sequential_ids(), lambda n: 0, SchedulerConfig()
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Stage"]:
        for node in self.nodes:
            await self.add_node(node)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.scheduler.run())
            await settle()
            yield self
            task.cancel()

    async def add_node(self, node) -> None:
        """Add a node that was found ready: without the taint that new ones get."""
        self.client.seed(NODES, node)
        taints = node["spec"].get("taints")
        await self.client.patch(NODES, ObjectKey("", name_of(node)), {"spec": {"taints": taints}})

    async def create(self, name: str, cpu: str = "1", **spec):
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
        pod = a_pod(name, node="", spec={"containers": [container], **spec})
        await self.client.create(PODS, pod)
        await settle()

    def nodes_of(self) -> dict[str, str]:
        return {name_of(pod): pod["spec"].get("nodeName", "") for pod in self.client.objects(PODS)}

    def events(self) -> list[tuple[str, str]]:
        return [(event["reason"], event["message"]) for event in self.client.objects(EVENTS)]


async def test_a_pod_is_bound_without_any_waiting_and_it_is_told() -> None:
    stage = Stage(a_node("n1"))
    async with stage.running():
        await stage.create("p")

    assert stage.nodes_of() == {"p": "n1"}
    assert stage.events() == [("Scheduled", "Successfully assigned default/p to n1")]


async def test_pods_that_came_together_are_not_all_put_where_one_fits() -> None:
    stage = Stage(
        a_node("n1", allocatable={"cpu": "1", "pods": "9"}), a_node("n2", allocatable={"cpu": "1", "pods": "9"})
    )
    async with stage.running():
        stage.informers.pause()
        for name in ("a", "b", "c"):
            await stage.create(name)
        stage.informers.resume()
        await settle()

    assert sorted(stage.nodes_of().values()) == ["", "n1", "n2"]


async def test_room_that_becomes_free_is_used() -> None:
    stage = Stage(a_node("n1", allocatable={"cpu": "1", "pods": "9"}))
    async with stage.running():
        await stage.create("a")
        await stage.create("b")
        assert stage.nodes_of() == {"a": "n1", "b": ""}
        await stage.client.patch(
            PODS, ObjectKey("default", "a"), {"status": {"phase": "Succeeded"}}, subresource="status"
        )
        await stage.clock.advance(1.0)

    assert stage.nodes_of()["b"] == "n1"


async def test_room_that_a_smaller_pod_leaves_is_used() -> None:
    stage = Stage(a_node("n1", allocatable={"cpu": "1", "pods": "9"}))
    async with stage.running():
        await stage.create("a")
        await stage.create("b", cpu="500m")
        assert stage.nodes_of() == {"a": "n1", "b": ""}
        smaller = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "500m"}}}]}
        await stage.client.patch(PODS, ObjectKey("default", "a"), {"spec": smaller})
        await stage.clock.advance(1.0)

    assert stage.nodes_of()["b"] == "n1"


async def test_a_node_that_goes_may_make_the_rest_even_enough() -> None:
    def node(name: str):
        return a_node(name, labels={"zone": name})

    stage = Stage(node("n1"), node("n2"))
    spread = {
        "topologyKey": "zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    async with stage.running():
        for name in ("a", "b"):
            await stage.create(name, topologySpreadConstraints=[spread], nodeSelector={"zone": "n1"})
        await stage.client.patch(NODES, ObjectKey("", "n2"), {"spec": {"unschedulable": True}})
        for name in ("c", "d"):
            await stage.create(name, topologySpreadConstraints=[spread])
        waiting = [name for name, at in stage.nodes_of().items() if not at]
        assert waiting
        await stage.client.delete(NODES, ObjectKey("", "n2"))
        await stage.clock.advance(1.0)

    assert not [name for name, at in stage.nodes_of().items() if not at and name in waiting]


async def test_the_condition_is_written_once_for_the_same_reason() -> None:
    stage = Stage(a_node("n1", unschedulable=True))
    async with stage.running():
        await stage.create("p")
        first = stage.client.objects(PODS)[0]["metadata"]["resourceVersion"]
        for number in range(3):
            labels = {"metadata": {"labels": {"try": str(number)}}}
            await stage.client.patch(NODES, ObjectKey("", "n1"), labels)
            await stage.clock.advance(15.0)

    (pod,) = stage.client.objects(PODS)
    assert pod["metadata"]["resourceVersion"] == first
    (event,) = stage.client.objects(EVENTS)
    assert (event["reason"], event["count"]) == ("FailedScheduling", 4)


async def test_a_refused_binding_is_tried_again() -> None:
    stage = Stage(a_node("n1"))
    async with stage.running():
        stage.client.fail_next("create", PODS, InternalError("etcd is slow"))
        stage.client.seed(PODS, a_pod("p", node=""))
        await settle()
        assert stage.nodes_of() == {"p": ""}
        await stage.clock.advance(1.0)

    assert stage.nodes_of() == {"p": "n1"}
    assert ("FailedScheduling", "binding rejected: etcd is slow") in stage.events()


async def test_pods_of_other_schedulers_and_gated_ones_are_left_alone() -> None:
    stage = Stage(a_node("n1"))
    async with stage.running():
        await stage.create("theirs", schedulerName="other")
        await stage.create("gated", schedulingGates=[{"name": "wait"}])

    assert stage.nodes_of() == {"theirs": "", "gated": ""}
    assert stage.events() == []


async def test_pods_and_nodes_from_before_the_start_are_counted() -> None:
    stage = Stage(a_node("n1", allocatable={"cpu": "1", "pods": "9"}))
    held = copy_object(a_pod("old"))
    held["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    stage.client.seed(PODS, held)
    async with stage.running():
        await stage.create("new")
        assert stage.nodes_of()["new"] == ""
        await stage.add_node(a_node("n2"))
        await stage.clock.advance(1.0)

    assert stage.nodes_of()["new"] == "n2"


async def test_a_pod_that_is_deleted_while_it_waits_is_forgotten() -> None:
    stage = Stage()
    async with stage.running():
        await stage.create("p")
        await stage.client.delete(PODS, ObjectKey("default", "p"))
        await stage.add_node(a_node("n1"))
        await stage.clock.advance(20.0)

    assert stage.nodes_of() == {}
