"""A node that is told that it needs more memory than there is: pressure, its taint, evictions, refusals."""

import os
from pathlib import Path

import pytest

from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node


@pytest.fixture
def pressed(tmp_path):
    lab = Lab(Path(f"/run/mkpy-press-{os.getpid()}"), 1, fast_timers=True)
    try:
        lab.up()
        cluster = Cluster(lab, tmp_path)
        cluster.load_images(tmp_path)
        yield cluster
    finally:
        lab.down()


def a_pod(name, resources="{}"):
    container = f"{{name: c, image: {IMAGE}, command: [sleep, '3600'], resources: {resources}}}"
    head = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n"
    tolerations = "[{key: node.kubernetes.io/not-ready, operator: Exists}]"
    spec = (
        f"{{nodeName: lab1, terminationGracePeriodSeconds: 1, containers: [{container}], tolerations: {tolerations}}}"
    )
    return f"{head}spec: {spec}\n---\n"


def test_a_node_short_of_memory_evicts_and_takes_no_besteffort_pods(pressed):
    def status(name):
        return pressed.get("pod", name)["status"]

    def pressure():
        conditions = pressed.get("node", "lab1")["status"]["conditions"]
        return next(c["status"] for c in conditions if c["type"] == "MemoryPressure")

    pressed.apply("default", a_pod("runs"))
    pressed.kubectl("wait", "--for=condition=Ready", "pod/runs", "--timeout=30s")
    pressed.lab.stop(pressed.host)
    pressed.lab.agent_flags = ("--kubelet-arg=eviction-hard=memory.available<1Ti",)
    pressed.lab.start(pressed.host)

    wait_until(lambda: status("runs")["phase"] == "Failed", 30, "the eviction")
    evicted = status("runs")
    assert evicted["reason"] == "Evicted"
    assert evicted["message"].startswith("The node was low on resource: memory. Threshold quantity: 1Ti, available: ")
    target = next(c for c in evicted["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "TerminationByKubelet")
    wait_until(lambda: pressure() == "True", 10, "the condition")
    taint = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}
    wait_until(
        lambda: (
            taint
            in [{k: t[k] for k in ("key", "effect")} for t in pressed.get("node", "lab1")["spec"].get("taints", [])]
        ),
        10,
        "the taint",
    )
    pressed.apply("default", a_pod("late"))
    wait_until(lambda: status("late")["phase"] == "Failed", 10, "the refusal")
    assert status("late")["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert "EvictionThresholdMet" in pressed.kubectl("get", "events", "-A").stdout
