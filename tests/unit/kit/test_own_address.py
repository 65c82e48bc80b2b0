"""Which address a host takes for its own: that of the way to the others, but for VirtualBox's."""

import pytest

from minikube_py.kit.own_address import LinkAddress, choose_own_address

LOOPBACK = LinkAddress("lo", "127.0.0.1")
NAT = LinkAddress("eth0", "10.0.2.15")
DOCKER = LinkAddress("docker0", "172.17.0.1")
PODS = LinkAddress("mkpy0", "10.244.0.1")
PRIVATE = LinkAddress("eth1", "192.168.56.11")
PUBLIC = LinkAddress("eth2", "8.8.4.4")


def test_the_address_of_the_way_to_the_others_is_taken_whatever_else_there_is():
    chosen = choose_own_address(
        "192.0.2.7", "the default route", [LOOPBACK, PRIVATE, LinkAddress("eth0", "192.0.2.7")]
    )

    assert chosen.address == "192.0.2.7"
    assert "the default route" in chosen.reason


def test_on_a_virtualbox_machine_the_card_to_the_other_machines_is_taken_and_the_log_says_why():
    chosen = choose_own_address("10.0.2.15", "the default route", [LOOPBACK, NAT, DOCKER, PODS, PRIVATE])

    assert chosen.address == "192.168.56.11"
    assert "eth1" in chosen.reason
    assert "10.0.2.15, as on every VirtualBox machine" in chosen.reason


@pytest.mark.parametrize("addresses", [[NAT, PUBLIC, PRIVATE], [NAT, PRIVATE, PUBLIC]], ids=["public first", "last"])
def test_a_private_address_goes_before_one_to_the_world(addresses):
    assert choose_own_address("10.0.2.15", "the default route", addresses).address == "192.168.56.11"


def test_links_of_containers_and_tunnels_are_no_cards():
    virtual = [LinkAddress(name, "192.168.9.1") for name in ("br-0a1b", "virbr0", "flannel.1", "wg0", "mkpy-vxlan")]
    chosen = choose_own_address("10.0.2.15", "the default route", [NAT, *virtual, LinkAddress("eth0", "169.254.1.1")])

    assert chosen.address == "10.0.2.15"
    assert "--node-ip" in chosen.reason


def test_a_host_without_a_way_has_no_address():
    assert choose_own_address("", "the default route", [LOOPBACK]).address == ""
