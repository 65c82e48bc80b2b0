"""Which Nodes are peers, and which are left out with a reason."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.network.config import NetworkConfig
from minikube_py.network.peers import Peer, list_peers, read_peer

CONFIG = NetworkConfig(pod_cidr="10.244.1.0/24", node_name="a", node_ip="192.0.2.1")


def a_node(name="b", pod_cidr="10.244.2.0/24", address="192.0.2.2"):
    addresses = [{"type": "Hostname", "address": name}]
    if address:
        addresses.append({"type": "InternalIP", "address": address})
    return {"metadata": {"name": name}, "spec": {"podCIDR": pod_cidr}, "status": {"addresses": addresses}}


def reasons(*nodes):
    listed = list_peers(nodes, CONFIG)
    assert listed.peers == ()
    return [note.message for note in listed.notes]


def test_every_other_node_with_a_range_and_an_address_is_a_peer_and_this_one_is_not():
    listed = list_peers([a_node("c", "10.244.3.0/24", "192.0.2.3"), a_node("a", "10.244.1.0/24"), a_node()], CONFIG)

    assert listed.peers == (Peer("b", "192.0.2.2", "10.244.2.0/24"), Peer("c", "192.0.2.3", "10.244.3.0/24"))
    assert listed.notes == ()


@pytest.mark.parametrize(
    "node",
    [a_node(pod_cidr=""), a_node(address=""), a_node(address="fd00::2"), {"metadata": {"name": "b"}}],
    ids=["no range", "no address", "no IPv4 address", "empty"],
)
def test_a_node_that_is_not_ready_to_be_reached_is_no_peer_and_no_fault(node):
    assert read_peer(node) is None
    assert reasons(node) == []


def test_the_first_ipv4_address_counts_in_a_dual_stack_node():
    node = a_node()
    node["status"]["addresses"].insert(0, {"type": "InternalIP", "address": "fd00::2"})

    assert read_peer(node) == Peer("b", "192.0.2.2", "10.244.2.0/24")


def test_a_range_that_would_take_others_packets_is_refused():
    assert "not inside the cluster's" in reasons(a_node(pod_cidr="0.0.0.0/0"))[0]
    assert "overlaps that of node a" in reasons(a_node(pod_cidr="10.244.1.128/25"))[0]
    assert "podCIDR" in reasons(a_node(pod_cidr="10.244.2.1/24"))[0]


def test_of_two_nodes_with_one_range_the_first_by_name_has_it():
    listed = list_peers([a_node("c"), a_node("b")], CONFIG)

    assert [peer.name for peer in listed.peers] == ["b"]
    assert "overlaps that of node b" in listed.notes[0].message


def test_a_node_with_this_nodes_address_is_told_to_take_its_own():
    assert "give each node its own with --node-ip" in reasons(a_node(address="192.0.2.1"))[0]


RANGES = st.builds(
    lambda third, length: str(IPv4Network(f"10.244.{third}.0/{length}", strict=False)),
    st.integers(0, 31),
    st.integers(18, 24),
)


@given(st.lists(RANGES, max_size=12))
def test_exactly_the_nodes_whose_range_overlaps_an_earlier_one_are_left_out(ranges):
    nodes = [a_node(f"n{at:02}", pod_cidr, f"198.51.100.{at}") for at, pod_cidr in enumerate(ranges)]
    kept = [IPv4Network(CONFIG.pod_cidr)]
    for pod_cidr in ranges:
        if not any(IPv4Network(pod_cidr).overlaps(other) for other in kept):
            kept.append(IPv4Network(pod_cidr))

    assert [peer.pod_cidr for peer in list_peers(nodes, CONFIG).peers] == [str(network) for network in kept[1:]]
