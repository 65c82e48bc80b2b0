import json
from pathlib import Path

import pytest

from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.statistics import (
    CgroupSample,
    ContainerSample,
    DiskUsage,
    FileSystem,
    InterfaceCounters,
    NodeSample,
    PodSample,
    Snapshot,
    VolumeSample,
)
from minikube_py.kubelet.stats_summary import ephemeral_usage, render_summary

FS = FileSystem(1, 1000, 400, 100, 60)
ETH0 = InterfaceCounters("eth0", 1, 2, 3, 4, 5, 6, 7, 8)


def a_cgroup(**fields):
    given = {"at_s": 1_700_000_000.0, "cpu_ns": 5, "usage_bytes": 100, "working_set_bytes": 80, "nano_cores": 7}
    return CgroupSample(**(given | fields))


def a_pod(**fields):
    container = ContainerSample("c", "id", "i", 1.0, a_cgroup(limit_bytes=200), DiskUsage(10, 1), DiskUsage(20, 2))
    volumes = (
        VolumeSample("disk", DiskUsage(30, 3), FS),
        VolumeSample("memory", DiskUsage(40, 4), FS, on_disk=False),
        VolumeSample("map", DiskUsage(50, 5), FS, ephemeral=False),
    )
    given = {"interfaces": (ETH0,), "volumes": volumes, "disks_known": True}
    return PodSample(
        PodIdentity("n", "p", "u"), 1.0, a_cgroup(limit_bytes=300), "/x", (container,), **(given | fields)
    )


def a_snapshot(pod):
    node = NodeSample(a_cgroup(), (ETH0,), FS, FS, 32768, 99, 1000, 1.0, pods_cgroup=a_cgroup())
    return Snapshot("node1", node, (pod,))


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "string" if isinstance(value, str) else "number"


def missing(wanted, found, path=""):
    if isinstance(wanted, dict):
        for key, inner in wanted.items():
            if key not in found:
                yield f"{path}.{key}"
            else:
                yield from missing(inner, found[key], f"{path}.{key}")
    elif isinstance(wanted, list):
        yield from missing(wanted[0], found[0], f"{path}[]")
    elif wanted != found:
        yield path


def test_the_summary_has_every_field_that_a_real_kubelets_has():
    fields = json.loads(Path("tests/fixtures/observed/stats-summary.json").read_text())

    assert list(missing(fields, shape(render_summary(a_snapshot(a_pod()))))) == []


def test_numbers_stand_where_they_belong():
    summary = render_summary(a_snapshot(a_pod()))
    (pod,) = summary["pods"]
    (container,) = pod["containers"]

    assert summary["node"]["memory"]["availableBytes"] == 1000 - 80
    assert summary["node"]["rlimit"] == {"time": "2023-11-14T22:13:20Z", "maxpid": 32768, "curproc": 99}
    assert summary["node"]["fs"]["usedBytes"] == 600
    assert container["cpu"] == {"time": "2023-11-14T22:13:20Z", "usageNanoCores": 7, "usageCoreNanoSeconds": 5}
    assert container["memory"]["availableBytes"] == 120
    assert (container["rootfs"]["usedBytes"], container["logs"]["usedBytes"]) == (10, 20)
    assert pod["network"]["rxBytes"] == 1
    assert [v["name"] for v in pod["volume"]] == ["disk", "memory", "map"]


def test_ephemeral_storage_is_layers_logs_and_empty_directories_on_disk():
    assert ephemeral_usage(a_pod()) == DiskUsage(10 + 20 + 30, 1 + 2 + 3)


@pytest.mark.parametrize("field", ["network", "volume", "ephemeral-storage"])
def test_what_was_not_measured_is_left_out(field):
    pod = a_pod(interfaces=None, volumes=(), disks_known=False)

    assert field not in render_summary(a_snapshot(pod))["pods"][0]
