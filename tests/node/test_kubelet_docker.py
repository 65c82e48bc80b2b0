"""The kubelet on a real engine and kernel (mounts, cgroups), with an API server in memory and no pod network."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resources import CONFIGMAPS, PODS, SECRETS
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.cgroup_writer import LinuxCgroupWriter
from minikube_py.kubelet.io.engine_leftovers import HostLeftovers
from minikube_py.kubelet.io.host_statistics import LinuxHostStatistics
from minikube_py.kubelet.io.host_survey import LinuxHostSurvey
from minikube_py.kubelet.io.image_volumes import DockerImageVolumes
from minikube_py.kubelet.io.kubelet_loop import Kubelet
from minikube_py.kubelet.io.mounts import mounts_below, read_mounts
from minikube_py.kubelet.io.pod_files import HostPodFiles
from minikube_py.kubelet.io.probe_network import HostProbeNetwork
from minikube_py.kubelet.io.systemd_slices import SystemdSlices
from minikube_py.kubelet.io.tear_down import tear_down_node
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.testing.docker_subject import DockerSubject, docker_subject
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.fake_node import FakeEndpointDrain, FakeEventSink, FakePodNetwork

pytestmark = pytest.mark.node
SOON_S = 60.0
SLEEPER = ["sh", "-c", 'trap "exit 0" TERM; while :; do sleep 0.1; done']


@dataclass(slots=True)
class Subject:
    """One node."""

    docker: DockerSubject
    client: FakeClient
    config: KubeletConfig
    network: FakePodNetwork
    clock: SystemClock

    @asynccontextmanager
    async def kubelet(self) -> AsyncIterator[Kubelet]:
        """Run a kubelet; leaving is a crash of it."""
        ports = KubeletPorts(
            client=self.client,
            informers=FakeInformers(self.client),
            runtime=self.docker.runtime,
            images=self.docker.images,
            image_volumes=DockerImageVolumes(self.docker.api),
            network=self.network,
            endpoint_drain=FakeEndpointDrain(self.clock),
            files=HostPodFiles(self.config, SystemdSlices()),
            probe_network=HostProbeNetwork(),
            host=LinuxHostSurvey(),
            statistics=LinuxHostStatistics(self.clock),
            places=self.docker.runtime,
            cgroups=LinuxCgroupWriter(SystemdSlices()),
            leftovers=HostLeftovers(),
            recorder=FakeEventSink([]),
            clock=self.clock,
            random=lambda: 0.5,
        )
        kubelet = Kubelet(self.config, ports)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(kubelet.run())
            yield kubelet
            task.cancel()

    async def create(self, name: str, container: dict[str, Any], **spec: Any) -> None:
        """Create a pod with one container `c`."""
        made = {"name": "c", "image": self.docker.image, "command": SLEEPER, **container}
        spec = {"nodeName": self.docker.node_name, "containers": [made], "terminationGracePeriodSeconds": 5, **spec}
        metadata = {"name": name, "namespace": "default", "labels": {"app": name}}
        await self.client.create(PODS, {"metadata": metadata, "spec": spec})

    def status(self, name: str) -> Obj | None:
        """Return the status of a pod, None when there is no such pod."""
        for obj in self.client.objects(PODS):
            if obj["metadata"]["name"] == name:
                return obj.get("status") or {}
        return None

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(SOON_S):
            while not condition():
                await asyncio.sleep(0.02)

    async def wait_removed(self) -> None:
        """Wait until the engine has nothing of this node and no pod has a directory."""
        pods = Path(self.config.root_dir, "pods")
        async with asyncio.timeout(SOON_S):
            while True:
                listing = await self.docker.runtime.listing()
                if not listing.sandboxes and not listing.containers and not list(pods.iterdir()):
                    return
                await asyncio.sleep(0.05)

    async def wait_phase(self, name: str, phase: str) -> Obj:
        """Wait until a pod has a phase and return its status."""
        await self.wait(lambda: (self.status(name) or {}).get("phase") == phase)
        status = self.status(name)
        assert status is not None
        return status


@pytest.fixture
async def subject(tmp_path: Path) -> AsyncIterator[Subject]:
    clock = SystemClock()
    async with docker_subject() as docker:
        config = KubeletConfig(
            node_name=docker.node_name,
            node_ip="127.0.0.1",
            root_dir=str(tmp_path / "agent"),
            pod_logs_dir=str(tmp_path / "logs"),
            cluster_dns=("10.96.0.10",),
        )
        client = FakeClient(clock)
        await client.create(
            CONFIGMAPS, {"metadata": {"name": "cm", "namespace": "default"}, "data": {"k": "from-map"}}
        )
        await client.create(
            SECRETS, {"metadata": {"name": "s", "namespace": "default"}, "data": {"k": "ZnJvbS1zZWNyZXQ="}}
        )
        made = Subject(docker, client, config, FakePodNetwork(), clock)
        yield made
        await tear_down_node(config, docker.runtime)


def leftovers(subject: Subject) -> list[str]:
    """Return what is mounted below the node's directory."""
    return mounts_below(subject.config.root_dir, read_mounts())


VOLUMES = [
    {"name": "e", "emptyDir": {}},
    {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}},
    {"name": "cm", "configMap": {"name": "cm", "items": [{"key": "k", "path": "dir/k.txt", "mode": 0o400}]}},
    {"name": "s", "secret": {"secretName": "s"}},
    {"name": "dw", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
]
MOUNTS = [
    {"name": "e", "mountPath": "/e"},
    {"name": "e", "mountPath": "/es", "subPath": "a/b"},
    {"name": "m", "mountPath": "/m"},
    {"name": "cm", "mountPath": "/cm"},
    {"name": "cm", "mountPath": "/cmk", "subPath": "dir/k.txt"},
    {"name": "s", "mountPath": "/s"},
    {"name": "dw", "mountPath": "/dw"},
]


async def test_volumes_are_there_and_gone_afterwards(subject):
    script = (
        "set -e; echo x > /es/f; test -f /e/a/b/f; "
        "df /m | grep -q ' 4096 '; ! touch /s/new 2>/dev/null; "
        "echo $(cat /cm/dir/k.txt /cmk) $(cat /s/k) $(cat /dw/l) $(hostname) > /dev/termination-log; exit 3"
    )
    async with subject.kubelet():
        container = {"command": ["sh", "-c", script], "volumeMounts": MOUNTS}
        await subject.create("vol", container, volumes=VOLUMES, restartPolicy="Never")
        status = await subject.wait_phase("vol", "Failed")
        ended = status["containerStatuses"][0]["state"]["terminated"]
        assert (ended["exitCode"], ended["message"]) == (3, 'from-mapfrom-map from-secret app="vol" vol\n')
        await subject.client.delete(PODS, ObjectKey("default", "vol"))
        await subject.wait(lambda: subject.status("vol") is None)
        await subject.wait_removed()

    assert leftovers(subject) == []


async def test_a_secret_is_never_on_a_disk(subject):
    async with subject.kubelet():
        container = {"volumeMounts": [{"name": "s", "mountPath": "/s"}]}
        await subject.create("web", container, volumes=[{"name": "s", "secret": {"secretName": "s"}}])
        await subject.wait_phase("web", "Running")

        (path,) = leftovers(subject)
        assert path.endswith("kubernetes.io~secret/s")
        assert next(m.fs_type for m in read_mounts() if m.path == path) == "tmpfs"


async def test_hosts_file_and_resolv_conf_are_the_pods_own(subject):
    script = "cat /etc/hosts /etc/resolv.conf > /dev/termination-log"
    async with subject.kubelet():
        await subject.create("web", {"command": ["sh", "-c", script]}, restartPolicy="Never")
        status = await subject.wait_phase("web", "Succeeded")

    message = status["containerStatuses"][0]["state"]["terminated"]["message"]
    assert "10.244.0.2\tweb\n" in message
    assert "nameserver 10.96.0.10\n" in message


async def test_a_container_over_its_memory_is_reported_as_killed_for_it(subject):
    script = "x=a; while :; do x=$x$x; done"
    async with subject.kubelet():
        container = {"command": ["sh", "-c", script], "resources": {"limits": {"memory": "20Mi"}}}
        await subject.create("oom", container, restartPolicy="Never")
        status = await subject.wait_phase("oom", "Failed")

    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


async def test_a_command_that_does_not_exist_is_told(subject):
    async with subject.kubelet():
        await subject.create("bad", {"command": ["nosuch"]}, restartPolicy="Never")
        status = await subject.wait_phase("bad", "Failed")

    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert ended["reason"] == "ContainerCannotRun"
    assert 'exec: "nosuch": executable file not found in $PATH' in ended["message"]


async def test_containers_outlive_the_kubelet_untouched(subject):
    async with subject.kubelet():
        await subject.create("web", {})
        await subject.wait_phase("web", "Running")
    before = (await subject.docker.runtime.listing()).containers
    async with subject.kubelet() as kubelet:
        await kubelet.node.ready.wait()
        await asyncio.sleep(1)
        assert (await subject.docker.runtime.listing()).containers == before


async def test_a_killed_container_is_started_again(subject):
    async with subject.kubelet():
        await subject.create("web", {})
        await subject.wait_phase("web", "Running")
        (record,) = (await subject.docker.runtime.listing()).containers
        await subject.docker.runtime.stop_container(record.id, 0)
        await subject.wait(lambda: (subject.status("web") or {})["containerStatuses"][0]["restartCount"] == 1)

    status = subject.status("web")
    assert status is not None
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137


async def test_a_group_of_the_pod_may_write_its_volumes(subject):
    script = "id -G > /dev/termination-log; touch /e/x; stat -c %g /e/x >> /dev/termination-log"
    async with subject.kubelet():
        container = {"command": ["sh", "-c", script], "volumeMounts": [{"name": "e", "mountPath": "/e"}]}
        security = {"runAsUser": 1000, "fsGroup": 2000}
        volumes = [{"name": "e", "emptyDir": {}}]
        await subject.create("grp", container, volumes=volumes, securityContext=security, restartPolicy="Never")
        status = await subject.wait_phase("grp", "Succeeded")

    message = status["containerStatuses"][0]["state"]["terminated"]["message"]
    assert message.split() == ["0", "2000", "2000"]


async def test_tear_down_leaves_nothing(subject):
    async with subject.kubelet():
        container = {"volumeMounts": [{"name": "m", "mountPath": "/m"}]}
        await subject.create("web", container, volumes=VOLUMES)
        await subject.wait_phase("web", "Running")
    removed = await tear_down_node(subject.config, subject.docker.runtime)

    assert removed == {"pods": 1, "containers": 2}
    assert leftovers(subject) == []
    assert not list(Path(subject.config.root_dir, "pods").iterdir())


def was_throttled(metrics: str) -> bool:
    """Return whether the kernel has held up the container `c` at its limit."""
    lines = [line for line in metrics.splitlines() if line.startswith("container_cpu_cfs_throttled_periods_total")]
    return any('container="c"' in line and float(line.split()[-2]) > 0 for line in lines)


async def test_statistics_of_real_containers_are_read_from_the_kernels_files(subject: Subject) -> None:
    script = "dd if=/dev/zero of=/written bs=1000000 count=3; echo hello; x=; while :; do x=1; done"
    limits = {"cpu": "200m", "memory": "64Mi"}
    async with subject.kubelet() as kubelet:
        await subject.create("p", {"command": ["sh", "-c", script], "resources": {"limits": limits}})
        await subject.wait_phase("p", "Running")
        async with asyncio.timeout(SOON_S):
            while not was_throttled(await kubelet.statistics.cadvisor_metrics()):
                await asyncio.sleep(0.2)
        first = await kubelet.statistics.snapshot(0.0)
        await asyncio.sleep(1.0)
        second = await kubelet.statistics.with_disks(await kubelet.statistics.snapshot(0.0))

    (pod,), (before,) = second.pods, first.pods
    (container,) = pod.containers
    assert container.cgroup.cpu_ns > before.containers[0].cgroup.cpu_ns > 0
    assert container.cgroup.nano_cores is not None
    assert 0 < container.cgroup.nano_cores < 300_000_000
    assert 0 < container.cgroup.working_set_bytes < 64 << 20
    assert pod.cgroup.cpu_ns >= container.cgroup.cpu_ns
    assert container.cgroup.limit_bytes == pod.cgroup.limit_bytes == 64 << 20
    assert container.rootfs is not None
    assert container.logs is not None
    assert container.rootfs.bytes >= 3_000_000 > container.logs.bytes > 0
    assert second.node.memory_bytes > second.node.cgroup.working_set_bytes > 0


def _leave(cgroup: str, identity: str, folder: Path) -> tuple[Path, list[subprocess.Popen[bytes]]]:
    """Leave what an engine leaves that is killed amid a start: a process in its container's cgroup, and its shim.

    Returns:
        The pod's cgroup, and the two processes.
    """
    trees = [m for m in read_mounts() if m.fs_type == "cgroup2" or "pids" in m.options.split(",")]
    place = Path(f"{trees[0].path}{cgroup}/{identity}")
    place.mkdir(parents=True)
    half = subprocess.Popen(["sleep", "60"])
    (place / "cgroup.procs").write_text(str(half.pid))
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"linux": {"cgroupsPath": f"{cgroup}/{identity}"}}))
    words = ["/usr/bin/containerd-shim-runc-v2", "-c", "read line", "-namespace", "moby", "-id", identity]
    return place.parent, [half, subprocess.Popen(words, executable="/bin/sh", cwd=folder, stdin=subprocess.PIPE)]


async def test_what_a_killed_engine_left_of_a_start_is_ended(subject, tmp_path):
    root = f"/{subject.docker.node_name}"
    subject.config = replace(subject.config, cgroup_root=root, container_gc_s=0.2)
    place, left = _leave(f"{root}/kubepods/besteffort/podgone", "ab12" * 16, tmp_path / "bundle")
    async with subject.kubelet():
        await subject.create("web", {})
        await subject.wait(lambda: all(process.poll() == -signal.SIGKILL for process in left))
        await subject.wait(lambda: not place.exists())
        await subject.wait_phase("web", "Running")
        await asyncio.sleep(3 * subject.config.container_gc_s)

        assert subject.status("web")["containerStatuses"][0]["restartCount"] == 0
    await tear_down_node(subject.config, subject.docker.runtime)
