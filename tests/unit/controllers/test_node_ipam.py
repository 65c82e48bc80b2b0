"""Ranges of pod addresses."""

from ipaddress import ip_network

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES
from minikube_py.controllers.node_ipam import NodeIpamView, find_free, pod_cidr_of, read_network, reconcile
from minikube_py.controllers.plan import Patch, Plan, Record
from minikube_py.testing.workload_objects import NOW_S, a_node

CLUSTER = ip_network("10.244.0.0/16")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param([], "10.244.0.0/24", id="first"),
        pytest.param(["10.244.0.0/24", "10.244.2.0/24"], "10.244.1.0/24", id="lowest free"),
        pytest.param(["10.244.0.0/23"], "10.244.2.0/24", id="a larger range is in the way"),
        pytest.param(["10.244.0.64/26"], "10.244.1.0/24", id="a smaller range is in the way"),
        pytest.param(["192.168.0.0/24", "fd00::/64"], "10.244.0.0/24", id="ranges from elsewhere"),
    ],
)
def test_the_lowest_range_that_overlaps_nothing_is_given(taken, expected) -> None:
    assert str(find_free(CLUSTER, 24, [ip_network(text) for text in taken])) == expected


def test_a_node_gets_its_range_once() -> None:
    node = a_node()
    plan = reconcile(NodeIpamView(node, (), CLUSTER, 24), NOW_S)

    patch = {"spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]}}
    assert plan == Plan((Patch(NODES, ObjectKey("", "n1"), patch, uid="uid-n1"),))
    assert pod_cidr_of(a_node(podCIDR="10.244.7.0/24")) == "10.244.7.0/24"


def test_when_all_are_used_up_the_node_is_told() -> None:
    small = ip_network("10.0.0.0/24")
    (record,) = reconcile(NodeIpamView(a_node(), (small,), small, 24), NOW_S).actions

    assert isinstance(record, Record)
    assert record.reason == "CIDRNotAvailable"


def test_a_range_that_cannot_be_read_takes_nothing() -> None:
    assert read_network("10.0.0.0/8") == ip_network("10.0.0.0/8")
    assert read_network("10.0.0.1/8") is None
    assert read_network("") is None
