"""The ways to other nodes on the real kernel: a host in a network namespace, Nodes from a fake API server."""

import asyncio
import json
import logging
import time
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.checksum_offload import has_checksum_offload, switch_off_checksum_offload
from minikube_py.network.io.peer_loop import PeerLoop
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.netns import Sandbox, run_checked, run_on_fresh_host

pytestmark = pytest.mark.node
CONFIG = NetworkConfig(pod_cidr="10.244.1.0/24", node_name="a", node_ip="192.0.2.1")
NEAR, FAR = "192.0.2.2", "198.51.100.3"
HOST = (
    "ip link add eth0 type veth peer name cable",
    "ip link set cable up",
    "ip addr add 192.0.2.1/24 dev eth0",
    "ip link set eth0 up",
    "ip route add default via 192.0.2.254",
)


class Host:
    """A running pod network, and the Nodes that it follows."""

    def __init__(self, config):
        self.client = FakeClient(SystemClock())
        self.network = BridgePodNetwork(config, SystemClock())
        self.peers = PeerLoop(config, FakeInformers(self.client), SystemClock(), self.network)

    async def add_node(self, name, number, address):
        addresses = [{"type": "InternalIP", "address": address}]
        cidr = f"10.244.{number}.0/24"
        node = {"metadata": {"name": name}, "spec": {"podCIDR": cidr}, "status": {"addresses": addresses}}
        await self.client.create(NODES, node)
        await self.client.patch(NODES, ObjectKey("", name), {"status": node["status"]}, subresource="status")

    async def move_node(self, name, address):
        status = {"addresses": [{"type": "InternalIP", "address": address}]}
        await self.client.patch(NODES, ObjectKey("", name), {"status": status}, subresource="status")


def on_a_host(scenario, config=CONFIG, commands=()):
    """Run a scenario with a host whose loop runs."""

    @asynccontextmanager
    async def running():
        host = Host(config)
        await host.network.ensure_bridge()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(host.peers.run())
            try:
                yield host
            finally:
                task.cancel()
        await host.network.close()

    async def body():
        async with running() as host:
            await scenario(host)

    run_on_fresh_host(body, (*HOST, *commands))


def routes():
    """Return our routes, by destination: gateway, device and flags."""
    listed = json.loads(run_checked("ip", "-j", "route", "show", "proto", "107"))
    return {r["dst"]: (r["gateway"], r["dev"], *r["flags"]) for r in listed if "gateway" in r}


def tunnel_entries():
    """Return neighbours and far ends of the tunnel, and its MTU; None when there is no tunnel."""
    link = json.loads(run_checked("ip", "-j", "link"))
    mtu = next((entry["mtu"] for entry in link if entry["ifname"] == "mkpy-vxlan"), None)
    if mtu is None:
        return None
    neighbours = run_checked("ip", "neigh", "show", "dev", "mkpy-vxlan", "nud", "permanent").split()[:3:2]
    return mtu, *neighbours, run_checked("bridge", "fdb", "show", "dev", "mkpy-vxlan").strip()


async def until(look, expected, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while (seen := look()) != expected and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert seen == expected


NEAR_ROUTE = {"10.244.2.0/24": (NEAR, "eth0")}
FAR_ROUTE = {"10.244.3.0/24": ("10.244.3.0", "mkpy-vxlan", "onlink")}
FAR_END = (1450, "10.244.3.0", "0a:58:0a:f4:03:00", f"0a:58:0a:f4:03:00 dst {FAR} self permanent")


def test_ways_follow_nodes_that_come_move_and_go():
    async def scenario(host):
        await host.add_node("b", 2, NEAR)
        await until(routes, NEAR_ROUTE)
        assert tunnel_entries() is None

        await host.add_node("c", 3, FAR)
        await until(routes, NEAR_ROUTE | FAR_ROUTE)
        assert tunnel_entries() == FAR_END

        await host.move_node("c", "198.51.100.7")
        await until(tunnel_entries, (*FAR_END[:3], "0a:58:0a:f4:03:00 dst 198.51.100.7 self permanent"))
        await host.move_node("b", "192.0.2.9")
        await until(routes, {"10.244.2.0/24": ("192.0.2.9", "eth0")} | FAR_ROUTE)

        await host.client.delete(NODES, ObjectKey("", "c"))
        await until(routes, {"10.244.2.0/24": ("192.0.2.9", "eth0")})
        await until(tunnel_entries, None)

    on_a_host(scenario)


def test_what_somebody_else_takes_away_is_put_back_soon():
    async def scenario(host):
        await host.add_node("b", 2, NEAR)
        await host.add_node("c", 3, FAR)
        everything = NEAR_ROUTE | FAR_ROUTE
        for foreign in (
            "ip route del 10.244.2.0/24",
            "ip route flush proto 107",
            "ip link del mkpy-vxlan",
            "ip link set mkpy-vxlan down",
            "ip link set mkpy-vxlan address de:ad:be:ef:00:01",
        ):
            await until(routes, everything)
            await until(tunnel_entries, FAR_END)
            await asyncio.sleep(0.3)
            run_checked(*foreign.split())
        await until(lambda: "0a:58:0a:f4:01:00" in run_checked("ip", "link", "show", "mkpy-vxlan"), True)

    on_a_host(scenario)


def test_far_ends_that_somebody_takes_away_are_put_back_at_the_next_look():
    config = NetworkConfig(pod_cidr="10.244.1.0/24", node_name="a", node_ip="192.0.2.1", repair_interval_s=0.3)

    async def scenario(host):
        await host.add_node("c", 3, FAR)
        await until(tunnel_entries, FAR_END)
        run_checked("bridge", "fdb", "del", "0a:58:0a:f4:03:00", "dev", "mkpy-vxlan")
        run_checked("ip", "neigh", "del", "10.244.3.0", "dev", "mkpy-vxlan")
        await until(tunnel_entries, FAR_END)

    on_a_host(scenario, config)


def test_pods_that_run_get_the_new_mtu_when_the_tunnel_is_needed():
    sandbox, later = Sandbox(), Sandbox()

    async def scenario(host):
        def mtus():
            links = json.loads(run_checked("ip", "-j", "link"))
            outside = {entry["mtu"] for entry in links if entry["ifname"].startswith(("veth", "mkpy0"))}
            return outside, json.loads(sandbox.run("ip", "-j", "link", "show", "eth0"))[0]["mtu"]

        await host.network.attach("uid-a", sandbox.pid)
        await until(mtus, ({1500}, 1500))
        await host.add_node("c", 3, FAR)
        await until(mtus, ({1450}, 1450))
        await host.network.attach("uid-b", later.pid)
        assert "mtu 1450" in later.run("ip", "link", "show", "eth0")
        await host.client.delete(NODES, ObjectKey("", "c"))
        await until(mtus, ({1500}, 1500))

    try:
        on_a_host(scenario)
    finally:
        sandbox.stop()
        later.stop()


def test_an_mtu_that_was_lowered_while_no_agent_ran_reaches_the_pods_when_they_are_adopted():
    sandbox = Sandbox()

    async def scenario():
        before = BridgePodNetwork(CONFIG, SystemClock())
        await before.ensure_bridge()
        await before.attach("uid-a", sandbox.pid)
        await before.close()
        after = BridgePodNetwork(CONFIG, SystemClock())
        await after.ensure_bridge()
        await after.use_mtu(1400)
        await after.adopt({"uid-a": sandbox.pid})
        assert "mtu 1400" in sandbox.run("ip", "link", "show", "eth0")
        await after.close()

    try:
        run_on_fresh_host(scenario, HOST)
    finally:
        sandbox.stop()


def test_a_tunnel_that_cannot_be_made_is_told_and_the_routes_stand(caplog):
    caplog.set_level(logging.WARNING)

    async def scenario(host):
        await host.add_node("c", 3, FAR)
        await host.add_node("b", 2, NEAR)
        await until(routes, NEAR_ROUTE)
        await until(lambda: "has the tunnel's number 107 on the UDP port 8472" in caplog.text, True)
        run_checked("ip", "link", "del", "stranger")
        await until(routes, NEAR_ROUTE | FAR_ROUTE)

    on_a_host(scenario, commands=("ip link add stranger type vxlan id 107 dstport 8472",))


def test_down_takes_every_way_away():
    def seen():
        return run_checked("ip", "-o", "link"), run_checked("ip", "route")

    async def scenario():
        before = seen()
        host = Host(CONFIG)
        await host.network.ensure_bridge()
        await host.add_node("b", 2, NEAR)
        await host.add_node("c", 3, FAR)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(host.peers.run())
            await until(routes, NEAR_ROUTE | FAR_ROUTE)
            task.cancel()
        await host.network.tear_down()
        await host.network.close()
        assert seen() == before

    run_on_fresh_host(scenario, HOST)


def test_checksum_offload_of_a_device_can_be_switched_off():
    async def scenario():
        run_checked("ip", "link", "add", "v0", "type", "vxlan", "id", "7", "dstport", "8472")
        assert has_checksum_offload("v0")
        switch_off_checksum_offload("v0")
        assert not has_checksum_offload("v0")

    run_on_fresh_host(scenario, HOST)
