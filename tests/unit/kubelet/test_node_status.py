from dataclasses import replace

import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ImageRecord
from minikube_py.kubelet.node_status import (
    NodeHealth,
    NodeView,
    allocatable,
    missing_labels,
    new_node,
    node_events,
    node_lease,
    node_status,
    status_is_due,
)
from minikube_py.testing.fake_node import FakeHost

CONFIG = KubeletConfig(node_name="node1", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/logs")
HOST = FakeHost().facts
NOW_S = 1767225600.0


def status(host=HOST, faults=(), now_s=NOW_S, previous=None, images=()):
    return node_status(CONFIG, NodeView(host, None, images, NodeHealth(faults), now_s), previous or {})


def condition(made, kind):
    found = next(c for c in made["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


def test_allocatable_is_what_eviction_leaves():
    found = allocatable(CONFIG, HOST)

    assert found["memory"] == f"{(8 << 20) - (100 << 10)}Ki"
    assert found["ephemeral-storage"] == str(90 << 30)
    assert (found["cpu"], found["pods"]) == ("2", "110")


def test_a_node_with_faults_is_not_ready_and_says_why():
    made = status(faults=("container runtime is down",))
    ready = next(c for c in made["conditions"] if c["type"] == "Ready")

    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False",
        "KubeletNotReady",
        "container runtime is down",
    )


@pytest.mark.parametrize(
    ("host", "kind", "expected"),
    [
        (HOST, "MemoryPressure", ("False", "KubeletHasSufficientMemory")),
        (
            replace(HOST, memory_available_bytes=50 << 20),
            "MemoryPressure",
            ("True", "KubeletHasInsufficientMemory"),
        ),
        (HOST, "DiskPressure", ("False", "KubeletHasNoDiskPressure")),
        (replace(HOST, disk_available_bytes=5 << 30), "DiskPressure", ("True", "KubeletHasDiskPressure")),
        (HOST, "PIDPressure", ("False", "KubeletHasSufficientPID")),
        (replace(HOST, pids_used=32700), "PIDPressure", ("True", "KubeletHasInsufficientPID")),
        (HOST, "Ready", ("True", "KubeletReady")),
    ],
)
def test_conditions(host, kind, expected):
    assert condition(status(host), kind) == expected


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


def test_a_node_without_our_labels_gets_them():
    node = new_node(CONFIG, HOST)

    assert missing_labels(CONFIG, HOST, node) == {}
    node["metadata"]["labels"]["kubernetes.io/os"] = "beos"
    assert missing_labels(CONFIG, HOST, node) == {"kubernetes.io/os": "linux"}


def test_the_lease_belongs_to_the_node():
    lease = node_lease(CONFIG, NOW_S, "u")

    assert lease["spec"] == {
        "holderIdentity": "node1",
        "leaseDurationSeconds": 40,
        "renewTime": "2026-01-01T00:00:00.000000Z",
    }
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "u"
