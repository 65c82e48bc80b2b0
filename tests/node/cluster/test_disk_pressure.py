"""A node with a small disk that really fills: unused images go, then the pod that is furthest above its request."""

import json
import os
import re
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from minikube_py.testing.images import busybox_archive
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.machine import run

pytestmark = pytest.mark.node

MIB = 1 << 20
DISK_MIB, FREE_MIB, BELOW_MIB = 256, 64, 8
"""The disk, what eviction wants to be free, and how far the tests go below that."""
INODES, FREE_INODES = 12_000, 2_000
UNUSED = "unused.example/large:1"
FLAGS = (
    f"--kubelet-arg=eviction-hard=memory.available<20Mi,nodefs.available<{FREE_MIB}Mi,nodefs.inodesFree<{FREE_INODES}",
    "--kubelet-arg=image-gc-high-threshold=100",
)
SEEN = '{.status.conditions[?(@.type=="DiskPressure")].status} {.spec.taints[*].key}{"\\n"}'


class SmallDisk:
    """A file system in memory that holds a host's engine and agent, with a ballast of the tests'."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = folder / "ballast"

    def leave(self, free_bytes):
        """Let the ballast grow, or shrink, until so much is free."""
        at = os.statvfs(self.folder)
        held = self.ballast.stat().st_size if self.ballast.exists() else 0
        with self.ballast.open("ab") as file:
            file.truncate(0)
            os.posix_fallocate(file.fileno(), 0, held + at.f_bavail * at.f_frsize - free_bytes)

    def leave_inodes(self, free):
        """Make files until so many more can be made."""
        many = self.folder / "many"
        many.mkdir()
        for number in range(os.statvfs(self.folder).f_favail - free):
            (many / str(number)).touch()


@pytest.fixture(scope="module")
def disk():
    folder = Path(f"/run/mkpy-disk-{os.getpid()}")
    folder.mkdir()
    run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,nr_inodes={INODES}", "tmpfs", str(folder)])
    try:
        yield SmallDisk(folder)
    finally:
        run(["umount", "-l", str(folder)])
        folder.rmdir()


@pytest.fixture(scope="module")
def full(disk, tmp_path_factory):
    """The host, with images that were there before its agent."""
    files = tmp_path_factory.mktemp("full")
    lab = Lab(disk.folder, 1, fast_timers=True)
    lab.agent_flags = FLAGS
    try:
        lab.make_hosts()
        cluster = Cluster(lab, files)
        cluster.load_images(files)
        large = Path(shutil.which("busybox")).read_bytes() + os.urandom(24 * MIB)
        (files / "large.tar").write_bytes(busybox_archive(large, (UNUSED,)))
        cluster.docker("load", "-i", str(files / "large.tar"))
        lab.start_agents()
        yield cluster
    finally:
        lab.down()


def a_pod(name, script, request=None):
    container = {"name": "c", "image": IMAGE, "command": ["sh", "-c", f"{script}; touch /tmp/done; sleep 3600"]}
    container["readinessProbe"] = {"exec": {"command": ["test", "-e", "/tmp/done"]}, "periodSeconds": 1}
    container["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    if request:
        container["resources"] = {"requests": {"ephemeral-storage": request}}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def write(path, mebibytes):
    return f"dd if=/dev/zero of={path} bs=1M count={mebibytes} 2>/dev/null"


def start(cluster, *pods):
    cluster.apply("default", "\n---\n".join(map(json.dumps, pods)))
    names = [f"pod/{pod['metadata']['name']}" for pod in pods]
    cluster.kubectl("wait", "--for=condition=Ready", *names, "--timeout=60s")


def phases(cluster):
    return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in cluster.get("pods")["items"]}


@pytest.fixture(scope="module")
def history(full, tmp_path_factory):
    """What the node has been, `well` and `pressed` in turn: watched, since pressure may be over before a look.

    It is either when condition and taint say so; while they differ it is still what it was.
    """
    file = tmp_path_factory.mktemp("history") / "node"
    states = {(True, True): "pressed", (False, False): "well"}

    def told():
        lines = (line.partition(" ") for line in file.read_text().splitlines())
        found = (states.get((status == "True", "disk-pressure" in taints)) for status, _, taints in lines)
        return [state for state, _ in groupby(filter(None, found))]

    with file.open("wb") as output:
        argv = full.kubectl_argv("get", "node", "lab1", "--watch", "-o", f"jsonpath={SEEN}")
        watching = subprocess.Popen(argv, stdout=output)
        try:
            wait_until(told, 60, "the first look")
            yield told
        finally:
            watching.terminate()
            watching.wait(20)


def test_unused_images_go_before_pods_and_of_those_the_one_that_is_furthest_above_its_request(full, disk, history):
    start(
        full,
        a_pod("modest", write("/v/f", 30), "60Mi"),
        a_pod("greedy", write("/big", 40), "5Mi"),
        a_pod("small", write("/v/f", 15)),
    )
    assert history() == ["well"]
    assert "unused.example/large" in full.docker("images")

    disk.leave((FREE_MIB - BELOW_MIB) * MIB)
    wait_until(lambda: "unused.example/large" not in full.docker("images"), 60, "the image to go")
    wait_until(lambda: history() == ["well", "pressed", "well"], 60, "pressure that comes and goes")
    assert phases(full) == {"modest": "Running", "greedy": "Running", "small": "Running"}

    disk.leave((FREE_MIB - BELOW_MIB) * MIB)
    wait_until(lambda: phases(full)["greedy"] == "Failed", 60, "the eviction")
    status = full.get("pod", "greedy")["status"]
    assert status["reason"] == "Evicted"
    assert re.fullmatch(
        rf"The node was low on resource: ephemeral-storage\. Threshold quantity: {FREE_MIB}Mi, available: \d+[KM]i\. "
        r"Container c was using \d+[KM]i, request is 5Mi, has larger consumption of ephemeral-storage\. ",
        status["message"],
    ), status["message"]
    target = next(c for c in status["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "TerminationByKubelet")
    wait_until(lambda: history() == ["well", "pressed"] * 2 + ["well"], 60, "pressure that comes and goes")
    assert phases(full) == {"modest": "Running", "greedy": "Failed", "small": "Running"}


def test_the_pod_that_has_made_most_files_goes_when_inodes_run_short(full, disk, history):
    script = "i=0; while [ $i -lt 1500 ]; do : >/v/$i; i=$((i+1)); done"
    start(full, a_pod("few", "true"), a_pod("filer", script))
    before = history()
    disk.leave_inodes(FREE_INODES - 300)
    wait_until(lambda: phases(full)["filer"] == "Failed", 60, "the eviction")

    message = full.get("pod", "filer")["status"]["message"]
    assert re.fullmatch(
        r"The node was low on resource: inodes\. Threshold quantity: 2k, available: \d+\. ", message
    ), message
    wait_until(lambda: history() == [*before, "pressed", "well"], 60, "pressure that comes and goes")
    assert phases(full)["few"] == "Running"
