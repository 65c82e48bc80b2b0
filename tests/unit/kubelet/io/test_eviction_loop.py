import asyncio
from dataclasses import replace

import pytest

from minikube_py.api.resources import NODES, PODS
from minikube_py.kubelet.statistics import DiskUsage
from minikube_py.testing.fake_host_statistics import MIB, Use
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


def condition(lab, kind):
    (node,) = lab.client.objects(NODES)
    return next((c["status"] for c in node["status"]["conditions"] if c["type"] == kind), None)


def conditions_of(lab, name):
    return {c["type"]: c for c in lab.pod(name)["status"]["conditions"]}


async def running(lab, *names, **spec):
    for name in names:
        await lab.client.create(PODS, a_pod(name, **spec))
    await lab.eventually(lambda: all(lab.phase(name) == "Running" for name in names), 5.0)


def use(lab, pod, memory_mib):
    (record,) = [r for r in lab.runtime.records() if r.pod.name == pod]
    lab.statistics.uses[record.id] = Use(memory_bytes=memory_mib * MIB)


def exhaust_memory(lab, available_mib=50):
    lab.statistics.memory_used_bytes = lab.statistics.memory_bytes - available_mib * MIB


async def test_the_pod_that_uses_most_goes_when_memory_is_short():
    lab = a_kubelet_lab()
    async with lab.started():
        await running(lab, "small", "big")
        use(lab, "big", 300)
        exhaust_memory(lab)
        await lab.eventually(lambda: lab.phase("big") == "Failed", 30.0)
        lab.statistics.memory_used_bytes = MIB

        status = await lab.status("big")
        assert status["reason"] == "Evicted"
        assert status["message"] == (
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
            "Container c was using 300Mi, request is 0, has larger consumption of memory. "
        )
        target = conditions_of(lab, "big")["DisruptionTarget"]
        assert (target["status"], target["reason"], target["message"]) == (
            "True",
            "TerminationByKubelet",
            status["message"],
        )
        assert ("Warning", "Evicted", status["message"]) in lab.events.said
        assert ("Warning", "EvictionThresholdMet", "Attempting to reclaim memory") in lab.events.said
        assert lab.phase("small") == "Running"


async def test_pressure_shows_on_the_node_and_ends_after_the_transition_period():
    lab = a_kubelet_lab()
    async with lab.started():
        await running(lab, "one")
        exhaust_memory(lab)
        await lab.eventually(lambda: condition(lab, "MemoryPressure") == "True", 15.0)
        lab.statistics.memory_used_bytes = MIB
        await asyncio.sleep(280)
        assert condition(lab, "MemoryPressure") == "True"
        await lab.eventually(lambda: condition(lab, "MemoryPressure") == "False", 60.0)

    assert {"NodeHasInsufficientMemory", "NodeHasSufficientMemory"} <= set(lab.events.reasons())


async def test_under_memory_pressure_no_besteffort_pod_is_taken():
    lab = a_kubelet_lab()
    async with lab.started():
        await asyncio.sleep(1)
        exhaust_memory(lab)
        await lab.eventually(lambda: condition(lab, "MemoryPressure") == "True", 15.0)
        await lab.client.create(PODS, a_pod("late"))
        await lab.eventually(lambda: lab.phase("late") == "Failed", 5.0)

    status = await lab.status("late")
    assert (status["reason"], status["message"]) == (
        "Evicted",
        "Pod was rejected: The node had condition: [MemoryPressure]. ",
    )


async def test_one_pod_goes_at_a_time_and_critical_ones_stay():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=0.5)
    async with lab.started():
        await running(lab, "system", priority=2_000_000_000)
        await running(lab, "first", "second")
        use(lab, "system", 900)
        use(lab, "first", 300)
        use(lab, "second", 200)
        exhaust_memory(lab)
        await lab.eventually(lambda: lab.phase("first") == "Failed", 15.0)
        assert lab.phase("second") == "Running"
        await lab.eventually(lambda: lab.phase("second") == "Failed", 30.0)
        await asyncio.sleep(60)

        assert lab.phase("system") == "Running"


@pytest.mark.parametrize(
    ("grace", "most_s", "expected_s"), [("hard", 0.0, 1.0), ("soft", 0.0, 30.0), ("soft", 5.0, 5.0)]
)
async def test_how_long_a_pod_has_depends_on_the_threshold(grace, most_s, expected_s):
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=None)
    if grace == "soft":
        lab.config = replace(
            lab.config,
            eviction_hard=(),
            eviction_soft=(("memory.available", "100Mi"),),
            eviction_soft_grace_period=(("memory.available", "15s"),),
            eviction_max_pod_grace_s=most_s,
        )
    async with lab.started():
        await running(lab, "stubborn")
        exhaust_memory(lab)
        await lab.eventually(lambda: "Evicted" in lab.events.reasons(), 45.0)
        began_s = lab.clock.now_s()
        await lab.eventually(lambda: not any(r.phase.value == "running" for r in lab.runtime.records()), 60.0)

        assert lab.clock.now_s() - began_s == pytest.approx(expected_s, abs=0.3)


async def test_a_disk_is_freed_of_dead_containers_before_a_pod_goes():
    lab = a_kubelet_lab()
    lab.runtime.programs["once"] = Program(runs_s=0.1)
    async with lab.started():
        await running(lab, "stays")
        await lab.client.create(PODS, a_pod("done", {"name": "once"}, restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("done") == "Succeeded", 5.0)
        await asyncio.sleep(1)
        # Its writable layer is what fills the disk.
        lab.statistics.is_full = lambda: bool(lab.runtime.records("once"))
        await lab.eventually(lambda: not lab.runtime.records("once"), 15.0)
        await asyncio.sleep(60)

        assert lab.phase("stays") == "Running"
        assert "EvictionThresholdMet" in lab.events.reasons()


async def test_a_disk_that_stays_full_costs_the_pod_that_has_most_on_it():
    lab = a_kubelet_lab()
    async with lab.started():
        await running(lab, "little", "much")
        (record,) = [r for r in lab.runtime.records() if r.pod.name == "much"]
        lab.statistics.disks[f"/logs/{record.id}"] = DiskUsage(50 * MIB, 3)
        lab.statistics.is_full = lambda: lab.phase("much") == "Running"
        await lab.eventually(lambda: lab.phase("much") == "Failed", 30.0)
        await asyncio.sleep(60)

        assert lab.phase("little") == "Running"
        assert condition(lab, "DiskPressure") == "True"


@pytest.mark.parametrize("what", ["volume", "layer"])
async def test_a_pod_over_its_limits_on_disk_goes_and_is_no_disruption(what):
    lab = a_kubelet_lab()
    limits = {"ephemeral-storage": "2Mi"}
    async with lab.started():
        if what == "volume":
            await running(lab, "p", volumes=[{"name": "d", "emptyDir": {"sizeLimit": "1Mi"}}])
            path = f"/data/agent/pods/{lab.pod('p')['metadata']['uid']}/volumes/kubernetes.io~empty-dir/d"
            message = 'Usage of EmptyDir volume "d" exceeds the limit "1Mi". '
        else:
            await lab.client.create(PODS, a_pod("p", {"name": "c", "resources": {"limits": limits}}))
            await lab.eventually(lambda: lab.phase("p") == "Running", 5.0)
            path = f"/layers/{lab.runtime.records()[0].id}"
            message = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
        lab.statistics.disks[path] = DiskUsage(5 * MIB, 3)
        await lab.eventually(lambda: lab.phase("p") == "Failed", 30.0)

    status = await lab.status("p")
    assert (status["reason"], status["message"]) == ("Evicted", message)
    assert "DisruptionTarget" not in conditions_of(lab, "p")


async def test_nothing_is_walked_over_for_pods_without_limits():
    lab = a_kubelet_lab()
    async with lab.started():
        await running(lab, "one", "two")
        await asyncio.sleep(120)

    assert lab.statistics.walks == 0
    assert lab.statistics.readings == 0
