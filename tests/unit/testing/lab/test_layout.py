"""A lab's names and addresses: on one link, or each host on its own."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from minikube_py.testing.lab.layout import HOSTS_MAX, lay_out

FOLDER = Path("/run/some-lab")


def test_hosts_share_a_link_and_its_gateway_is_this_machine():
    lab = lay_out(FOLDER, 2, 7)

    assert [host.address for host in lab.hosts] == ["172.31.7.11", "172.31.7.12"]
    assert lab.gateway == "172.31.7.1"
    assert {host.gateway for host in lab.hosts} == {lab.gateway}


def test_with_a_router_no_two_hosts_share_a_link_nor_one_with_this_machine():
    lab = lay_out(FOLDER, HOSTS_MAX, 7, routed=True)
    links = [IPv4Network(f"{host.address}/{host.prefix_length}", strict=False) for host in lab.hosts]
    links.append(IPv4Network(f"{lab.gateway}/28", strict=False))

    assert not any(one.overlaps(other) for one in links for other in links if one is not other)
    assert all(link.subnet_of(IPv4Network(lab.subnet)) for link in links)
    assert all(IPv4Address(host.gateway) in link for host, link in zip(lab.hosts, links, strict=False))


def test_neighbours_share_a_link_behind_the_router():
    lab = lay_out(FOLDER, 4, 7, routed=True, neighbours=2)
    links = [IPv4Network(f"{host.address}/{host.prefix_length}", strict=False) for host in lab.hosts]

    assert links[0] == links[1]
    assert len({*links[1:], IPv4Network(f"{lab.gateway}/28", strict=False)}) == 4
    assert len({host.address for host in lab.hosts} | {host.gateway for host in lab.hosts}) == 4 + 3
    assert lab.shared_link == lab.hosts[:2]
    assert lay_out(FOLDER, 4, 7).shared_link == lay_out(FOLDER, 4, 7).hosts


def test_two_labs_share_no_name():
    one, other = (lay_out(folder, 2, 7) for folder in (FOLDER, Path("/run/other-lab")))

    def names(lab):
        return {lab.netns, lab.uplink, *(host.netns for host in lab.hosts)}

    assert not names(one) & names(other)


def test_a_host_keeps_its_mac_and_no_other_has_it():
    macs = [host.mac for host in lay_out(FOLDER, 3, 7).hosts]

    assert macs == [host.mac for host in lay_out(FOLDER, 3, 7).hosts]
    assert len(set(macs)) == 3


def test_a_host_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(LookupError, match="'lab9'; it has lab1, lab2"):
        lay_out(FOLDER, 2, 7).host("lab9")
