"""Over the loopback: a real server of one connection, no sleeping."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from minikube_py.kubelet.io.probe_network import HostProbeNetwork
from minikube_py.kubelet.probes import ProbeResult

NETWORK = HostProbeNetwork()


@asynccontextmanager
async def a_server(*answers):
    requests = []
    left = list(answers)

    async def serve(reader, writer):
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(left.pop(0).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], requests


def answer(status, headers="", body="ok"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n{body}"


async def get(port, path="/", headers=(), timeout_s=30.0):
    return await NETWORK.http_get(f"http://127.0.0.1:{port}{path}", headers, timeout_s, "kube-probe/1.36")


@pytest.mark.parametrize(
    ("status", "result"),
    [("200 OK", ProbeResult.SUCCESS), ("399 X", ProbeResult.SUCCESS), ("404 X", ProbeResult.FAILURE)],
)
async def test_the_code_decides(status, result):
    async with a_server(answer(status)) as (port, _):
        assert (await get(port)).result is result


async def test_a_bad_code_is_told_as_upstream_does():
    async with a_server(answer("500 X")) as (port, _):
        assert (await get(port)).output == "HTTP probe failed with statuscode: 500"


async def test_the_probe_says_who_it_is_and_sends_its_headers():
    async with a_server(answer("200 OK")) as (port, requests):
        await get(port, "/healthz", (("X-Probe", "1"), ("Host", "example.com")))

    (request,) = requests
    assert request.startswith("GET /healthz HTTP/1.1")
    assert "User-Agent: kube-probe/1.36" in request
    assert "X-Probe: 1" in request
    assert "Host: example.com" in request


async def test_a_redirect_is_followed_on_the_same_host():
    async with a_server(answer("302 X", "Location: /there\r\n"), answer("500 X")) as (port, requests):
        outcome = await get(port)

    assert outcome.result is ProbeResult.FAILURE
    assert requests[1].startswith("GET /there")


async def test_a_redirect_to_another_host_is_success():
    async with a_server(answer("302 X", "Location: http://192.0.2.1/\r\n")) as (port, _):
        outcome = await get(port)

    assert (outcome.result, outcome.warns) == (ProbeResult.SUCCESS, True)
    assert outcome.output.startswith("Probe terminated redirects, Response body:")


async def test_a_refused_connection_is_told_as_upstream_does():
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        get_refused = await get(port)
        tcp = await NETWORK.tcp_connect("127.0.0.1", port, 30.0)
    where = f"127.0.0.1:{port}"

    assert get_refused.output == f'Get "http://{where}/": dial tcp {where}: connect: connection refused'
    assert (tcp.result, tcp.output) == (ProbeResult.FAILURE, f"dial tcp {where}: connect: connection refused")


async def test_a_server_that_does_not_answer_fails_the_probe():
    async def serve(reader, writer):
        await reader.read()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await get(port, timeout_s=0.05)

    assert "context deadline exceeded" in outcome.output


async def test_an_open_port_is_enough_for_tcp():
    async with a_server() as (port, _):
        assert (await NETWORK.tcp_connect("127.0.0.1", port, 30.0)).result is ProbeResult.SUCCESS


async def test_a_server_that_does_not_speak_tls_is_told_apart_from_one_that_is_not_there():
    async def serve(reader, writer):
        await reader.read(100)
        writer.write(answer("400 Bad Request").encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await NETWORK.http_get(f"https://127.0.0.1:{port}/", (), 30.0, "kube-lifecycle/1.36")

    assert outcome.output == f'Get "https://127.0.0.1:{port}/": http: server gave HTTP response to HTTPS client'
    assert not outcome.answered
