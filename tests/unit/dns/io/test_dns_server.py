"""The server on loopback: UDP, TCP, truncation, and a port that is taken."""

import asyncio
import random
import socket
from contextlib import asynccontextmanager

import dnslib
import pytest

from minikube_py.api.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.dns_server import DnsServer
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.free_ports import free_ports
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

NAME = "web.default.svc.cluster.local"


@asynccontextmanager
async def a_server(**config):
    clock = ManualClock()
    client = FakeClient(clock)
    await client.create(NAMESPACES, {"metadata": {"name": "default"}})
    await client.create(SERVICES, a_service(cluster_ip="None"))
    await client.create(ENDPOINT_SLICES, a_slice(*(an_endpoint(f"10.244.0.{n}") for n in range(2, 102))))
    settings = DnsConfig(listen_addresses=("127.0.0.1",), port=free_ports(1)[0], **config)
    server = DnsServer(settings, FakeInformers(client), clock, random.Random(1))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await settle()
        yield settings.port
        task.cancel()


async def over_udp(port: int, data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", port))
        await loop.sock_sendall(client, data)
        async with asyncio.timeout(30):
            return await loop.sock_recv(client, 4096)


async def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp():
    async with a_server() as port:
        query = dnslib.DNSRecord.question(NAME)
        cut = dnslib.DNSRecord.parse(await over_udp(port, query.pack()))
        assert (cut.header.tc, cut.rr) == (1, [])

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(len(query.pack()).to_bytes(2, "big") + query.pack())
            answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            assert len(dnslib.DNSRecord.parse(answer).rr) == 100
        writer.close()


async def test_nonsense_is_answered_formerr():
    async with a_server() as port:
        answer = await over_udp(port, b"\x12\x34\x01\x00\x00\x01" + bytes(6))

        assert (answer[:2], answer[3] & 0xF) == (b"\x12\x34", 1)


async def test_a_connection_beyond_the_limit_is_closed():
    async with a_server(tcp_connections_max=1) as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        await settle()
        reader, second = await asyncio.open_connection("127.0.0.1", port)

        async with asyncio.timeout(30):
            assert await reader.read() == b""
        first.close()
        second.close()


async def test_an_idle_connection_is_closed():
    async with a_server(tcp_idle_s=0.02) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()


async def test_a_taken_port_says_who_wanted_it():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        config = DnsConfig(listen_addresses=("127.0.0.1",), port=taken.getsockname()[1])
        clock = ManualClock()
        server = DnsServer(config, FakeInformers(FakeClient(clock)), clock, random.Random(1))

        with pytest.raises(OSError, match=r"cluster DNS cannot listen on 127\.0\.0\.1"):
            await server.run()
