"""Against the library that most servers are made with: grpcio, whose protobuf here is bytes written by hand."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from minikube_py.kubelet.io.grpc_probe import grpc_check
from minikube_py.kubelet.probes import ProbeResult


@contextmanager
def a_grpc_server(check):
    """Serve grpc.health.v1 with `check(request bytes, context) -> response bytes`; yields the port."""
    method = grpc.unary_unary_rpc_method_handler(check)
    handler = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler] if check else [])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


async def ask(port, service="", timeout_s=30.0):
    return await grpc_check("127.0.0.1", port, service, timeout_s, "kube-probe/test")


async def test_a_serving_service_is_healthy_and_hears_its_name():
    asked = []

    def check(request, context):
        asked.append((request, dict(context.invocation_metadata())["user-agent"]))
        return b"\x08\x01"

    with a_grpc_server(check) as port:
        outcome = await ask(port, "web")

    assert (outcome.result, outcome.output) == (ProbeResult.SUCCESS, "service healthy")
    assert asked == [(b"\x0a\x03web", "kube-probe/test")]


async def test_one_that_does_not_serve_fails():
    with a_grpc_server(lambda request, context: b"\x08\x02") as port:
        outcome = await ask(port)

    assert (outcome.result, outcome.output) == (
        ProbeResult.FAILURE,
        'service unhealthy (responded with "NOT_SERVING")',
    )


async def test_a_server_without_the_health_service_says_so():
    with a_grpc_server(None) as port:
        outcome = await ask(port)

    assert "does not implement the grpc health protocol" in outcome.output


async def test_a_refusal_carries_the_server_s_words():
    def check(request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "never heard of it")

    with a_grpc_server(check) as port:
        outcome = await ask(port)

    assert outcome.output.endswith("rpc error: code = NotFound desc = never heard of it")


async def test_a_server_that_takes_too_long_fails():
    async def serve(reader, writer):
        await reader.read()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        outcome = await ask(server.sockets[0].getsockname()[1], timeout_s=0.05)

    assert outcome.output == "timeout: health rpc did not complete within 0.05s"


async def test_a_server_of_another_protocol_fails():
    async def serve(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        outcome = await ask(server.sockets[0].getsockname()[1])

    assert outcome.result is ProbeResult.FAILURE
    assert outcome.output.startswith("error: health rpc probe failed: rpc error: code = Unavailable desc = ")


async def test_a_closed_port_fails():
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        outcome = await ask(nobody_listens.getsockname()[1])

    assert outcome.result is ProbeResult.FAILURE
    assert "connection refused" in outcome.output or "connect call failed" in outcome.output
