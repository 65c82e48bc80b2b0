"""Queries answered end to end on loopback: the zone over fake informers, a real upstream socket."""

import asyncio
from contextlib import asynccontextmanager

import dnslib

from minikube_py.api.resources import NAMESPACES, SERVICES
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.cluster_view import InformerView
from minikube_py.dns.io.forwarder import Forwarder
from minikube_py.dns.io.responder import Responder
from minikube_py.dns.wire import Query
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.service_builders import a_service


class Upstream(asyncio.DatagramProtocol):
    """Answers A questions with 192.0.2.7; counts them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        reply = dnslib.DNSRecord.parse(data).reply()
        self.asked.append(str(reply.q.qname))
        reply.add_answer(dnslib.RR(reply.q.qname, rdata=dnslib.A("192.0.2.7"), ttl=60))
        # First somebody else's answer under another id: it must be ignored.
        forged = dnslib.DNSRecord.parse(reply.pack())
        forged.header.id ^= 1
        self.transport.sendto(forged.pack(), addr)
        self.transport.sendto(reply.pack(), addr)


@asynccontextmanager
async def an_upstream():
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        Upstream, local_addr=("127.0.0.1", 0)
    )
    yield protocol, f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    transport.close()


async def a_responder(*upstreams: str, resolv_conf: str = "/nonexistent", **config) -> Responder:
    clock = ManualClock()
    client = FakeClient(clock)
    await client.create(NAMESPACES, {"metadata": {"name": "default"}})
    await client.create(SERVICES, a_service())
    external = a_service("ext", cluster_ip="", ports=(), type="ExternalName", externalName="db.example.org")
    await client.create(SERVICES, external)
    settings = DnsConfig(upstreams=upstreams, upstream_timeout_s=30.0, resolv_conf=resolv_conf, **config)
    ids = iter(range(1, 1000))
    forwarder = Forwarder(settings, clock, lambda: next(ids))
    responder = Responder(settings, InformerView(FakeInformers(client)), forwarder, lambda: next(ids))
    responder.is_synced = True
    return responder


async def ask(responder: Responder, name: str, kind: str = "A") -> tuple[str, list[str]]:
    query = dnslib.DNSRecord.question(name, kind)
    answer = responder.answer_nowait(query.pack(), over_tcp=False)
    if isinstance(answer, Query):
        answer = await responder.answer(answer, over_tcp=False)
    message = dnslib.DNSRecord.parse(answer)
    assert message.header.id == query.header.id
    return dnslib.RCODE[message.header.rcode], [str(rr.rdata) for rr in message.rr]


async def test_cluster_names_are_answered_without_waiting():
    responder = await a_responder()

    answer = responder.answer_nowait(
        dnslib.DNSRecord.question("web.default.svc.cluster.local").pack(), over_tcp=False
    )

    assert isinstance(answer, bytes)
    assert await ask(responder, "web.default.svc.cluster.local") == ("NOERROR", ["10.96.0.20"])


async def test_before_the_copies_are_complete_cluster_names_fail_for_now():
    responder = await a_responder()
    responder.is_synced = False

    assert await ask(responder, "web.default.svc.cluster.local") == ("SERVFAIL", [])


async def test_other_names_are_forwarded_and_remembered():
    async with an_upstream() as (upstream, address):
        responder = await a_responder(address)

        assert await ask(responder, "example.org") == ("NOERROR", ["192.0.2.7"])
        assert await ask(responder, "Example.org") == ("NOERROR", ["192.0.2.7"])
        assert upstream.asked == ["example.org."]


async def test_an_outside_alias_brings_the_addresses_along():
    async with an_upstream() as (upstream, address):
        responder = await a_responder(address)

        assert await ask(responder, "ext.default.svc.cluster.local") == ("NOERROR", ["db.example.org.", "192.0.2.7"])
        assert upstream.asked == ["db.example.org."]


async def test_a_dead_upstream_is_passed_over():
    async with an_upstream() as (_, address):
        responder = await a_responder("127.0.0.1:1", address)

        assert await ask(responder, "example.org") == ("NOERROR", ["192.0.2.7"])


async def test_without_an_upstream_other_names_fail():
    responder = await a_responder()

    assert await ask(responder, "example.org") == ("SERVFAIL", [])


async def test_more_queries_than_the_limit_fail_at_once():
    async with an_upstream() as (upstream, address):
        responder = await a_responder(address, forward_max=0)

        assert await ask(responder, "example.org") == ("SERVFAIL", [])
        assert upstream.asked == []


async def test_the_hosts_servers_are_asked_and_changes_are_seen(tmp_path):
    resolv_conf = tmp_path / "resolv.conf"
    responder = await a_responder(resolv_conf=str(resolv_conf))
    assert await ask(responder, "example.org") == ("SERVFAIL", [])
    resolv_conf.write_text("nameserver 10.96.0.10\n")

    assert await ask(responder, "example.org") == ("SERVFAIL", [])
