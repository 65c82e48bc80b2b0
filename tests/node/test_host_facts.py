"""A host's own address on the real kernel: with several cards, with VirtualBox's trap, with a master to reach."""

import pytest

from minikube_py.kit.io.host_facts import find_own_address, list_addresses
from minikube_py.kit.own_address import LinkAddress
from minikube_py.testing.netns import run_on_fresh_host

pytestmark = pytest.mark.node
TWO_CARDS = (
    "ip link add eth0 type veth peer name c0",
    "ip link add eth1 type veth peer name c1",
    "ip addr add 10.0.2.15/24 dev eth0",
    "ip addr add 192.168.56.11/24 dev eth1",
    "ip link set eth0 up",
    "ip link set eth1 up",
    "ip link set c0 up",
    "ip link set c1 up",
    "ip route add default via 10.0.2.2",
)


def on_a_host(scenario, *commands):
    async def body():
        scenario()

    run_on_fresh_host(body, commands)


def test_a_vagrant_machine_takes_its_private_address():
    def scenario():
        cards = (LinkAddress("eth0", "10.0.2.15"), LinkAddress("eth1", "192.168.56.11"))
        assert list_addresses() == (LinkAddress("lo", "127.0.0.1"), *cards)
        assert find_own_address().address == "192.168.56.11"

    on_a_host(scenario, *TWO_CARDS)


def test_an_agent_takes_the_address_of_the_way_to_its_master():
    third_card = (
        "ip link add eth2 type veth peer name c2",
        "ip addr add 172.20.0.9/24 dev eth2",
        "ip link set eth2 up",
        "ip link set c2 up",
    )

    def scenario():
        own = find_own_address("https://172.20.0.1:6443")
        assert own.address == "172.20.0.9"
        assert "the way to 172.20.0.1" in own.reason
        # The master is on the far side of the NAT: its way has the address that every machine has.
        assert find_own_address("https://8.8.8.8:6443").address == "192.168.56.11"
        # A name for this host itself says nothing.
        assert find_own_address("https://localhost:6443").address == "192.168.56.11"

    on_a_host(scenario, *TWO_CARDS, *third_card)


def test_a_host_without_a_default_route_has_no_address_by_itself():
    on_a_host(lambda: None if find_own_address().address == "" else pytest.fail("an address out of nowhere"))
