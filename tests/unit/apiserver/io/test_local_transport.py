import asyncio
from dataclasses import replace

import orjson
import pytest

from minikube_py.api.errors import ForbiddenError
from minikube_py.apiserver.users import AUTHENTICATED, UserInfo
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.memory_api_server import LOOPBACK_CONFIG, memory_api_server

MAPS = "/api/v1/namespaces/default/configmaps"


async def a_server(**settings):
    server = memory_api_server(replace(LOOPBACK_CONFIG, **settings))
    await server.bootstrap()
    return server


async def create(transport, name):
    body = orjson.dumps({"metadata": {"name": name}})
    answer = await transport.send(ApiRequest("POST", MAPS, {}, {}, body))
    assert answer.status == 201, answer.body


def watch(transport, **query):
    return transport.stream(ApiRequest("GET", MAPS, {"watch": "1", **query}, {}))


async def test_a_watch_shares_the_decoded_object_with_everybody():
    transport = (await a_server()).local_transport()
    streams = [watch(transport, resourceVersion="0") for _ in range(2)]
    await create(transport, "a")
    first, second = [await anext(stream) for stream in streams]
    assert first.type == "ADDED"
    assert first.object is second.object
    for stream in streams:
        await stream.aclose()


async def test_a_reader_that_falls_too_far_behind_is_told_to_list_again():
    transport = (await a_server(watch_buffer_events_max=3)).local_transport()
    stream = watch(transport, resourceVersion="0")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(anext(stream))
        await asyncio.sleep(0)
        await create(transport, "first")
    assert waiting.result().object["metadata"]["name"] == "first"
    for number in range(5):
        await create(transport, f"m{number}")
    last = await anext(stream)
    assert (last.type, last.object["code"], last.object["reason"]) == ("ERROR", 410, "Expired")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.slow
async def test_a_watch_ends_in_time_with_a_bookmark():
    transport = (await a_server()).local_transport()
    stream = watch(transport, resourceVersion="0", timeoutSeconds="1", allowWatchBookmarks="true")
    async with asyncio.timeout(30):
        events = [event async for event in stream]
    assert [event.type for event in events] == ["BOOKMARK"]


async def test_a_refused_watch_raises_what_the_server_answered():
    transport = (await a_server()).local_transport(UserInfo("alice", (AUTHENTICATED,)))
    with pytest.raises(ForbiddenError, match='User "alice" cannot watch resource "configmaps"'):
        await anext(watch(transport))


async def test_a_closed_watch_leaves_nothing_behind():
    server = await a_server()
    transport = server.local_transport()
    stream = watch(transport, resourceVersion="0")
    await create(transport, "a")
    await anext(stream)
    await stream.aclose()
    await create(transport, "b")
    listed = await transport.send(ApiRequest("GET", MAPS, {}, {}))
    assert len(orjson.loads(listed.body)["items"]) == 2


async def test_streams_in_both_directions_need_http():
    transport = (await a_server()).local_transport()
    answer = await transport.send(ApiRequest("POST", "/api/v1/namespaces/default/pods/p/exec", {}, {}))
    assert (answer.status, orjson.loads(answer.body)["message"]) == (400, "Upgrade request required")
