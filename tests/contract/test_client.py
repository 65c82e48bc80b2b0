"""The client contract: on the fake API server, on the real one in process, and on the real one over HTTP."""

import asyncio
import random
import socket
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import name_of
from minikube_py.api.resources import CONFIGMAPS, NAMESPACES
from minikube_py.apiserver.canonical import stamp
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.io.server import ApiServer, ApiServerPorts
from minikube_py.apiserver.users import LOOPBACK
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import PAGE_MAX, RestClient
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.contracts_client import ClientContract, a_config
from minikube_py.testing.fake_client import FakeClient


def a_free_port() -> int:
    """The port that the server is told goes into Endpoints, so it must be a real one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@asynccontextmanager
async def a_server():
    clock = SystemClock()
    ports = ApiServerPorts(
        durable=MemoryStore(stamp, clock),
        volatile=MemoryStore(stamp, clock, first_revision=1_000_000),
        clock=clock,
        ids=system_ids(),
        rng=random.Random(1),
        authenticate=lambda peer, authorization: LOOPBACK,
        token_key_pem=new_key_pem(),
    )
    server = ApiServer(
        ApiServerConfig(
            bind_address="127.0.0.1",
            secure_port=a_free_port(),
            shutdown_grace_s=0.1,
            disable_admission_plugins=("ServiceAccount",),
        ),
        ports,
    )
    await server.bootstrap()
    yield server


def over(transport) -> RestClient:
    return RestClient(transport, "test", lambda: 300)


@asynccontextmanager
async def an_http_client():
    async with a_server() as server, asyncio.TaskGroup() as group:
        listening = asyncio.Event()
        serving = group.create_task(server.serve(None, listening))
        await listening.wait()
        async with HttpTransport(f"http://127.0.0.1:{server.http.port}", None, user_agent="test") as transport:
            yield over(transport)
        serving.cancel()


class TestFakeClient(ClientContract):
    @pytest.fixture
    async def client(self):
        client = FakeClient(SystemClock())
        await client.create(NAMESPACES, {"metadata": {"name": "default"}})
        return client


class TestInProcess(ClientContract):
    @pytest.fixture
    async def client(self):
        async with a_server() as server:
            yield over(server.local_transport())


class TestOverHttp(ClientContract):
    @pytest.fixture
    async def client(self):
        async with an_http_client() as client:
            yield client


async def test_a_list_of_many_pages_is_one_list_with_one_version():
    async with a_server() as server:
        client = over(server.local_transport())
        names = [f"c{number:04}" for number in range(PAGE_MAX + 7)]
        for name in names:
            await client.create(CONFIGMAPS, a_config(name))
        listed = await client.list(CONFIGMAPS)

        assert [name_of(obj) for obj in listed.items if name_of(obj) in set(names)] == names


async def test_informers_follow_the_real_server_over_http():
    async with an_http_client() as client, asyncio.TaskGroup() as group:
        informers = InformerSet(client, SystemClock(), random.Random(2).random)
        running = group.create_task(informers.run())
        informer = informers.informer(CONFIGMAPS)
        await informer.wait_synced()
        made = await client.create(CONFIGMAPS, a_config("a", x="y" * 200_000))

        assert await informer.wait_revision(int(made["metadata"]["resourceVersion"]), 5)
        assert [obj["data"]["x"] for obj in informer.list("default") if name_of(obj) == "a"] == ["y" * 200_000]
        running.cancel()


async def test_a_server_that_is_not_there_is_unavailable():
    async with HttpTransport("http://127.0.0.1:1", None, user_agent="test") as transport:
        client = over(transport)
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
            await client.list(CONFIGMAPS)
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
            await anext(client.watch(CONFIGMAPS, "1"))
