import json
import re
from pathlib import Path

from minikube_py.kubelet.cadvisor_metrics import MachineFacts, render_cadvisor_metrics
from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.statistics import (
    CgroupDetail,
    CgroupSample,
    ContainerSample,
    DiskUsage,
    FileSystem,
    InterfaceCounters,
    NodeSample,
    PodSample,
    Snapshot,
)
from minikube_py.testing.metric_families import metric_families

OBSERVED = json.loads(Path("tests/fixtures/observed/kubelet-metrics.json").read_text())["kubelet_metrics_cadvisor"]
NOT_MEASURED = re.compile(
    r"container_(cpu_load_average_10s|file_descriptors|fs_(io|read|write|sector)|memory_failures_total|sockets|"
    r"spec_memory_(reservation|swap)|tasks_state|ulimits_soft)|machine_(cpu_physical|cpu_sockets|nvm)"
)
"""Block device counters, descriptors and the like: cadvisor walks /proc or asks netlink for them."""
MACHINE = MachineFacts(2, 100, "boot", "machine", "system", "6.1", "Debian", "20.10")


def a_snapshot():
    detail = CgroupDetail(user_ns=1, quota_us=10_000, period_us=100_000, shares=102, throttled_periods=4)
    sample = CgroupSample(12.5, 1_500_000_000, working_set_bytes=4096, detail=detail)
    fs = FileSystem(1, 1000, 400, 100, 60)
    container = ContainerSample("c", "id", "busybox", 3.0, sample, DiskUsage(10, 1))
    eth0 = InterfaceCounters("eth0", 1, 2, 3, 4, 5, 6, 7, 8)
    pod = PodSample(PodIdentity("n", "p", "u"), 1.0, sample, "/kubepods/podu", (container,), interfaces=(eth0,))
    node = NodeSample(CgroupSample(12.5), (eth0,), fs, fs, 0, 0, 0, 0.0, pods_cgroup=CgroupSample(12.5))
    return Snapshot("node1", node, (pod,))


def test_every_observed_family_that_is_measured_has_its_type_and_labels():
    found = metric_families(render_cadvisor_metrics(a_snapshot(), MACHINE))
    wanted = {name: [t, sorted(ls)] for name, (t, ls) in OBSERVED.items() if not NOT_MEASURED.match(name)}

    assert {name: found.get(name) for name in wanted} == wanted


def test_rows_are_containers_pods_all_pods_and_the_host():
    text = render_cadvisor_metrics(a_snapshot(), MACHINE)
    rows = re.findall(r'container_memory_working_set_bytes\{container="(.*?)",id="(.*?)"', text)

    assert rows == [("", "/"), ("", "/kubepods"), ("", "/kubepods/podu"), ("c", "/kubepods/podu/id")]


def test_throttling_is_shown_only_where_there_is_a_quota():
    text = render_cadvisor_metrics(a_snapshot(), MACHINE)
    throttled = re.findall(r'throttled_periods_total\{container="(.*?)",id="(.*?)".* (\d+) \d+$', text, re.MULTILINE)

    assert throttled == [("", "/kubepods/podu", "4"), ("c", "/kubepods/podu/id", "4")]


def test_network_counters_belong_to_the_pod():
    text = render_cadvisor_metrics(a_snapshot(), MACHINE)

    line = next(
        li for li in text.splitlines() if li.startswith("container_network_transmit_bytes") and 'pod="p"' in li
    )
    assert 'container="",id="/kubepods/podu"' in line
    assert line.split("} ")[1] == "5 12500"
