"""A node that is told to need more than there is of memory, process ids, inodes: pressure, taints, evictions."""

import os
from pathlib import Path

import pytest

from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def pressed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pressed")
    lab = Lab(Path(f"/run/mkpy-press-{os.getpid()}"), 1, fast_timers=True)
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
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


def start_with(cluster, thresholds):
    cluster.lab.stop(cluster.host)
    cluster.lab.agent_flags = (f"--kubelet-arg=eviction-hard={thresholds}",)
    cluster.lab.start(cluster.host)


def pressures(cluster):
    """Return which conditions of pressure the node has, and its taints of pressure."""
    node = cluster.get("node", "lab1")
    conditions = {c["type"] for c in node["status"]["conditions"] if c["status"] == "True"}
    taints = {(t["key"], t["effect"]) for t in node["spec"].get("taints", []) if t["key"].endswith("-pressure")}
    return conditions - {"Ready"}, taints


def under(*words):
    names = {"memory": "MemoryPressure", "disk": "DiskPressure", "pid": "PIDPressure"}
    return {names[w] for w in words}, {(f"node.kubernetes.io/{w}-pressure", "NoSchedule") for w in words}


def test_a_node_short_of_memory_evicts_and_takes_no_besteffort_pods(pressed):
    def status(name):
        return pressed.get("pod", name)["status"]

    pressed.apply("default", a_pod("runs"))
    pressed.kubectl("wait", "--for=condition=Ready", "pod/runs", "--timeout=60s")
    start_with(pressed, "memory.available<1Ti")

    wait_until(lambda: status("runs")["phase"] == "Failed", 60, "the eviction")
    evicted = status("runs")
    assert evicted["reason"] == "Evicted"
    assert evicted["message"].startswith("The node was low on resource: memory. Threshold quantity: 1Ti, available: ")
    target = next(c for c in evicted["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "TerminationByKubelet")
    wait_until(lambda: pressures(pressed) == under("memory"), 60, "the condition and its taint")
    pressed.apply("default", a_pod("late"))
    wait_until(lambda: status("late")["phase"] == "Failed", 60, "the refusal")
    assert status("late")["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert "EvictionThresholdMet" in pressed.kubectl("get", "events", "-A").stdout


def test_process_ids_and_inodes_can_run_short_too_and_pressure_goes_with_its_cause(pressed):
    start_with(pressed, "pid.available<1G,nodefs.inodesFree<1T")
    wait_until(lambda: pressures(pressed) == under("pid", "disk"), 60, "the conditions and their taints")
    pressed.apply("default", a_pod("refused", "{requests: {cpu: 1m}}"))
    words = "Pod was rejected: The node had condition: [DiskPressure PIDPressure]. "
    wait_until(lambda: pressed.get("pod", "refused")["status"].get("message") == words, 60, "the refusal")

    start_with(pressed, "memory.available<1Mi")
    wait_until(lambda: pressures(pressed) == (set(), set()), 60, "the end of all pressure")
