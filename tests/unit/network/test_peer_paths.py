"""Routes where nodes share a link, a tunnel elsewhere, the least MTU; and the order in which the kernel learns it."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.network.config import NetworkConfig
from minikube_py.network.peer_paths import (
    FarEnd,
    Neighbour,
    NextHop,
    PathEntries,
    Put,
    Remove,
    Route,
    Underlay,
    compute_paths,
    describe_paths,
    diff_entries,
    wanted_entries,
)
from minikube_py.network.peers import Peer

NIC, SECOND_NIC, TUNNEL = 3, 4, 9
UNDERLAY = Underlay(NIC, 1500, IPv4Network("192.0.2.0/24"))
NEAR = Peer("b", "192.0.2.2", "10.244.2.0/24")
FAR = Peer("c", "198.51.100.3", "10.244.3.0/24")
HOPS = {NEAR.address: NextHop(NIC, 1500), FAR.address: NextHop(NIC, 1500, "192.0.2.254")}


def a_config(mode="auto"):
    return NetworkConfig(pod_cidr="10.244.1.0/24", node_name="a", node_ip="192.0.2.1", pod_network=mode)


def paths(*peers, mode="auto", hops=HOPS, underlay=UNDERLAY):
    return compute_paths(peers, hops, underlay, a_config(mode))


def ways(found):
    return [peer.name for peer, _ in found.direct], [peer.name for peer in found.tunnelled]


@pytest.mark.parametrize(
    ("mode", "direct", "tunnelled"),
    [("auto", ["b"], ["c"]), ("direct", ["b"], []), ("vxlan", [], ["b", "c"])],
)
def test_the_mode_decides_who_is_reached_how(mode, direct, tunnelled):
    assert ways(paths(NEAR, FAR, mode=mode)) == (direct, tunnelled)


def test_direct_says_whom_it_does_not_reach():
    (note,) = paths(FAR, mode="direct").notes

    assert "node c" in note.message
    assert "behind a router" in note.message


def test_a_second_network_card_makes_no_way_that_the_other_end_would_not_take():
    hops = {FAR.address: NextHop(SECOND_NIC, 1500)}

    assert ways(paths(FAR, hops=hops)) == ([], ["c"])
    assert ways(paths(FAR, hops=hops, mode="direct")) == (["c"], [])


def test_a_link_that_is_down_makes_no_tunnel_and_ends_none():
    found = paths(NEAR, FAR, hops={})

    assert ways(found) == ([], ["c"])
    assert "no route to its address" in found.notes[0].message
    assert paths(NEAR, hops={}).mtu == 1500


def test_without_a_far_node_there_is_no_tunnel_and_the_links_own_mtu():
    found = paths(NEAR)

    assert (found.tunnel, found.mtu) == (None, 1500)


def test_the_least_mtu_of_all_ways_counts():
    jumbo = {NEAR.address: NextHop(NIC, 9000), FAR.address: NextHop(SECOND_NIC, 1400, "192.0.2.254")}
    underlay = Underlay(NIC, 9000, UNDERLAY.network)

    assert paths(NEAR, hops=jumbo, underlay=underlay).mtu == 9000
    mixed = paths(NEAR, FAR, hops=jumbo, underlay=underlay)
    assert (mixed.tunnel.mtu, mixed.mtu) == (1350, 1350)


def test_with_vxlan_the_first_pods_get_the_tunnels_mtu_before_another_node_comes():
    assert paths(mode="vxlan").mtu == 1450


def test_entries_lead_to_the_node_by_its_address_or_by_the_far_end():
    wanted = wanted_entries(paths(NEAR, FAR), TUNNEL)

    assert wanted == PathEntries(
        frozenset(
            {
                Route("10.244.2.0/24", "192.0.2.2", NIC),
                Route("10.244.3.0/24", "10.244.3.0", TUNNEL, onlink=True),
            }
        ),
        frozenset({Neighbour("10.244.3.0", "0a:58:0a:f4:03:00")}),
        frozenset({FarEnd("0a:58:0a:f4:03:00", "198.51.100.3")}),
    )


def test_a_tunnel_that_the_kernel_refuses_leaves_the_routes():
    assert wanted_entries(paths(NEAR, FAR), None) == wanted_entries(paths(NEAR), None)


def test_a_far_end_is_known_before_a_route_leads_to_it():
    changes = diff_entries(PathEntries(), wanted_entries(paths(FAR), TUNNEL))

    assert [type(change.entry) for change in changes] == [Neighbour, FarEnd, Route]


def test_a_node_that_is_gone_loses_its_route_first():
    changes = diff_entries(wanted_entries(paths(FAR), TUNNEL), PathEntries())

    assert [type(change.entry) for change in changes] == [Route, FarEnd, Neighbour]
    assert all(isinstance(change, Remove) for change in changes)


def test_a_node_with_a_new_address_moves_its_far_end_and_keeps_its_route():
    moved = Peer(FAR.name, "198.51.100.7", FAR.pod_cidr)
    hops = {moved.address: NextHop(NIC, 1500, "192.0.2.254")}

    changes = diff_entries(wanted_entries(paths(FAR), TUNNEL), wanted_entries(paths(moved, hops=hops), TUNNEL))

    assert changes == (
        Remove(FarEnd("0a:58:0a:f4:03:00", "198.51.100.3")),
        Put(FarEnd("0a:58:0a:f4:03:00", "198.51.100.7")),
    )


def test_a_route_that_turns_takes_the_old_ones_place_without_a_gap():
    before = PathEntries(frozenset({Route("10.244.2.0/24", "192.0.2.9", NIC)}))

    assert diff_entries(before, wanted_entries(paths(NEAR), None)) == (Put(Route("10.244.2.0/24", "192.0.2.2", NIC)),)


ROUTES = st.frozensets(
    st.builds(
        Route,
        st.integers(0, 3).map(lambda n: f"10.244.{n}.0/24"),
        st.sampled_from(["192.0.2.2", "192.0.2.3"]),
        st.sampled_from([NIC, TUNNEL]),
        st.booleans(),
    ),
    max_size=4,
)
FAR_ENDS = st.frozensets(
    st.builds(FarEnd, st.sampled_from(["m1", "m2"]), st.sampled_from(["192.0.2.2", "192.0.2.3"])), max_size=3
)


def in_kernel(entries, changes):
    """Return what stands afterwards: a put route takes the place of one to the same destination."""
    found = {*entries.routes, *entries.far_ends}
    for change in changes:
        if isinstance(change, Remove):
            found.remove(change.entry)
            continue
        if isinstance(change.entry, Route):
            found = {e for e in found if not (isinstance(e, Route) and e.destination == change.entry.destination)}
        found.add(change.entry)
    return found


@given(ROUTES, FAR_ENDS, ROUTES, FAR_ENDS)
def test_whatever_stood_before_only_what_is_wanted_stands_afterwards(before, ends_before, wanted, ends):
    by_destination = {route.destination: route for route in sorted(wanted)}
    found = PathEntries(frozenset({r.destination: r for r in sorted(before)}.values()), far_ends=ends_before)
    goal = PathEntries(frozenset(by_destination.values()), far_ends=ends)

    assert in_kernel(found, diff_entries(found, goal)) == {*goal.routes, *goal.far_ends}


def test_the_log_says_how_each_node_is_reached():
    assert describe_paths(paths(NEAR, FAR)) == {
        "b": "10.244.2.0/24 by a route via 192.0.2.2",
        "c": "10.244.3.0/24 through a tunnel to 198.51.100.3",
    }
