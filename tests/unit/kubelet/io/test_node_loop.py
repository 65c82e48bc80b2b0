import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey, parse_time
from minikube_py.api.resources import LEASES, NODES
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.node_loop import NodeLoop
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime


@asynccontextmanager
async def a_node(lab=None):
    lab = lab or a_kubelet_lab()
    knowledge = NodeKnowledge()
    loop = NodeLoop(lab.config, lab.ports(), knowledge)
    await loop.learn()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        yield lab, loop, knowledge
        task.cancel()


def ready(lab):
    (node,) = lab.client.objects(NODES)
    return next(c for c in node["status"]["conditions"] if c["type"] == "Ready")


async def test_the_host_is_known_before_anything_else():
    async with a_node() as (_, _, knowledge):
        assert knowledge.allocatable["cpu"] == "2"
        assert knowledge.traits.cgroup_driver == "cgroupfs"


@pytest.mark.parametrize(("has_swap", "has_noswap", "is_told"), [(1, 0, True), (1, 1, False), (0, 0, False)])
async def test_memory_that_may_be_swapped_to_the_disk_is_told(has_swap, has_noswap, is_told):
    lab = a_kubelet_lab()
    lab.host.facts = replace(lab.host.facts, has_swap=bool(has_swap))
    lab.files.has_noswap = bool(has_noswap)
    async with a_node(lab):
        said = [(kind, reason) for kind, reason, _ in lab.events.said]

    assert (("Warning", "PossibleMemoryBackedVolumesOnDisk") in said) is is_told


async def test_a_node_that_is_there_already_is_taken_over():
    lab = a_kubelet_lab()
    await lab.client.create(NODES, {"metadata": {"name": "node1", "labels": {"mine": "yes"}}})
    async with a_node(lab) as (_, loop, _):
        await asyncio.wait_for(loop.ready.wait(), 5)
        (node,) = lab.client.objects(NODES)

    assert node["metadata"]["labels"]["mine"] == "yes"
    assert node["metadata"]["labels"]["kubernetes.io/os"] == "linux"


async def test_the_lease_is_renewed_every_ten_seconds():
    async with a_node() as (lab, _, _):
        times = []
        for _ in range(3):
            await asyncio.sleep(10)
            lease = await lab.client.get(LEASES, ObjectKey("kube-node-lease", "node1"))
            times.append(parse_time(lease["spec"]["renewTime"]))

    assert times[1] - times[0] == pytest.approx(10, abs=0.5)
    assert times[2] - times[1] == pytest.approx(10, abs=0.5)


async def test_an_unchanged_status_is_written_every_five_minutes():
    async with a_node() as (lab, loop, _):
        await loop.ready.wait()
        writes = []
        lab.client.on_commit(lambda recorded: writes.append(recorded.resource))
        await asyncio.sleep(299)
        assert "nodes" not in writes
        await asyncio.sleep(12)
        assert writes.count("nodes") == 1


async def test_a_runtime_that_is_down_makes_the_node_not_ready_and_back():
    async with a_node() as (lab, loop, _):
        await loop.ready.wait()
        lab.runtime.up = False
        await asyncio.sleep(11)
        down = ready(lab)
        lab.runtime.up = True
        await asyncio.sleep(11)
        up = ready(lab)

    assert (down["status"], down["reason"]) == ("False", "KubeletNotReady")
    assert "container runtime is down" in down["message"]
    assert up["status"] == "True"


async def test_a_node_that_was_deleted_comes_back_by_a_restart_only():
    async with a_node() as (lab, loop, _):
        await loop.ready.wait()
        await asyncio.sleep(1)
        await lab.client.delete(NODES, ObjectKey("", "node1"))
        await asyncio.sleep(11)
        await lab.client.delete(LEASES, ObjectKey("kube-node-lease", "node1"))
        await asyncio.sleep(60)
        assert lab.client.objects(NODES) == lab.client.objects(LEASES) == []

    async with a_node(lab) as (_, loop, _):
        await asyncio.wait_for(loop.ready.wait(), 5)
        await asyncio.sleep(1)
        (node,), (lease,) = lab.client.objects(NODES), lab.client.objects(LEASES)

    assert lease["metadata"]["ownerReferences"][0]["uid"] == node["metadata"]["uid"]


async def test_a_node_that_somebody_makes_anew_is_served_again():
    async with a_node() as (lab, loop, _):
        await loop.ready.wait()
        await lab.client.delete(NODES, ObjectKey("", "node1"))
        await asyncio.sleep(11)
        await lab.client.create(NODES, {"metadata": {"name": "node1"}})
        await asyncio.sleep(11)

        assert ready(lab)["status"] == "True"


async def test_a_server_that_is_away_at_first_is_tried_again():
    lab = a_kubelet_lab()
    lab.client.fail_next("get", NODES, UnavailableError("not yet"))
    async with a_node(lab) as (_, loop, _):
        await asyncio.wait_for(loop.ready.wait(), 5)


@pytest.mark.parametrize(("verb", "resource"), [("patch", LEASES), ("get", NODES), ("patch", NODES)])
async def test_a_heartbeat_that_nobody_answers_is_sent_again_within_the_grace_period(verb, resource):
    async with a_node() as (lab, loop, _):
        await loop.ready.wait()
        await asyncio.sleep(1)
        lab.client.ignore_next(verb, resource)
        lab.runtime.up = False
        await asyncio.sleep(25)
        lease = await lab.client.get(LEASES, ObjectKey("kube-node-lease", "node1"))

        assert ready(lab)["status"] == "False"
        assert lab.clock.wall_s() - parse_time(lease["spec"]["renewTime"]) < 12
