from dataclasses import replace

import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ImageRecord
from minikube_py.kubelet.node_status import (
    NodeHealth,
    NodeView,
    allocatable,
    node_events,
    node_lease,
    node_status,
    status_is_due,
)
from minikube_py.testing.fake_node import FakeHost

CONFIG = KubeletConfig(node_name="node1", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/logs")
HOST = FakeHost().facts
NOW_S = 1767225600.0


def status(host=HOST, faults=(), now_s=NOW_S, previous=None, images=(), pressures=()):
    view = NodeView(host, None, images, NodeHealth(faults), now_s, pressures)
    return node_status(CONFIG, view, previous or {})


def condition(made, kind):
    found = next(c for c in made["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


def test_allocatable_is_what_eviction_leaves():
    found = allocatable(CONFIG, HOST)

    assert found["memory"] == f"{(8 << 20) - (100 << 10)}Ki"
    # 10 % as upstream has it, in single precision.
    assert found["ephemeral-storage"] == str((100 << 30) - 10737418400)
    assert (found["cpu"], found["pods"]) == ("2", "110")


def test_what_is_reserved_and_huge_pages_are_not_allocatable():
    config = replace(
        CONFIG,
        kube_reserved=(("cpu", "250m"), ("memory", "1Gi")),
        system_reserved=(("cpu", "250m"), ("ephemeral-storage", "10Gi")),
        eviction_hard=(("memory.available", "500Mi"),),
    )
    host = replace(HOST, huge_pages=((2 << 20, 512), (64 << 10, 16)))
    found = allocatable(config, host)

    assert found["cpu"] == "1500m"
    assert found["memory"] == f"{(8 << 20) - (1 << 20) - (500 << 10) - (1 << 20) - 1024}Ki"
    assert found["ephemeral-storage"] == str(90 << 30)
    assert (found["hugepages-2Mi"], found["hugepages-1Gi"], found["hugepages-64Ki"]) == ("1Gi", "0", "1Mi")


def test_a_node_with_faults_is_not_ready_and_says_why():
    made = status(faults=("container runtime is down",))
    ready = next(c for c in made["conditions"] if c["type"] == "Ready")

    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False",
        "KubeletNotReady",
        "container runtime is down",
    )


@pytest.mark.parametrize(
    ("pressures", "kind", "expected"),
    [
        ((), "MemoryPressure", ("False", "KubeletHasSufficientMemory")),
        (
            ("MemoryPressure",),
            "MemoryPressure",
            ("True", "KubeletHasInsufficientMemory"),
        ),
        ((), "DiskPressure", ("False", "KubeletHasNoDiskPressure")),
        (("DiskPressure",), "DiskPressure", ("True", "KubeletHasDiskPressure")),
        ((), "PIDPressure", ("False", "KubeletHasSufficientPID")),
        (("PIDPressure", "MemoryPressure"), "PIDPressure", ("True", "KubeletHasInsufficientPID")),
        ((), "Ready", ("True", "KubeletReady")),
    ],
)
def test_conditions(pressures, kind, expected):
    assert condition(status(pressures=pressures), kind) == expected


def test_conditions_of_others_stay():
    other = {"type": "NetworkUnavailable", "status": "False"}

    assert other in status(previous={"conditions": [other]})["conditions"]


def test_a_heartbeat_alone_is_no_reason_to_write():
    old = status()
    later = status(now_s=NOW_S + 60, previous=old)

    assert not status_is_due(later, old, 60, 300)
    assert status_is_due(later, old, 300, 300)
    assert status_is_due(status(faults=("x",), previous=old), old, 60, 300)


def test_changed_conditions_become_events():
    first = status()
    changed = status(faults=("x",), previous=first)

    assert node_events(first, {}) == (
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeReady",
    )
    assert node_events(changed, first) == ("NodeNotReady",)
    assert node_events(changed, changed) == ()


def test_only_the_biggest_images_are_listed():
    images = tuple(ImageRecord(f"sha256:{n}", (f"i:{n}",), (), n) for n in range(60))
    listed = status(images=images)["images"]

    assert len(listed) == 50
    assert listed[0] == {"names": ["i:59"], "sizeBytes": 59}


def test_the_lease_belongs_to_the_node():
    lease = node_lease(CONFIG, NOW_S, "u")

    assert lease["spec"] == {
        "holderIdentity": "node1",
        "leaseDurationSeconds": 40,
        "renewTime": "2026-01-01T00:00:00.000000Z",
    }
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "u"
