"""A node that is told to need more than there is of memory, process ids, inodes: pressure, taints, evictions."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
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


def a_pod(name, resources="{}", command="[sleep, '3600']"):
    container = f"{{name: c, image: {IMAGE}, command: {command}, resources: {resources}}}"
    head = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n"
    tolerations = "[{key: node.kubernetes.io/not-ready, operator: Exists}]"
    spec = (
        f"{{nodeName: lab1, terminationGracePeriodSeconds: 1, containers: [{container}], tolerations: {tolerations}}}"
    )
    return f"{head}spec: {spec}\n---\n"


def start_with(cluster, thresholds, *flags):
    cluster.lab.stop(cluster.host)
    cluster.lab.agent_flags = (f"--kubelet-arg=eviction-hard={thresholds}", *flags)
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


@contextmanager
def followed(cluster, folder):
    """Write each state of the node's PIDPressure and its taints to a file meanwhile; yields what reads it."""
    form = '{.status.conditions[?(@.type=="PIDPressure")].status} {.spec.taints[*].key}{"\\n"}'
    argv = cluster.kubectl_argv("get", "node", "lab1", "--watch", "-o", f"jsonpath={form}")
    states = folder / "states"
    with states.open("w") as out, subprocess.Popen(argv, stdout=out) as watch:
        wait_until(states.read_text, what="the first state")
        try:
            yield lambda: states.read_text().splitlines()
        finally:
            watch.terminate()


def test_the_pod_with_the_most_processes_is_evicted_and_pressure_comes_and_goes(pressed, tmp_path):
    forked = 4000
    pressed.apply("default", a_pod("frugal"))
    pressed.kubectl("wait", "--for=condition=Ready", "pod/frugal", "--timeout=60s")
    summary = json.loads(pressed.kubectl("get", "--raw", "/api/v1/nodes/lab1/proxy/stats/summary").stdout)
    limits = summary["node"]["rlimit"]
    # Whatever else this machine starts and ends stays far from both sides of the threshold.
    threshold = limits["maxpid"] - limits["curproc"] - forked // 2
    start_with(pressed, f"pid.available<{threshold}", "--kubelet-arg=eviction-pressure-transition-period=10s")
    frugal = pressed.get("pod", "frugal")["status"]["containerStatuses"]

    with followed(pressed, tmp_path) as states:
        assert states()[-1] == "False "
        forks = f"i=0; while [ $i -lt {forked} ]; do sleep 3600 & i=$((i+1)); done; wait"
        pressed.apply("default", a_pod("greedy", command=json.dumps(["sh", "-c", forks])))
        wait_until(lambda: pressed.get("pod", "greedy")["status"]["phase"] == "Failed", 120, "the eviction")
        # The condition is written beside the eviction, maybe after it, and stays for ten seconds.
        wait_until(lambda: "True node.kubernetes.io/pid-pressure" in states(), 60, "the condition and its taint")
        wait_until(lambda: states()[-1] == "False ", 60, "the end of pressure")
    evicted = pressed.get("pod", "greedy")["status"]
    said = re.fullmatch(
        rf"The node was low on resource: pids. Threshold quantity: {threshold}, available: (\d+). ",
        evicted["message"],
    )
    assert (evicted["reason"], int(said[1]) < threshold) == ("Evicted", True)
    assert pressed.get("pod", "frugal")["status"]["containerStatuses"] == frugal
