"""Health ports on loopback; Services and endpoints come from fakes that behave."""

import asyncio
import socket
from contextlib import asynccontextmanager

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import ENDPOINT_SLICES, SERVICES
from minikube_py.client.interface import DeleteOptions
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io.health_server import HealthCheckServer
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.free_ports import free_ports
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint


async def ask(port: int, request: bytes = b"GET / HTTP/1.1\r\n\r\n") -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        return type(error).__name__
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer.decode().split("\r\n")[0]


@asynccontextmanager
async def running(client, clock=None):
    server = HealthCheckServer(ProxyConfig("node-1"), FakeInformers(client), clock or ManualClock(), lambda: True)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await settle()
        yield
        task.cancel()


async def test_a_health_port_follows_the_endpoints_of_this_node_and_closes_with_its_service():
    client, (port,) = FakeClient(ManualClock()), free_ports(1)
    async with running(client):
        await client.create(SERVICES, a_service(type="LoadBalancer", healthCheckNodePort=port))
        await client.create(ENDPOINT_SLICES, a_slice(an_endpoint("10.244.1.2", node="node-2")))
        await settle()
        assert await ask(port) == "HTTP/1.1 503 Service Unavailable"

        await client.update(ENDPOINT_SLICES, a_slice(an_endpoint("10.244.0.2")))
        await settle()
        assert await ask(port) == "HTTP/1.1 200 OK"

        await client.delete(SERVICES, ObjectKey("default", "web"), DeleteOptions())
        await settle()
        assert await ask(port) == "ConnectionRefusedError"


async def test_a_port_that_is_taken_is_tried_again():
    client, clock, (port,) = FakeClient(ManualClock()), ManualClock(), free_ports(1)
    blocker = socket.create_server(("0.0.0.0", port))
    async with running(client, clock):
        await client.create(SERVICES, a_service(type="LoadBalancer", healthCheckNodePort=port))
        await settle()
        blocker.close()
        assert await ask(port) == "ConnectionRefusedError"

        await clock.advance(11)

        assert await ask(port) == "HTTP/1.1 503 Service Unavailable"


async def test_a_port_that_is_taken_does_not_keep_what_changes_at_others_back():
    client, (taken, port) = FakeClient(ManualClock()), free_ports(2)
    with socket.create_server(("0.0.0.0", taken)):
        async with running(client):
            await client.create(SERVICES, a_service("taken", type="LoadBalancer", healthCheckNodePort=taken))
            await client.create(SERVICES, a_service(type="LoadBalancer", healthCheckNodePort=port))
            await settle()
            assert await ask(port) == "HTTP/1.1 503 Service Unavailable"

            await client.create(ENDPOINT_SLICES, a_slice(an_endpoint("10.244.0.2")))
            await settle()

            assert await ask(port) == "HTTP/1.1 200 OK"


async def test_a_request_beyond_all_measure_is_cut_off():
    client, (port,) = FakeClient(ManualClock()), free_ports(1)
    async with running(client):
        await client.create(SERVICES, a_service(type="LoadBalancer", healthCheckNodePort=port))
        await settle()

        assert await ask(port, b"x" * 40_000) in {"", "ConnectionResetError"}
