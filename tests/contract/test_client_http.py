"""HttpTransport against servers that behave badly: cut streams, silence, answers that are no Status."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web

from minikube_py.api.errors import ForbiddenError, GoneError, InternalError, TooManyRequestsError, UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS
from minikube_py.client.io import http_transport
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.rest_client import RestClient

A = ObjectKey("x", "a")


@asynccontextmanager
async def a_client(handler, bearer_token: str = ""):
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    try:
        async with HttpTransport(
            f"http://{host}:{port}", None, user_agent="test/1", bearer_token=bearer_token
        ) as transport:
            yield RestClient(transport, "test", lambda: 300)
    finally:
        await runner.cleanup()


def answering(status: int, body: bytes, **headers: str):
    async def handler(request):
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handler


def streaming(*chunks: bytes, hang: bool = False, cut: bool = False):
    async def handler(request):
        response = web.StreamResponse()
        response.content_length = None
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0)
        if hang:
            await asyncio.sleep(3600)
        if cut:
            request.transport.abort()
        return response

    return handler


def a_line(name: str, kind: str = "ADDED", **data: str) -> bytes:
    obj = {"metadata": {"name": name, "resourceVersion": "5"}, "data": data}
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


async def watched(client) -> list[str]:
    return [event.object["metadata"]["name"] async for event in client.watch(CONFIGMAPS, "1")]


async def test_lines_may_be_cut_anywhere_and_be_long():
    long = a_line("long", x="y" * 500_000)
    async with a_client(
        streaming(a_line("a")[:10], a_line("a")[10:] + long[:100], long[100:], a_line("b"))
    ) as client:
        assert await watched(client) == ["a", "long", "b"]


async def test_a_stream_that_breaks_off_is_an_error_after_its_whole_events():
    seen = []
    async with a_client(streaming(a_line("a"), a_line("b")[:20], cut=True)) as client:
        with pytest.raises(UnavailableError):
            async for event in client.watch(CONFIGMAPS, "1"):
                seen.append(event.object["metadata"]["name"])
    assert seen == ["a"]


async def test_a_stream_that_ends_within_an_event_is_an_error():
    async with a_client(streaming(a_line("a")[:20])) as client:
        with pytest.raises(UnavailableError, match="broke off"):
            await watched(client)


async def test_an_error_event_is_raised_as_what_it_says():
    status = {"kind": "Status", "reason": "Expired", "code": 410, "message": "too old"}
    line = orjson.dumps({"type": "ERROR", "object": status}) + b"\n"
    async with a_client(streaming(line)) as client:
        with pytest.raises(GoneError, match="too old"):
            await watched(client)


async def test_a_watch_that_is_refused_raises_the_status():
    body = orjson.dumps({"kind": "Status", "reason": "Forbidden", "code": 403, "message": "no"})
    async with a_client(answering(403, body)) as client:
        with pytest.raises(ForbiddenError, match="no"):
            await watched(client)


async def test_a_peer_that_went_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(http_transport, "WATCH_SLACK_S", -299.9)
    async with a_client(streaming(a_line("a"), hang=True)) as client:
        with pytest.raises(UnavailableError):
            await watched(client)


async def test_an_answer_without_a_status_becomes_the_error_of_its_code():
    async with a_client(answering(429, b"slow down", Retry_After="7")) as client:
        with pytest.raises(TooManyRequestsError, match="slow down") as raised:
            await client.get(CONFIGMAPS, A)
    assert raised.value.retry_after_s == 7


async def test_a_success_that_is_no_json_is_an_error_of_the_server():
    async with a_client(answering(200, b"<html>")) as client:
        with pytest.raises(InternalError, match="not JSON"):
            await client.get(CONFIGMAPS, A)


async def test_a_redirect_is_not_followed_with_credentials():
    async with a_client(answering(302, b"", Location="http://127.0.0.1:1/"), "secret") as client:
        with pytest.raises(InternalError):
            await client.get(CONFIGMAPS, A)


async def test_the_token_and_the_name_of_the_client_are_sent():
    seen = {}

    async def handler(request):
        seen.update(request.headers)
        return web.json_response({"metadata": {"name": "a"}})

    async with a_client(handler, "secret") as client:
        await client.get(CONFIGMAPS, A)
    assert (seen["Authorization"], seen["User-Agent"], seen["Accept"]) == (
        "Bearer secret",
        "test/1",
        "application/json",
    )
