from ipaddress import IPv4Address, IPv4Network
from random import Random

import pytest

from minikube_py.apiserver.allocators import NOTHING, Held
from minikube_py.apiserver.service_ranges import Ranges, free_ip, free_port, ready_networks

SMALL, LARGE = IPv4Network("10.96.0.0/29"), IPv4Network("10.97.0.0/24")


def ranges(*networks, ports=(30000, 32767)):
    return Ranges(networks, *ports)


def cidr(*cidrs, ready=None, going=False):
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    meta = {"name": "x", **({"deletionTimestamp": "t"} if going else {})}
    return {"metadata": meta, "spec": {"cidrs": list(cidrs)}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("cidrs", "networks"),
    [
        ([], (SMALL,)),
        ([cidr("10.96.0.0/29"), cidr("10.97.0.0/24", "fd00::/112", ready="True")], (SMALL, LARGE)),
        ([cidr("10.97.0.0/24", ready="False")], (SMALL,)),
        ([cidr("10.97.0.0/24", ready="True", going=True)], (SMALL,)),
        ([cidr("10.96.0.0/29", going=True)], ()),
        ([cidr("10.97.0.0/24", going=True), cidr("10.97.0.0/24")], (SMALL, LARGE)),
    ],
    ids=str,
)
def test_addresses_are_given_from_what_is_ready(cidrs, networks):
    assert ready_networks(cidrs, SMALL) == networks


def test_every_range_is_used_and_the_larger_one_more_often():
    rng = Random(0)
    given = [IPv4Address(free_ip(NOTHING, ranges(SMALL, LARGE), rng)) for _ in range(500)]
    from_small = sum(address in SMALL for address in given)
    assert 0 < from_small < 50
    assert all(address in SMALL or address in LARGE for address in given)


def test_a_full_range_leaves_it_to_the_others_and_at_the_end_there_is_none():
    small = frozenset(str(address) for address in SMALL.hosts())
    large = frozenset(str(address) for address in LARGE.hosts())
    for seed in range(20):
        assert IPv4Address(free_ip(Held(large), ranges(SMALL, LARGE), Random(seed))) in SMALL
        assert IPv4Address(free_ip(Held(small), ranges(SMALL, LARGE), Random(seed))) in LARGE
    assert free_ip(Held(small | large), ranges(SMALL, LARGE), Random(0)) == ""
    assert free_ip(NOTHING, ranges(), Random(0)) == ""


def test_the_lower_part_of_a_range_is_given_last():
    hosts = [str(address) for address in LARGE.hosts()]
    rng = Random(0)
    assert all(IPv4Address(free_ip(NOTHING, ranges(LARGE), rng)) > IPv4Address("10.97.0.16") for _ in range(200))
    assert free_ip(Held(frozenset(hosts[16:])), ranges(LARGE), rng) in hosts[:16]
    assert all(free_port(NOTHING, set(), ranges(LARGE), rng) >= 30086 for _ in range(200))
    taken = Held(node_ports=frozenset(range(30086, 32768)))
    assert 30000 <= free_port(taken, {30000}, ranges(LARGE), rng) < 30086


def test_network_and_broadcast_addresses_are_not_usable():
    both = ranges(SMALL, LARGE)
    usable = ("10.96.0.1", "10.96.0.6", "10.97.0.254")
    assert [both.usable(IPv4Address(ip)) for ip in usable] == [True] * 3
    assert not any(both.usable(IPv4Address(ip)) for ip in ("10.96.0.0", "10.96.0.7", "10.97.0.255", "10.98.0.1"))
