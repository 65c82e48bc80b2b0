"""What an operator has told a node: what it keeps from pods, what it leaves out, how it goes down with its host."""

import json
import os
from pathlib import Path

import pytest

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.shutdown import NODE_FAULT, TERMINATED
from minikube_py.testing.fake_logind import FakeLogind, private_bus
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import FEW_EVICTIONS, Lab

pytestmark = pytest.mark.node

MIB = 1 << 20
ARGUMENTS = (
    *("kube-reserved=cpu=100m,memory=64Mi", "system-reserved=cpu=50m", "max-pods=5", "pod-max-pids=64"),
    "maximum-dead-containers-per-container=0",
    *("shutdown-grace-period=50s", "shutdown-grace-period-critical-pods=20s"),
)
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
"""


@pytest.fixture(scope="module")
def logind(tmp_path_factory):
    """A login manager on a bus that is this host's to its agent."""
    folder = tmp_path_factory.mktemp("bus")
    environment = pytest.MonkeyPatch.context()
    with private_bus(folder) as bus, FakeLogind(bus, folder / "logind.conf") as manager, environment as patch:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus}")
        manager.delay_us = 60_000_000
        yield manager


@pytest.fixture(scope="module")
def node(logind, tmp_path_factory):
    files = tmp_path_factory.mktemp("settings")
    lab = Lab(Path(f"/run/mkpy-set-{os.getpid()}"), 1, fast_timers=True)
    arguments = (f"--kubelet-arg={argument}" for argument in ARGUMENTS)
    lab.agent_flags = (FEW_EVICTIONS, "--disable=local-storage", *arguments)
    try:
        lab.up()
        cluster = Cluster(lab, files)
        cluster.load_images(files)
        yield cluster
    finally:
        lab.down()


def a_pod(name, script, **spec):
    container = {"name": "c", "image": IMAGE, "command": ["sh", "-c", script], **spec.pop("container", {})}
    body = {"terminationGracePeriodSeconds": 20, "containers": [container], **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body})


def start(cluster, *pods):
    cluster.apply("default", "\n---\n".join(pods))


def test_what_is_reserved_is_not_for_pods(node):
    status = node.get("node", "lab1")["status"]
    has, gives = ({name: parse_quantity(amount) for name, amount in status[field].items()}
                  for field in ("capacity", "allocatable"))  # fmt: skip

    assert has["cpu"].milli - gives["cpu"].milli == 150
    # What eviction keeps free is not for pods either.
    assert has["memory"].value - gives["memory"].value == (64 + 20) * MIB
    assert (has["pods"].value, gives["pods"].value) == (5, 5)


def test_the_nodes_heart_beats_in_its_lease(node):
    def lease():
        return node.get("lease", "lab1", "-n", "kube-node-lease")["spec"]

    first = lease()
    assert (first["holderIdentity"], first["leaseDurationSeconds"]) == ("lab1", 40)
    wait_until(lambda: lease()["renewTime"] > first["renewTime"], 60, "the next beat")


def test_a_pod_has_no_more_processes_than_the_node_gives(node):
    forks = "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done"
    start(node, a_pod("forks", forks, restartPolicy="Never"))
    wait_until(lambda: node.get("pod", "forks")["status"]["phase"] == "Failed", 60, "the end of it")

    assert "can't fork" in node.kubectl("logs", "forks").stdout
    node.kubectl("delete", "pod", "forks")


def test_no_more_dead_containers_are_kept_than_the_node_is_told(node):
    start(node, a_pod("fails", "exit 1"))

    def runs():
        return node.docker("ps", "-aq", "--filter", "name=k8s_c_fails_").split()

    first = wait_until(runs, 60, "the first run")[0]
    wait_until(lambda: len(runs()) == 1 and first not in " ".join(runs()), 60, "the last run alone to be left")
    node.kubectl("delete", "pod", "fails")


def test_without_its_local_storage_a_node_provisions_nothing(node):
    assert node.kubectl("get", "storageclass").stderr == "No resources found\n"
    node.apply("default", CLAIM)
    why = "no persistent volumes available for this claim and no storage class is set"
    wait_until(lambda: why in node.kubectl("get", "events").stdout, 60, "the event")
    assert node.get("pvc", "data")["status"]["phase"] == "Pending"


def test_a_shutdown_of_the_host_is_held_up_until_the_pods_have_ended_critical_ones_last(node, logind):
    folder = node.host.dir / "ends"
    volume = {"name": "v", "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"}}
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}

    def told(name, **spec):
        script = f'trap "echo {name} >>/v/ends; exit 0" TERM; sleep 3600 & wait'
        return a_pod(name, script, container=mount, volumes=[volume], **spec)

    start(node, told("critical", priorityClassName="system-node-critical"), told("plain"))
    node.kubectl("wait", "--for=condition=Ready", "pod/plain", "pod/critical", "--timeout=60s")
    assert logind.is_held()
    logind.announce(begins=True)

    def ended():
        pods = [node.get("pod", name)["status"] for name in ("plain", "critical")]
        return [(pod["phase"], pod.get("reason"), pod.get("message")) for pod in pods]

    wait_until(lambda: ended() == [("Failed", TERMINATED.reason, TERMINATED.message)] * 2, 60, "the end of both")
    assert (folder / "ends").read_text().split() == ["plain", "critical"]
    wait_until(lambda: not logind.is_held(), 60, "the lock to be let go")
    ready = '-o=jsonpath={.status.conditions[?(@.type=="Ready")]}'
    wait_until(lambda: NODE_FAULT in node.kubectl("get", "node", "lab1", ready).stdout, 60, "the node to say so")
    start(node, a_pod("late", "sleep 60", nodeName="lab1", tolerations=[{"operator": "Exists"}]))
    wait_until(lambda: node.get("pod", "late")["status"].get("reason") == "NodeShutdown", 60, "the refusal")

    logind.announce(begins=False)
    node.kubectl("wait", "--for=condition=Ready", "node/lab1", "--timeout=60s")
    wait_until(logind.is_held, 60, "the next lock")
