"""The loop on fakes that behave: no kernel, no waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import ENDPOINT_SLICES, NODES, PODS, SERVICE_CIDRS, SERVICES
from minikube_py.client.interface import DeleteOptions
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io import proxier_loop
from minikube_py.proxy.io.proxier_loop import Proxier
from minikube_py.proxy.ruleset import ElementKey, Ruleset
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.fake_nft import FakeNft
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.packet_tracer import Packet, Tracer
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

CONFIG = ProxyConfig("node-1")
VIP = "10.96.0.20"
A, B = "10.244.0.2", "10.244.0.3"
UDP = ({"name": "http", "port": 80, "protocol": "UDP"},)


class FakeFlows:
    """Remembers the answers to the question which UDP flows may live on, newest last."""

    def __init__(self) -> None:
        self.allowed: list[dict[tuple[str, int], frozenset[tuple[str, int]]]] = []

    async def delete_stale_udp(self, allowed) -> int:
        self.allowed.append(dict(allowed))
        return 0


class World:
    """A proxier and all that it talks to."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.nft = FakeNft()
        self.flows = FakeFlows()
        self.proxier = self.new_proxier()

    def new_proxier(self) -> Proxier:
        self.informers = FakeInformers(self.client)
        return Proxier(CONFIG, self.informers, self.clock, self.nft, self.flows)

    async def serve(self, *addresses: str, **service) -> None:
        await self.client.create(SERVICES, a_service(**service))
        await self.client.create(ENDPOINT_SLICES, a_slice(*(an_endpoint(a) for a in addresses)))

    async def endpoints(self, *endpoints) -> None:
        await self.client.update(ENDPOINT_SLICES, a_slice(*endpoints))

    def targets(self) -> set[str]:
        assert self.nft.table is not None
        way = Tracer(self.nft.table, CONFIG).trace(Packet("10.244.0.99", VIP, 80))
        return {address for address, _ in way.targets}


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.proxier.run())
        await settle()
        yield world
        task.cancel()


async def test_a_service_is_in_the_kernel_soon_after_it_appears():
    async with running(World()) as world:
        await world.clock.advance(1)
        await world.serve(A, B)
        await world.clock.advance(0.02)

        assert world.targets() == {A, B}


async def test_many_changes_at_once_are_one_transaction():
    async with running(World()) as world:
        await world.clock.advance(1)
        before = len(world.nft.applied)
        for n in range(20):
            service = a_service(f"s{n}", cluster_ip=f"10.96.1.{n}")
            await world.client.create(SERVICES, service)
        await world.clock.advance(0.5)

        assert len(world.nft.applied) == before + 1


async def test_endpoints_that_follow_their_service_do_not_wait_for_long():
    async with running(World()) as world:
        await world.clock.advance(1)
        await world.client.create(SERVICES, a_service())
        await world.clock.advance(0.011)
        applied = len(world.nft.applied)
        await world.client.create(ENDPOINT_SLICES, a_slice(an_endpoint(A)))
        await world.clock.advance(0.02)

        assert world.targets() == {A}
        assert len(world.nft.applied) == applied + 1


async def test_a_restart_applies_nothing_when_all_is_right():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(3)
    applied = len(world.nft.applied)

    world.proxier = world.new_proxier()
    async with running(world):
        await world.clock.advance(3)

        assert len(world.nft.applied) == applied
        assert world.targets() == {A}


async def test_a_surplus_endpoint_is_gone_after_its_delay():
    async with running(World()) as world:
        await world.serve(A, B)
        await world.clock.advance(1)
        await world.endpoints(an_endpoint(A))
        await world.clock.advance(0.5)
        key = ElementKey("endpoints", (VIP, "tcp", 80, 1))
        assert world.targets() == {A}
        assert key in world.nft.table.elements

        await world.clock.advance(1)

        assert key not in world.nft.table.elements


async def test_a_refused_transaction_is_mended_and_nothing_is_lost():
    async with running(World()) as world:
        await world.clock.advance(1)
        world.nft.fail_next(3)
        await world.serve(A)
        await world.clock.advance(0.1)
        assert world.targets() == set()

        await world.clock.advance(10)

        assert world.targets() == {A}
        assert world.nft.applied[-1].replace_table


async def test_foreign_changes_are_mended():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(5)
        for meddled in (None, Ruleset({}, frozenset())):
            world.nft.meddle(meddled)
            await world.clock.advance(5)

            assert world.targets() == {A}


async def test_silent_foreign_changes_are_found_by_the_hourly_look():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(5)
        world.nft.table = None
        await world.clock.advance(CONFIG.verify_interval_s + 1)

        assert world.targets() == {A}


async def test_a_pod_counts_as_withdrawn_when_the_kernel_has_taken_the_change():
    async with running(World()) as world, asyncio.TaskGroup() as group:
        await world.serve(A, B)
        await world.clock.advance(1)
        assert await world.proxier.wait_withdrawn("10.244.0.9", 0)
        waiting = group.create_task(world.proxier.wait_withdrawn(A, 30))
        await world.clock.advance(1)
        assert not waiting.done()
        await world.endpoints(an_endpoint(B))
        await world.clock.advance(0.1)

        assert waiting.done()
        assert await waiting
        assert world.targets() == {B}


async def test_waiting_for_a_withdrawal_ends_at_its_deadline():
    async with running(World()) as world, asyncio.TaskGroup() as group:
        await world.serve(A)
        await world.clock.advance(1)
        waiting = group.create_task(world.proxier.wait_withdrawn(A, 5))
        await world.clock.advance(6)

        assert waiting.done()
        assert not await waiting


async def test_the_last_resort_counts_as_withdrawn():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(1)
        await world.endpoints(an_endpoint(A, ready=False, serving=True, terminating=True))
        await world.clock.advance(1)

        assert world.targets() == {A}
        assert await world.proxier.wait_withdrawn(A, 0)


async def test_the_last_resort_is_reached_until_its_rules_are_gone():
    async with running(World()) as world, asyncio.TaskGroup() as group:
        await world.serve(A)
        await world.clock.advance(1)
        await world.endpoints(an_endpoint(A, ready=False, serving=True, terminating=True))
        await world.clock.advance(1)
        waiting = group.create_task(world.proxier.wait_unreachable(A, 30))
        await world.clock.advance(1)
        assert not waiting.done()

        await world.endpoints()
        await world.clock.advance(1)

        assert waiting.done()
        assert waiting.result()
        assert world.targets() == set()


async def test_udp_flows_are_looked_at_when_endpoints_change_go_or_the_service_is_deleted():
    async with running(World()) as world:
        await world.client.create(SERVICES, a_service(ports=UDP))
        await world.client.create(ENDPOINT_SLICES, a_slice(an_endpoint(A)))
        await world.clock.advance(1)
        await world.endpoints()
        await world.clock.advance(1)
        await world.client.delete(SERVICES, ObjectKey("default", "web"))
        await world.clock.advance(1)

        assert [allowed[(VIP, 80)] for allowed in world.flows.allowed] == [{(A, 8080)}, frozenset(), frozenset()]


async def test_tcp_changes_do_not_look_at_flows():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(1)

        assert world.flows.allowed == []


async def test_a_zone_label_on_this_node_changes_the_choice():
    async with running(World()) as world:
        hinted = [an_endpoint(A) | {"hints": {"forZones": [{"name": "a"}]}}]
        hinted.append(an_endpoint(B) | {"hints": {"forZones": [{"name": "b"}]}})
        await world.client.create(SERVICES, a_service())
        await world.client.create(ENDPOINT_SLICES, a_slice(*hinted))
        await world.clock.advance(1)
        assert world.targets() == {A, B}
        labels = {"topology.kubernetes.io/zone": "b"}
        await world.client.create(NODES, {"metadata": {"name": "node-1", "labels": labels}})
        await world.clock.advance(1)

        assert world.targets() == {B}


async def test_tear_down_leaves_no_table():
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(1)
    await world.proxier.tear_down()

    assert world.nft.table is None


async def test_a_host_port_is_open_while_its_pod_runs():
    port = ElementKey("node-ports", ("tcp", 8080))
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 8080}]}
    pod = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [container]},
        "status": {"podIP": A, "phase": "Running"},
    }
    async with running(World()) as world:
        created = await world.client.create(PODS, pod)
        await world.client.update(PODS, created | {"status": pod["status"]}, subresource="status")
        await world.clock.advance(1)
        assert port in world.nft.table.elements
        assert await world.proxier.wait_withdrawn(A, 0)

        await world.client.delete(PODS, ObjectKey("default", "p"), DeleteOptions(grace_period_s=0))
        await world.clock.advance(1)

        assert port not in world.nft.table.elements


async def test_another_range_of_cluster_ips_makes_another_table_at_once_and_changes_nothing_else() -> None:
    async with running(World()) as world:
        await world.serve(A)
        await world.clock.advance(2)
        before = world.nft.table
        await world.client.create(SERVICE_CIDRS, {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.200.0.0/24"]}})
        await world.clock.advance(2)

        assert world.nft.config is not None
        assert world.nft.config.cluster_ip_ranges == ("10.96.0.0/16", "10.200.0.0/24")
        assert world.nft.applied[-1].replace_table
        assert world.nft.table == before

        await world.client.delete(SERVICE_CIDRS, ObjectKey("", "more"), DeleteOptions())
        await world.clock.advance(2)
        assert world.nft.config.cluster_ip_ranges == ("10.96.0.0/16",)


async def test_services_of_the_clusters_own_range_do_not_wait_long_for_the_ranges(monkeypatch) -> None:
    monkeypatch.setattr(proxier_loop, "RANGES_WAIT_S", 0.01)
    world = World()
    ranges = world.informers.informer(SERVICE_CIDRS)
    monkeypatch.setattr(ranges, "wait_synced", asyncio.Event().wait)
    await world.serve(A)
    async with running(world):
        async with asyncio.timeout(60):
            await world.proxier.wait_first_sync()

        assert world.targets() == {A}
