"""The pod network on the real kernel, each test in a network namespace of its own."""

import sys
from collections.abc import Callable, Iterator
from threading import get_native_id

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.netlink import LinkError
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.testing.netns import Sandbox, run_checked, run_on_fresh_host

pytestmark = pytest.mark.node
CONFIG = NetworkConfig(pod_cidr="10.244.7.0/24", mtu=1400)
REACHES = (
    sys.executable,
    "-c",
    "import socket, sys; s = socket.socket(); s.settimeout(2); sys.exit(s.connect_ex((sys.argv[1], 9)) != 111)",
)
"""A refused connection proves that packets go there and back."""


@pytest.fixture
def sandboxes() -> Iterator[Callable[[], Sandbox]]:
    made: list[Sandbox] = []

    def make() -> Sandbox:
        made.append(Sandbox())
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.stop()


def test_pods_reach_each_other_and_the_host(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a, b = sandboxes(), sandboxes()

        first = await network.attach("uid-a", a.pid)
        second = await network.attach("uid-b", b.pid)

        assert (first, second) == ("10.244.7.2", "10.244.7.3")
        run_checked(*REACHES, first)
        a.run(*REACHES, second)
        a.run(*REACHES, "10.96.0.10")
        assert "mtu 1400" in a.run("ip", "link", "show", "eth0")
        assert "0a:58:0a:f4:07:02" in a.run("ip", "link", "show", "eth0")
        await network.close()

    run_on_fresh_host(scenario)


def test_a_process_in_the_hosts_own_network_is_never_connected():
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        with pytest.raises(LinkError, match="is in the host's own network"):
            await network.attach("uid-a", get_native_id())

        assert "veth" not in run_checked("ip", "-o", "link", "show")
        await network.close()

    run_on_fresh_host(scenario)


def test_attach_is_idempotent_and_detach_frees_the_link(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a = sandboxes()

        address = await network.attach("uid-a", a.pid)
        assert await network.attach("uid-a", a.pid) == address
        await network.detach("uid-a")
        await network.detach("uid-a")

        assert "veth" not in run_checked("ip", "-o", "link", "show")
        assert await network.attach("uid-a", a.pid) == "10.244.7.3"
        await network.close()

    run_on_fresh_host(scenario)


def test_a_new_start_adopts_what_runs_and_sweeps_the_rest(sandboxes):
    async def scenario():
        before = BridgePodNetwork(CONFIG, SystemClock())
        await before.ensure_bridge()
        a, b, c = sandboxes(), sandboxes(), sandboxes()
        kept = await before.attach("uid-a", a.pid)
        await before.attach("uid-b", b.pid)
        await before.attach("uid-c", c.pid)
        await before.close()
        fresh = sandboxes()

        after = BridgePodNetwork(CONFIG, SystemClock())
        await after.ensure_bridge()
        adopted = await after.adopt({"uid-a": a.pid, "uid-c": fresh.pid})

        assert adopted == {"uid-a": kept}
        assert run_checked("ip", "-o", "link", "show", "type", "veth").count("veth") == 1
        assert await after.attach("uid-c", fresh.pid) == "10.244.7.5"
        fresh.run(*REACHES, kept)
        await after.close()

    run_on_fresh_host(scenario)


def test_a_pod_whose_address_was_changed_is_connected_anew(sandboxes):
    async def scenario():
        before = BridgePodNetwork(CONFIG, SystemClock())
        await before.ensure_bridge()
        a, b, c = sandboxes(), sandboxes(), sandboxes()
        for uid, sandbox in (("uid-a", a), ("uid-b", b), ("uid-c", c)):
            await before.attach(uid, sandbox.pid)
        await before.close()
        a.run("ip", "addr", "flush", "dev", "eth0")
        b.run("ip", "addr", "replace", "10.244.7.9/32", "dev", "eth0")
        b.run("ip", "addr", "del", "10.244.7.3/32", "dev", "eth0")

        after = BridgePodNetwork(CONFIG, SystemClock())
        await after.ensure_bridge()

        assert await after.adopt({"uid-a": a.pid, "uid-b": b.pid, "uid-c": c.pid}) == {"uid-c": "10.244.7.4"}
        assert await after.attach("uid-a", a.pid) == "10.244.7.5"
        a.run(*REACHES, "10.96.0.10")
        await after.close()

    run_on_fresh_host(scenario)


def test_a_vanished_sandbox_leaves_nothing(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        gone = sandboxes()
        gone.stop()

        with pytest.raises(OSError, match="netns|No such file|ns/net"):
            await network.attach("uid-a", gone.pid)

        assert "veth" not in run_checked("ip", "-o", "link", "show")
        await network.close()

    run_on_fresh_host(scenario)


def test_foreign_changes_are_mended_and_tear_down_leaves_nothing(sandboxes):
    async def scenario():
        links, tables = run_checked("ip", "-o", "link"), run_checked("nft", "list", "tables")
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        await network.attach("uid-a", sandboxes().pid)
        run_checked("nft", "flush", "ruleset")
        run_checked("ip", "addr", "flush", "dev", "mkpy0")
        run_checked("sysctl", "-w", "net.ipv4.ip_forward=0")

        await network.ensure_bridge()

        assert "10.96.0.0/16 dev mkpy0" in run_checked("ip", "route")
        assert "masquerade" in run_checked("nft", "list", "ruleset")
        assert run_checked("sysctl", "-n", "net.ipv4.ip_forward").strip() == "1"
        await network.tear_down()
        assert (run_checked("ip", "-o", "link"), run_checked("nft", "list", "tables")) == (links, tables)
        await network.close()

    run_on_fresh_host(scenario)


def test_routes_to_services_follow_their_ranges_and_others_stay():
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        run_checked("ip", "route", "add", "10.250.0.0/24", "dev", "mkpy0")

        await network.use_service_networks(("10.96.0.0/16", "10.201.0.0/24"))
        assert "10.201.0.0/24 dev mkpy0" in run_checked("ip", "route")
        await network.use_service_networks(("10.96.0.0/16",))

        routes = run_checked("ip", "route")
        assert "10.201.0.0/24" not in routes
        assert "10.96.0.0/16 dev mkpy0" in routes
        assert "10.250.0.0/24 dev mkpy0" in routes
        await network.close()

    run_on_fresh_host(scenario)


def test_the_masquerade_is_made_with_iptables_and_a_change_of_mode_takes_the_other_away():
    async def scenario():
        def egress() -> tuple[bool, bool]:
            saved = run_checked("iptables-legacy-save", "-t", "nat")
            return "minikube-py-network" in run_checked("nft", "list", "tables"), "MKN-EGRESS" in saved

        in_iptables = NetworkConfig(pod_cidr="10.244.7.0/24", back_end="iptables")
        for config, expected in ((CONFIG, (True, False)), (in_iptables, (False, True)), (CONFIG, (True, False))):
            network = BridgePodNetwork(config, SystemClock())
            await network.ensure_bridge()
            assert egress() == expected
            await network.close()
        network = BridgePodNetwork(in_iptables, SystemClock())
        await network.ensure_bridge()
        run_checked("iptables-legacy", "-t", "nat", "-F", "POSTROUTING")
        await network.ensure_bridge()
        rules = run_checked("iptables-legacy-save", "-t", "nat")
        assert "-A POSTROUTING -j MKN-EGRESS" in rules
        assert "-A MKN-EGRESS -s 10.244.7.0/24 -j MASQUERADE" in rules
        await network.tear_down()
        assert egress() == (False, False)
        await network.close()

    run_on_fresh_host(scenario)


def test_a_dropping_forward_policy_lets_pods_pass(sandboxes):
    async def scenario():
        run_checked("iptables", "-P", "FORWARD", "DROP")
        run_checked("iptables", "-P", "INPUT", "DROP")
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a, b = sandboxes(), sandboxes()
        await network.attach("uid-a", a.pid)
        second = await network.attach("uid-b", b.pid)

        a.run(*REACHES, second)
        a.run(*REACHES, "10.244.7.1")
        await network.ensure_bridge()
        rules = run_checked("iptables", "-S")
        assert (rules.count("mkpy0"), rules.count("10.244.0.0/16")) == (1, 2)
        await network.tear_down()
        assert "ACCEPT" not in run_checked("iptables", "-S").replace("-P OUTPUT ACCEPT", "")
        await network.close()

    run_on_fresh_host(scenario)
