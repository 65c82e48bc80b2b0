import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.registration import (
    faults_of,
    missing_metadata,
    new_node,
    node_labels,
    parse_node_label,
    parse_node_taint,
)
from minikube_py.testing.fake_node import FakeHost

HOST = FakeHost().facts
CONFIG = KubeletConfig(
    "node1",
    "192.0.2.1",
    "/root",
    "/var/log/pods",
    node_labels=(("zone", "a"),),
    register_with_taints=(parse_node_taint("gpu=yes:NoSchedule"),),
)


def test_a_node_has_its_labels_and_taints_from_the_first_moment():
    node = new_node(CONFIG, HOST)

    assert node["spec"]["taints"] == [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    assert node["metadata"]["labels"] == node_labels(CONFIG, HOST)
    assert node["metadata"]["labels"]["zone"] == "a"
    assert node["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"
    assert node["metadata"]["annotations"] == {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}


def test_what_a_node_lacks_is_given_back_but_no_taint():
    node = new_node(CONFIG, HOST)
    assert missing_metadata(CONFIG, HOST, node) == {}
    node["spec"] = {}
    node["metadata"]["labels"]["kubernetes.io/os"] = "beos"
    node["metadata"]["annotations"] = {}

    assert missing_metadata(CONFIG, HOST, node) == {
        "labels": {"kubernetes.io/os": "linux"},
        "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
    }


@pytest.mark.parametrize(
    ("text", "taint"),
    [
        ("a=b:NoExecute", {"key": "a", "value": "b", "effect": "NoExecute"}),
        ("example.com/a:PreferNoSchedule", {"key": "example.com/a", "effect": "PreferNoSchedule"}),
    ],
)
def test_taints_are_read_as_kubectl_writes_them(text, taint):
    assert dict(parse_node_taint(text)) == taint


def test_labels_and_taints_that_are_none_are_named_with_their_flag():
    assert parse_node_label("a=b") == ("a", "b")
    found = faults_of(["ok=1", "sp ace=1", "a=b/c"], ["a=b", "a=b:Never", "k:NoSchedule"])

    assert [fault.split(": ")[0] for fault in found] == ["--node-label"] * 2 + ["--node-taint"] * 2
    assert "'a=b:Never' is no taint" in found[3]
