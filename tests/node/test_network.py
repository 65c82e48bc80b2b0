"""The pod network on the real kernel, each test in a network namespace of its own."""

import asyncio
import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.pod_network import BridgePodNetwork

pytestmark = pytest.mark.node
CONFIG = NetworkConfig(pod_cidr="10.244.7.0/24", mtu=1400)
CLONE_NEWNET = 0x40000000
REACHES = (
    sys.executable,
    "-c",
    "import socket, sys; s = socket.socket(); s.settimeout(2); sys.exit(s.connect_ex((sys.argv[1], 9)) != 111)",
)
"""A refused connection proves that packets go there and back."""


class Sandbox:
    """A process in an empty network namespace, as the pause container is."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            pass

    @property
    def pid(self) -> int:
        return self.process.pid

    def run(self, *argv: str) -> str:
        done = subprocess.run(["nsenter", f"--net=/proc/{self.pid}/ns/net", *argv], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def sandboxes() -> Iterator[Callable[[], Sandbox]]:
    made: list[Sandbox] = []

    def make() -> Sandbox:
        made.append(Sandbox())
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.stop()


def in_fresh_netns(scenario: Callable[[], object]) -> None:
    """Run `scenario` (an async function) in a thread that has unshared its network namespace."""
    failures: list[BaseException] = []

    def body() -> None:
        try:
            assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            asyncio.run(scenario())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def sh(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pods_reach_each_other_and_the_host(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a, b = sandboxes(), sandboxes()

        first = await network.attach("uid-a", a.pid)
        second = await network.attach("uid-b", b.pid)

        assert (first, second) == ("10.244.7.2", "10.244.7.3")
        sh(*REACHES, first)
        a.run(*REACHES, second)
        a.run(*REACHES, "10.96.0.10")
        assert "mtu 1400" in a.run("ip", "link", "show", "eth0")
        assert "0a:58:0a:f4:07:02" in a.run("ip", "link", "show", "eth0")
        await network.close()

    in_fresh_netns(scenario)


def test_attach_is_idempotent_and_detach_frees_the_link(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a = sandboxes()

        address = await network.attach("uid-a", a.pid)
        assert await network.attach("uid-a", a.pid) == address
        await network.detach("uid-a")
        await network.detach("uid-a")

        assert "veth" not in sh("ip", "-o", "link", "show")
        assert await network.attach("uid-a", a.pid) == "10.244.7.3"
        await network.close()

    in_fresh_netns(scenario)


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
        assert sh("ip", "-o", "link", "show", "type", "veth").count("veth") == 1
        assert await after.attach("uid-c", fresh.pid) == "10.244.7.5"
        fresh.run(*REACHES, kept)
        await after.close()

    in_fresh_netns(scenario)


def test_a_vanished_sandbox_leaves_nothing(sandboxes):
    async def scenario():
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        gone = sandboxes()
        gone.stop()

        with pytest.raises(OSError, match="netns|No such file|ns/net"):
            await network.attach("uid-a", gone.pid)

        assert "veth" not in sh("ip", "-o", "link", "show")
        await network.close()

    in_fresh_netns(scenario)


def test_foreign_changes_are_mended_and_tear_down_leaves_nothing(sandboxes):
    async def scenario():
        links, tables = sh("ip", "-o", "link"), sh("nft", "list", "tables")
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        await network.attach("uid-a", sandboxes().pid)
        sh("nft", "flush", "ruleset")
        sh("ip", "addr", "flush", "dev", "mkpy0")
        sh("sysctl", "-w", "net.ipv4.ip_forward=0")

        await network.ensure_bridge()

        assert "10.96.0.0/16 dev mkpy0" in sh("ip", "route")
        assert "masquerade" in sh("nft", "list", "ruleset")
        assert sh("sysctl", "-n", "net.ipv4.ip_forward").strip() == "1"
        await network.tear_down()
        assert (sh("ip", "-o", "link"), sh("nft", "list", "tables")) == (links, tables)
        await network.close()

    in_fresh_netns(scenario)


def test_a_dropping_forward_policy_lets_pods_pass(sandboxes):
    async def scenario():
        sh("iptables", "-P", "FORWARD", "DROP")
        sh("iptables", "-P", "INPUT", "DROP")
        network = BridgePodNetwork(CONFIG, SystemClock())
        await network.ensure_bridge()
        a, b = sandboxes(), sandboxes()
        await network.attach("uid-a", a.pid)
        second = await network.attach("uid-b", b.pid)

        a.run(*REACHES, second)
        a.run(*REACHES, "10.244.7.1")
        await network.ensure_bridge()
        assert sh("iptables", "-S").count("mkpy0") == 3
        await network.tear_down()
        assert "mkpy0" not in sh("iptables", "-S")
        await network.close()

    in_fresh_netns(scenario)
