"""The service proxy on the real kernel with real traffic, each test on a host (network namespace) of its own."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from minikube_py.api.resources import ENDPOINT_SLICES, PODS, SERVICE_CIDRS, SERVICES
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.proxy import skeleton
from minikube_py.proxy.affinity import identity_of
from minikube_py.proxy.chains import ChainSpec
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.host_ports import compile_host_ports
from minikube_py.proxy.io.conntrack import Conntrack
from minikube_py.proxy.io.iptables_applier import IptablesApplier
from minikube_py.proxy.io.nft_applier import NftApplier
from minikube_py.proxy.io.proxier_loop import Proxier
from minikube_py.proxy.ports import RulesetError
from minikube_py.proxy.programs import CompileFacts
from minikube_py.proxy.ruleset import Data, ElementKey, Ruleset, Transaction
from minikube_py.proxy.service_map import parse_service
from minikube_py.proxy.topology import NodeFacts
from minikube_py.testing.compiled_ruleset import compile_ruleset
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.netns import ANSWER_S_MAX, Sandbox, ask_from_here, run_checked, run_on_fresh_host, serve_here

pytestmark = pytest.mark.node
NODE = "node-1"
NODE_IP = "192.0.2.1"
VIP = "10.96.0.20"
BALANCER_IP = "192.0.2.50"
OUTSIDE_IP = "192.0.2.9"
FURTHER_RANGE, FURTHER_VIP, FURTHER_UNUSED = "10.201.0.0/24", "10.201.0.20", "10.201.0.21"
BackEnd = type[NftApplier] | type[IptablesApplier]
CONFIG = ProxyConfig(NODE, surplus_delay_s=0.3, verify_min_interval_s=0.05)
HOST = ("ip link add uplink type bridge", "ip link set uplink up", f"ip addr add {NODE_IP}/24 dev uplink")


class Host:
    """A node with pods and a running proxy."""

    def __init__(self, group: asyncio.TaskGroup, back_end: BackEnd) -> None:
        self.back_end = back_end
        self.client = FakeClient(SystemClock(), system_ids())
        self.network = BridgePodNetwork(NetworkConfig(), SystemClock())
        self.pods: dict[str, Sandbox] = {}
        self.ips: dict[str, str] = {}
        self.group = group
        self.start_proxy()

    def start_proxy(self) -> None:
        self.applier = self.back_end(CONFIG)
        self.proxier = Proxier(CONFIG, FakeInformers(self.client), SystemClock(), self.applier, Conntrack())
        self.task = self.group.create_task(self.proxier.run())

    def kill_proxy(self) -> None:
        self.task.cancel()
        self.applier.close()

    async def pod(self, name: str, kind: str = "tcp") -> str:
        sandbox = self.pods[name] = Sandbox()
        self.ips[name] = await self.network.attach(f"uid-{name}", sandbox.pid)
        await asyncio.to_thread(sandbox.serve, name, kind, 8080)
        return self.ips[name]

    async def service(self, *pods: str, protocol: str = "TCP", **spec: object) -> None:
        port: dict[str, object] = {"name": "p", "port": 80, "protocol": protocol}
        if "node_port" in spec:
            port["nodePort"] = spec.pop("node_port")
            spec["type"] = "NodePort"
        address = spec.pop("address", VIP)
        spec = {"type": "ClusterIP", **spec, "clusterIP": address, "clusterIPs": [address], "ports": [port]}
        meta = {"name": "web", "namespace": "default"}
        await self.client.create(SERVICES, {"metadata": meta, "spec": spec})
        await self.client.create(ENDPOINT_SLICES, self.slice(*pods, protocol=protocol))
        await self.settled()

    def slice(self, *pods: str, protocol: str = "TCP", **conditions: bool) -> dict[str, object]:
        return {
            "metadata": {
                "name": "web-1",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "addressType": "IPv4",
            "ports": [{"name": "p", "port": 8080, "protocol": protocol}],
            "endpoints": [
                {"addresses": [self.ips[pod]], "nodeName": NODE, "conditions": {"ready": True, **conditions}}
                for pod in pods
            ],
        }

    async def endpoints(self, *pods: str, protocol: str = "TCP", **conditions: bool) -> None:
        await self.client.update(ENDPOINT_SLICES, self.slice(*pods, protocol=protocol, **conditions))
        await self.settled()

    async def settled(self) -> None:
        """Wait until the kernel holds what compiling from nothing gives."""
        await self.proxier.wait_first_sync()
        expected = self.expected()
        async with asyncio.timeout(60):
            while not self._stands(expected, await self.looker().list_table()):
                await asyncio.sleep(0.02)

    def looker(self) -> NftApplier | IptablesApplier:
        """Return who tells what the kernel holds; in iptables mode only who applied can tell."""
        return NftApplier(self.proxier._config) if self.back_end is NftApplier else self.applier

    def expected(self) -> dict[ElementKey, Data]:
        slices = self.client.objects(ENDPOINT_SLICES)
        facts = CompileFacts(NodeFacts(NODE), frozenset(CONFIG.node_local_vips))
        services = [(parse_service(s), merge_slices(slices, NODE)) for s in self.client.objects(SERVICES)]
        host_ports = [compile_host_ports(pod).elements for pod in self.client.objects(PODS)]
        return {
            k: v for elements in (compile_ruleset(services, facts).elements, *host_ports) for k, v in elements.items()
        }

    @staticmethod
    def _stands(expected: dict[ElementKey, Data], found: Ruleset | None) -> bool:
        if found is None or any(found.elements.get(key, "") != data for key, data in expected.items()):
            return False
        return all(key.map.endswith("endpoints") for key in found.elements.keys() - expected.keys())

    def outside(self) -> Sandbox:
        """Make a machine beside this one, which sends what is for Services here."""
        machine = self.pods["outside"] = Sandbox()
        run_checked("ip", "link", "add", "o0", "type", "veth", "peer", "name", "eth0", "netns", str(machine.pid))
        run_checked("ip", "link", "set", "o0", "master", "uplink", "up")
        machine.run("ip", "addr", "add", f"{OUTSIDE_IP}/24", "dev", "eth0")
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "route", "add", "default", "via", NODE_IP)
        return machine

    async def ask(
        self,
        pod: str,
        address: str,
        port: int = 80,
        count: int = 1,
        kind: str = "tcp",
        patience_s: int = ANSWER_S_MAX,
    ) -> list[str]:
        return await asyncio.to_thread(self.pods[pod].ask, kind, address, port, count, patience_s)

    def stop(self) -> None:
        for sandbox in self.pods.values():
            sandbox.stop()


@pytest.fixture(params=[NftApplier, IptablesApplier], ids=["nftables", "iptables"])
def back_end(request):
    return request.param


@pytest.fixture
def on_host(back_end):
    """Run a scenario on a fresh host whose proxy has this back end."""
    return partial(run_scenario, back_end)


def run_scenario(back_end: BackEnd, scenario: Callable[[Host], Awaitable[None]], *commands: str) -> None:
    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            host = Host(group, back_end)
            await host.network.ensure_bridge()
            try:
                await scenario(host)
            finally:
                host.kill_proxy()
                host.stop()
                await host.network.close()

    run_on_fresh_host(run, (*HOST, *commands))


def our_rules(back_end: type) -> str:
    """Return all rules of the proxy, as the kernel's tools print them."""
    if back_end is NftApplier:
        return run_checked("nft", "-a", "list", "table", "ip", "minikube-py")
    saved = (run_checked("iptables-legacy-save", "-c", "-t", table) for table in ("nat", "filter"))
    return "\n".join(line for text in saved for line in text.splitlines() if "MKP-" in line)


async def here(kind: str, address: str, port: int, count: int = 1) -> list[str]:
    return await asyncio.to_thread(ask_from_here, kind, address, port, count)


def names(answers: list[str]) -> set[str]:
    return {answer.split()[0] for answer in answers}


async def no_flow_from(port: int) -> None:
    """Wait until conntrack has forgotten the flow: the clean-up follows the commit."""
    async with asyncio.timeout(60):
        while f"sport={port}" in run_checked("conntrack", "-L", "-p", "udp"):
            await asyncio.sleep(0.02)


def test_a_cluster_ip_spreads_over_all_endpoints_from_pods_and_from_the_host(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "client"):
            await host.pod(name)
        await host.service("a", "b", "c")

        answers = await host.ask("client", VIP, count=300)

        spread = Counter(answer.split()[0] for answer in answers)
        assert set(spread) == {"a", "b", "c"}
        assert min(spread.values()) > 60
        assert {answer.split()[1] for answer in answers} == {host.ips["client"]}
        assert names(await here("tcp", VIP, 80, 60)) == {"a", "b", "c"}

    on_host(scenario)


def test_a_further_range_of_services_is_masqueraded_and_guarded_from_the_moment_that_it_is_there(on_host):
    async def scenario(host: Host) -> None:
        await host.pod("a")
        host.outside()
        await host.network.use_service_networks((CONFIG.service_cidr, FURTHER_RANGE))
        await host.service("a", address=FURTHER_VIP)
        assert await host.ask("outside", FURTHER_VIP) == [f"a {OUTSIDE_IP}"]

        await host.client.create(SERVICE_CIDRS, {"metadata": {"name": "more"}, "spec": {"cidrs": [FURTHER_RANGE]}})
        async with asyncio.timeout(60):
            while FURTHER_RANGE not in our_rules(host.back_end):
                await asyncio.sleep(0.02)
        await host.settled()

        assert await host.ask("outside", FURTHER_VIP) == [f"a {host.network._config.gateway}"]
        assert await host.ask("outside", FURTHER_UNUSED, patience_s=2) == ["TimeoutError"]

    on_host(scenario)


def test_an_endpoint_on_the_host_itself_is_reached_as_the_api_server_is(on_host):
    async def scenario(host: Host) -> None:
        await host.pod("client")
        host.ips["host"] = NODE_IP
        server = await asyncio.to_thread(serve_here, "host", "tcp", 8080)
        try:
            await host.service("host")

            assert await host.ask("client", VIP) == [f"host {host.ips['client']}"]
            assert names(await here("tcp", VIP, 80)) == {"host"}
        finally:
            server.kill()
            server.communicate()

    on_host(scenario)


def test_a_host_port_leads_to_its_pod(on_host):
    async def scenario(host: Host) -> None:
        address = await host.pod("a")
        await host.pod("client")
        container = {"name": "c", "image": "i", "ports": [{"containerPort": 8080, "hostPort": 80}]}
        spec = {"nodeName": NODE, "containers": [container]}
        pod = await host.client.create(PODS, {"metadata": {"name": "a", "namespace": "default"}, "spec": spec})
        status = {"podIP": address, "phase": "Running"}
        await host.client.update(PODS, pod | {"status": status}, subresource="status")
        await host.settled()

        assert await host.ask("client", NODE_IP) == [f"a {host.ips['client']}"]
        assert names(await here("tcp", NODE_IP, 80)) == {"a"}
        assert names(await host.ask("a", NODE_IP)) == {"a"}

    on_host(scenario)


@pytest.mark.parametrize("bridge_nf", ["0", "1"])
def test_a_pod_reaches_itself_and_others_through_its_service(on_host, bridge_nf):
    async def scenario(host: Host) -> None:
        await host.pod("a")
        await host.pod("b")
        await host.service("a")

        assert names(await host.ask("a", VIP)) == {"a"}
        assert names(await host.ask("b", VIP)) == {"a"}

    on_host(scenario, f"sysctl -w net.bridge.bridge-nf-call-iptables={bridge_nf}")


def test_a_service_without_endpoints_refuses_at_once_and_an_unused_port_too(on_host):
    async def scenario(host: Host) -> None:
        await host.pod("client")
        await host.service(node_port=30080)

        assert await host.ask("client", VIP) == ["ConnectionRefusedError"]
        assert await here("tcp", VIP, 80) == ["ConnectionRefusedError"]
        assert await here("tcp", VIP, 81) == ["ConnectionRefusedError"]
        assert await host.ask("client", NODE_IP, 30080) == ["ConnectionRefusedError"]

    on_host(scenario)


def test_a_node_port_answers_on_every_address_of_the_node(on_host):
    async def scenario(host: Host) -> None:
        await host.pod("a")
        await host.pod("client")
        await host.service("a", node_port=30080)

        assert names(await here("tcp", NODE_IP, 30080)) == {"a"}
        assert names(await here("tcp", "10.244.0.1", 30080)) == {"a"}
        assert names(await host.ask("client", NODE_IP, 30080)) == {"a"}
        assert names(await host.ask("a", NODE_IP, 30080)) == {"a"}

    on_host(scenario)


def test_local_policies_keep_to_this_node(on_host):
    async def scenario(host: Host) -> None:
        await host.pod("a")
        await host.pod("client")
        await host.service("a", node_port=30080, externalTrafficPolicy="Local", internalTrafficPolicy="Local")

        assert names(await host.ask("client", VIP)) == {"a"}
        assert await host.ask("client", NODE_IP, 30080) == [f"a {host.ips['client']}"]
        assert names(await here("tcp", NODE_IP, 30080)) == {"a"}

    on_host(scenario)


def test_client_ip_affinity_keeps_a_client_at_one_endpoint(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "client"):
            await host.pod(name)
        await host.service("a", "b", "c", sessionAffinity="ClientIP", node_port=30080)

        assert len(names(await host.ask("client", VIP, count=30))) == 1
        assert len(names(await host.ask("client", NODE_IP, 30080, count=30))) == 1

    on_host(scenario)


def test_a_client_keeps_its_endpoint_while_others_come_and_go(on_host):
    clients = [f"client-{n}" for n in range(5)]

    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "d", *clients):
            await host.pod(name)
        await host.service("a", "b", "c", sessionAffinity="ClientIP")

        async def served() -> dict[str, set[str]]:
            return {client: names(await host.ask(client, VIP, count=3)) for client in clients}

        before = await served()
        assert all(len(found) == 1 for found in before.values())
        # Others come and go on both sides of it, wherever it stands in the list.
        (of_first,) = before[clients[0]]
        await host.endpoints(*sorted({"d", of_first}))
        assert (await served())[clients[0]] == {of_first}
        await host.endpoints("a", "b", "c", "d")
        assert (await served())[clients[0]] == {of_first}
        # Its own goes: another one is kept from then on.
        left = sorted({"a", "b", "c", "d"} - {of_first})
        await host.endpoints(*left)
        after = await served()
        assert all(len(found) == 1 and found <= set(left) for found in after.values())
        await host.endpoints("a", "b", "c", "d")
        assert await served() == after

    on_host(scenario)


def test_a_client_silent_for_longer_than_the_timeout_may_get_another_endpoint(on_host):
    clients = [f"client-{n}" for n in range(5)]

    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", *clients):
            await host.pod(name)
        config = {"clientIP": {"timeoutSeconds": 1}}
        await host.service("a", "b", "c", sessionAffinity="ClientIP", sessionAffinityConfig=config)

        async def served() -> list[set[str]]:
            return [names(await host.ask(client, VIP)) for client in clients]

        first = await served()
        async with asyncio.timeout(60):
            while await served() == first:
                await asyncio.sleep(1.1)

    on_host(scenario)


def test_a_client_that_comes_again_in_time_keeps_its_endpoint_for_longer_than_the_timeout(on_host):
    timeout_s = 2

    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "client"):
            await host.pod(name)
        config = {"clientIP": {"timeoutSeconds": timeout_s}}
        await host.service("a", "b", "c", sessionAffinity="ClientIP", sessionAffinityConfig=config)

        async def serve_steadily() -> tuple[set[str], float]:
            """Ask again and again for twice the timeout; return who answered and the longest silence."""
            clock, answered, silence_s = SystemClock(), set[str](), 0.0
            began_s = last_s = clock.now_s()
            while last_s < began_s + 2 * timeout_s:
                answered |= names(await host.ask("client", VIP))
                silence_s, last_s = max(silence_s, clock.now_s() - last_s), clock.now_s()
                await asyncio.sleep(0.3)
            return answered, silence_s

        async with asyncio.timeout(90):
            answered, silence_s = await serve_steadily()
            while silence_s > timeout_s - 0.5:  # this machine was too busy to be a steady client
                answered, silence_s = await serve_steadily()
        assert len(answered) == 1

    on_host(scenario)


def test_more_clients_than_can_be_remembered_are_served_all_the_same(monkeypatch):
    monkeypatch.setattr(skeleton, "CLIENTS_MAX", 2)
    clients = [f"client-{n}" for n in range(4)]

    async def scenario(host: Host) -> None:
        for name in ("a", "b", *clients):
            await host.pod(name)
        await host.service("a", "b", sessionAffinity="ClientIP")

        served = [names(await host.ask(client, VIP, count=20)) for client in clients]
        assert [len(found) for found in served[:2]] == [1, 1]
        assert all(found <= {"a", "b"} for found in served)

    run_scenario(NftApplier, scenario)


def test_clients_are_remembered_over_a_restart_of_the_proxy():
    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "client"):
            await host.pod(name)
        await host.service("a", "b", "c", sessionAffinity="ClientIP")
        remembered = ("nft", "list", "map", "ip", CONFIG.table, "affinity")
        before = names(await host.ask("client", VIP))
        assert f"{host.ips['client']} . {VIP} . tcp . 80" in run_checked(*remembered)

        host.kill_proxy()
        host.start_proxy()
        await host.settled()
        assert f"{host.ips['client']} . {VIP} . tcp . 80" in run_checked(*remembered)
        assert names(await host.ask("client", VIP, count=5)) == before

    # In iptables mode a start writes the rules again, and the lists of clients go with the rules.
    run_scenario(NftApplier, scenario)


def test_a_load_balancers_address_is_open_to_its_source_ranges_alone(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "friend", "stranger"):
            await host.pod(name)
        ranges = [f"{host.ips['friend']}/32", "198.51.100.0/24"]
        await host.service("a", type="LoadBalancer", loadBalancerSourceRanges=ranges)
        (service,) = host.client.objects(SERVICES)
        status = {"loadBalancer": {"ingress": [{"ip": BALANCER_IP, "ipMode": "VIP"}]}}
        await host.client.update(SERVICES, service | {"status": status}, subresource="status")
        await host.settled()

        assert names(await host.ask("friend", BALANCER_IP)) == {"a"}
        assert await host.ask("stranger", BALANCER_IP, patience_s=2) == ["TimeoutError"]
        assert names(await host.ask("stranger", VIP)) == {"a"}

    on_host(scenario)


def test_a_udp_flow_moves_on_when_its_endpoint_goes(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "b", "client"):
            await host.pod(name, "udp")
        await host.service("a", protocol="UDP")
        sender = host.pods["client"]
        code = (
            "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 5555)); "
            f"s.settimeout(2); s.connect(('{VIP}', 80)); s.send(b'?'); print(s.recv(99).decode().split()[0])"
        )

        assert sender.run("python3", "-c", code) == "a\n"
        await host.endpoints("b", protocol="UDP")
        await no_flow_from(5555)

        assert sender.run("python3", "-c", code) == "b\n"
        await host.endpoints(protocol="UDP")
        await no_flow_from(5555)

    on_host(scenario)


def test_a_restart_of_the_proxy_changes_nothing_that_is_right(on_host, back_end):
    async def scenario(host: Host) -> None:
        for name in ("a", "b"):
            await host.pod(name)
        await host.service("a")
        before = our_rules(back_end)

        host.kill_proxy()
        assert names(await host.ask("b", VIP)) == {"a"}
        host.start_proxy()
        await host.settled()

        assert [line.split("] ")[-1] for line in our_rules(back_end).splitlines()] == [
            line.split("] ")[-1] for line in before.splitlines()
        ]

    on_host(scenario)


def test_a_flushed_ruleset_is_back_at_once(on_host, back_end):
    flushes = {
        NftApplier: (
            "nft flush ruleset",
            f"nft delete element ip minikube-py services {{ {VIP} . tcp . 80 }}",
        ),
        IptablesApplier: ("iptables-legacy -t nat -F", "iptables-legacy -t filter -F MKP-REFUSE"),
    }

    async def scenario(host: Host) -> None:
        for name in ("a", "b"):
            await host.pod(name)
        await host.service("a")
        for command in (*flushes[back_end], flushes[back_end][0]):
            run_checked(*command.split())
            async with asyncio.timeout(60):
                while await host.looker().list_table() is None:
                    await asyncio.sleep(0.02)
            await host.settled()

            assert names(await host.ask("b", VIP)) == {"a"}

    on_host(scenario)


def test_a_pod_is_withdrawn_before_its_process_is_stopped(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "b"):
            await host.pod(name)
        await host.service("a", "b")
        assert await host.proxier.wait_withdrawn("10.244.0.99", 0.1)
        assert not await host.proxier.wait_withdrawn(host.ips["a"], 0.1)

        waiting = host.group.create_task(host.proxier.wait_withdrawn(host.ips["a"], 60))
        await host.endpoints("b")

        assert await waiting
        assert names(await host.ask("a", VIP, count=30)) == {"b"}

    on_host(scenario)


def test_endpoints_that_come_and_go_lose_no_connection(on_host):
    async def scenario(host: Host) -> None:
        for name in ("a", "b", "c", "client"):
            await host.pod(name)
        await host.service("a", "b", "c")

        async def flip() -> None:
            while True:
                for pods in (("a", "b"), ("b", "c"), ("a", "b", "c"), ("c",)):
                    await host.client.update(ENDPOINT_SLICES, host.slice(*pods))
                    await asyncio.sleep(0.06)

        flipping = host.group.create_task(flip())
        answers = await host.ask("client", VIP, count=6000)
        flipping.cancel()

        assert names(answers) == {"a", "b", "c"}

    on_host(scenario)


def test_tear_down_leaves_no_table_and_touches_no_rule_of_others(on_host, back_end):
    async def scenario(host: Host) -> None:
        await host.pod("a")
        await host.service("a")
        foreign = "-A OUTPUT -p tcp -m tcp --dport 9 -j ACCEPT"
        run_checked("iptables-legacy", *foreign.split())
        host.kill_proxy()

        await host.proxier.tear_down()

        assert "minikube-py\n" not in run_checked("nft", "list", "tables")
        assert back_end is NftApplier or our_rules(back_end) == ""
        assert foreign in run_checked("iptables-legacy-save", "-t", "filter")

    on_host(scenario)


def test_netlink_batches_make_the_same_chains_as_the_nft_program():
    chains = tuple(
        ChainSpec(entry, 3, local, affinity_s).name
        for entry in ("cluster", "external", "node-port")
        for local in (None, 0, 2)
        for affinity_s in (0, 10800)
    )
    key, verdict = ElementKey("services", (VIP, "sctp", 80)), f"goto {chains[0]}"
    identity = identity_of(("10.244.0.2", 8080), 70000)
    elements = (
        (key, verdict),
        (ElementKey("endpoints", (VIP, "sctp", 80, 70000)), ("10.244.0.2", 8080)),
        (ElementKey("affinity-choices", (VIP, "sctp", 80, 70000)), identity),
        (ElementKey("affinity-endpoints", (VIP, "sctp", 80, identity)), ("10.244.0.2", 8080)),
        (ElementKey("node-port-affinity-choices", ("udp", 30080, 0)), identity),
        (ElementKey("node-port-affinity-endpoints", ("udp", 30080, identity)), ("10.244.0.2", 8080)),
        (ElementKey("node-port-endpoints", ("udp", 30080, 0)), ("10.244.0.2", 8080)),
        (ElementKey("no-endpoints", (VIP, "tcp", 81)), "goto reject-new"),
        (ElementKey("no-endpoints-node-ports", ("tcp", 30081)), "drop"),
        (ElementKey("hairpin", ("10.244.0.2", "10.244.0.2")), None),
        (ElementKey("cluster-ips", (VIP,)), None),
        (ElementKey("restricted", (VIP, "tcp", 80)), None),
        *((ElementKey("source-ranges", (VIP, "tcp", 80, net)), None) for net in ("10.0.0.0/9", "192.0.2.1/32")),
        (ElementKey("source-ranges", (VIP, "udp", 80, "0.0.0.0/0")), None),
    )

    async def scenario() -> None:
        by_nft, by_netlink = (NftApplier(ProxyConfig(NODE, table=table)) for table in ("a", "b"))
        await by_nft.apply(Transaction(replace_table=True, add_chains=chains, add_elements=elements))
        await by_netlink.apply(Transaction(replace_table=True))
        await by_netlink.apply(Transaction(add_chains=chains, add_elements=elements))

        made = [run_checked("nft", "list", "table", "ip", table).splitlines()[1:] for table in ("a", "b")]
        # The mark of the skeleton is a hash of all that names the table.
        expected, found = ([line for line in lines if "skeleton-" not in line] for lines in made)
        assert found == expected
        assert await by_netlink.list_table() == Ruleset(dict(elements), frozenset(chains))

        await by_netlink.apply(Transaction(delete_elements=(key,), delete_chains=chains[:1]))
        with pytest.raises(RulesetError, match="No such file or directory"):
            await by_netlink.apply(Transaction(delete_elements=(elements[1][0], key)))
        assert await by_netlink.list_table() == Ruleset(dict(elements[1:]), frozenset(chains[1:]))
        for applier in (by_nft, by_netlink):
            await applier.remove_table()
            applier.close()

    run_on_fresh_host(scenario)
