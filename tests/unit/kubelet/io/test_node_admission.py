import asyncio
from dataclasses import replace

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


def needs(cpu):
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}}


async def test_a_pod_without_room_fails_and_nothing_of_it_is_made():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("huge", needs("100")))
        await lab.eventually(lambda: lab.phase("huge") == "Failed", 2.0)

    why = "Node didn't have enough resource: cpu, requested: 100000, used: 0, capacity: 2000"
    status = await lab.status("huge")
    assert (status["reason"], status["message"]) == ("OutOfcpu", f"Pod was rejected: {why}")
    assert set(status) == {"observedGeneration", "phase", "reason", "message", "startTime", "qosClass"}
    assert ("Warning", "OutOfcpu", why) in lab.events.said
    assert lab.runtime.journal == []


async def test_two_pods_never_get_the_same_room_and_it_is_free_when_one_is_gone():
    lab = a_kubelet_lab()
    async with lab.started():
        for name in ("a", "b"):
            await lab.client.create(PODS, a_pod(name, needs("1500m")))
        await lab.eventually(lambda: sorted((lab.phase("a"), lab.phase("b"))) == ["Failed", "Running"], 3.0)
        winner = "a" if lab.phase("a") == "Running" else "b"
        await lab.client.delete(PODS, ObjectKey("default", winner))
        await lab.eventually(lambda: lab.pod(winner) is None, 40.0)
        await lab.client.create(PODS, a_pod("c", needs("1500m")))
        await lab.eventually(lambda: lab.phase("c") == "Running", 3.0)


async def test_what_was_taken_once_is_not_asked_again_after_a_restart():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("runs", needs("1500m")))
        await lab.eventually(lambda: lab.phase("runs") == "Running", 3.0)
    lab.host.facts = replace(lab.host.facts, cpus=1)
    async with lab.started():
        await asyncio.sleep(30)

    assert lab.phase("runs") == "Running"


async def test_pods_make_room_for_a_critical_one():
    lab = a_kubelet_lab()
    async with lab.started():
        for name in ("a", "b"):
            await lab.client.create(PODS, a_pod(name, needs("900m")))
        await lab.eventually(lambda: (lab.phase("a"), lab.phase("b")) == ("Running", "Running"), 3.0)
        await lab.client.create(PODS, a_pod("critical", needs("1"), priority=2_000_000_000))
        await lab.eventually(lambda: lab.phase("critical") == "Running", 40.0)

        assert sorted((lab.phase("a"), lab.phase("b"))) == ["Failed", "Running"]
    victim = await lab.status("a" if lab.phase("a") == "Failed" else "b")
    assert (victim["reason"], victim["message"]) == ("Preempting", "Preempted in order to admit critical pod")
    assert "DisruptionTarget" in {c["type"] for c in victim["conditions"]}
