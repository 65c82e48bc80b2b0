"""A whole node where systemd owns the cgroups: systemd, Docker with its systemd driver, the agent, real kubectl."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from minikube_py.kubelet.cgroup_names import cgroup_path, container_path
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.systemd_host import SystemdHost

pytestmark = pytest.mark.node

MIB = 1 << 20
PODS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: limited}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: {IMAGE}
    command: [sleep, "3600"]
    resources: {{requests: {{cpu: 100m, memory: 16Mi}}, limits: {{cpu: 200m, memory: 32Mi}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: plain}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{{name: c, image: {IMAGE}, command: [sleep, "3600"]}}]
"""


HUGE = f"""
apiVersion: v1
kind: Pod
metadata: {{name: huge}}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - {{name: huge, emptyDir: {{medium: HugePages}}}}
  - {{name: usr, hostPath: {{path: /usr}}}}
  - {{name: lib64, hostPath: {{path: /usr/lib64}}}}
  - {{name: lib, hostPath: {{path: /usr/lib}}}}
  containers:
  - name: c
    image: {IMAGE}
    command:
    - /usr/bin/python3
    - -c
    - |
      import mmap, time
      file = open("/huge/file", "w+b")
      file.truncate(2 << 20)
      memory = mmap.mmap(file.fileno(), 2 << 20)
      memory[0] = 1
      print("written", flush=True)
      time.sleep(3600)
    resources: {{limits: {{cpu: 100m, memory: 64Mi, hugepages-2Mi: 4Mi}}}}
    volumeMounts:
    - {{name: huge, mountPath: /huge}}
    - {{name: usr, mountPath: /usr, readOnly: true}}
    - {{name: lib64, mountPath: /lib64, readOnly: true}}
    - {{name: lib, mountPath: /lib, readOnly: true}}
"""
SYSCTLS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: tuned}}
spec:
  nodeName: lab1
  terminationGracePeriodSeconds: 1
  securityContext: {{sysctls: [{{name: net.core.somaxconn, value: "2048"}}]}}
  containers: [{{name: c, image: {IMAGE}, command: [sleep, "3600"]}}]
"""
UNSAFE = ("net.core.somaxconn", "kernel.msgmax")
NR_HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")


@pytest.fixture(scope="module")
def huge_pages():
    """Reserve four pages of 2 MiB while the node is up."""
    before = NR_HUGE_PAGES.read_text()
    NR_HUGE_PAGES.write_text("4")
    assert NR_HUGE_PAGES.read_text().strip() == "4", "this machine's memory is too scattered for huge pages"
    yield
    NR_HUGE_PAGES.write_text(before)


def free_huge_pages():
    lines = dict(line.partition(":")[::2] for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["HugePages_Free"])


@pytest.fixture(scope="module")
def node(tmp_path_factory, huge_pages):
    folder = Path(f"/run/mkpy-systemd-{os.getpid()}")
    lab = Lab(folder, 1, fast_timers=True)
    lab.agent_flags += ("--kubelet-arg=allowed-unsafe-sysctls=net.core.*",)
    lab.docker_flags = ("--exec-opt=native.cgroupdriver=systemd",)
    (layout,) = lab.layout.hosts
    host = SystemdHost(layout, own_network=True, shared=[folder])
    try:
        host.boot()
        lab.layout = replace(lab.layout, hosts=(replace(layout, init_pid=host.init_pid),))
        lab.up()
        cluster = Cluster(lab, tmp_path_factory.mktemp("kubectl"))
        cluster.load_images(tmp_path_factory.mktemp("images"))
        yield cluster, host
    finally:
        for log in folder.glob("lab1/*.log"):
            shutil.copy(log, tmp_path_factory.getbasetemp())
        lab.down()
        host.power_off()


def test_unsafe_sysctls_are_set_when_the_node_allows_them(node):
    cluster, _ = node
    cluster.apply("default", SYSCTLS + "---" + SYSCTLS.replace("tuned", "greedy").replace(*UNSAFE))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/tuned", "--timeout=60s")

    assert cluster.kubectl("exec", "tuned", "--", "cat", "/proc/sys/net/core/somaxconn").stdout.strip() == "2048"
    refused = cluster.get("pod", "greedy")["status"]
    assert (refused["phase"], refused["reason"]) == ("Failed", "SysctlForbidden")
    assert refused["message"] == 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'
    cluster.kubectl("delete", "pod", "tuned", "greedy", "--wait", timeout_s=60)


def test_a_pod_has_the_huge_pages_that_it_asks_for(node):
    cluster, _ = node
    capacity = cluster.get("node", "lab1")["status"]["capacity"]
    assert capacity["hugepages-2Mi"] == "8Mi"
    cluster.apply("default", HUGE + "---" + HUGE.replace("name: huge}", "name: more}", 1).replace("4Mi", "6Mi"))
    wait_until(lambda: "written" in cluster.kubectl("logs", "huge", check=False).stdout, 60, "the pages in use")

    assert free_huge_pages() == 3
    mounts = cluster.kubectl("exec", "huge", "--", "cat", "/proc/mounts").stdout
    assert any(line.split()[1:3] == ["/huge", "hugetlbfs"] for line in mounts.splitlines())
    conditions = {c["type"]: c for c in cluster.get("pod", "more")["status"]["conditions"]}
    assert "Insufficient hugepages-2Mi" in conditions["PodScheduled"]["message"]
    cluster.kubectl("delete", "pod", "huge", "more", "--wait", timeout_s=60)
    assert free_huge_pages() == 4


def test_pods_and_classes_have_slices_with_their_limits_and_leave_none(node):
    cluster, host = node
    cluster.apply("default", PODS)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/limited", "pod/plain", "--timeout=60s")
    pod = cluster.get("pod", "limited")
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    slice_ = cluster.docker("inspect", "-f", "{{.HostConfig.CgroupParent}}", container).strip()

    def read(controller, path, file):
        return Path(host.cgroup_places[controller] + path, file).read_text().strip()

    assert slice_.endswith(f"-kubepods-burstable-pod{pod['metadata']['uid'].replace('-', '_')}.slice")
    for path in (cgroup_path(slice_), container_path(slice_, container)):
        assert (read("cpu", path, "cpu.shares"), read("cpu", path, "cpu.cfs_quota_us")) == ("102", "20000")
        assert read("memory", path, "memory.limit_in_bytes") == str(32 * MIB)
    assert read("pids", cgroup_path(slice_), "pids.max") == "4096"
    tier = slice_.rpartition("-")[0]
    assert read("cpu", cgroup_path(f"{tier}.slice"), "cpu.shares") == "102"
    assert read("cpu", cgroup_path(f"{tier.replace('burstable', 'besteffort')}.slice"), "cpu.shares") == "2"
    assert host.run("systemctl", "show", slice_, "--property=CPUShares,MemoryLimit").stdout.splitlines() == [
        "CPUShares=102",
        f"MemoryLimit={32 * MIB}",
    ]
    assert "not limited here" not in cluster.host.agent_log.read_text()
    measured = 'pod_memory_working_set_bytes{namespace="default",pod="limited"}'
    path = "/api/v1/nodes/lab1/proxy/metrics/resource"
    wait_until(lambda: measured in cluster.kubectl("get", "--raw", path).stdout, 60, "statistics of the pod")

    cluster.kubectl("delete", "pod", "limited", "plain", "--wait", timeout_s=60)
    units = "systemctl list-units --all --plain --no-legend"
    wait_until(
        lambda: "pod" + pod["metadata"]["uid"][:8] not in host.run(*units.split()).stdout, 10, "the slice's end"
    )
    assert not Path(host.cgroup_places["memory"] + cgroup_path(slice_)).exists()
    cluster.minikube_py("down", f"--docker-host=unix://{cluster.host.docker_socket}")
    assert "minikube_py" not in host.run(*units.split()).stdout
