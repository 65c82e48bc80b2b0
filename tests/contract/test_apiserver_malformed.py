"""Whatever comes in as a request, the answer is a Status with 4xx, soon, and memory stays where it was."""

import asyncio
import gzip
import zlib
from pathlib import Path

import aiohttp
import orjson
import pytest

from minikube_py.testing.memory_api_server import ADMIN_TOKEN, memory_api_server, serving

MAPS = "/api/v1/namespaces/default/configmaps"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9))
    for letter in range(ord("b"), ord("l"))
)
DEEP = 100_000
RSS_GROWTH_MAX_MB = 60


def _map(data: bytes) -> bytes:
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":' + data + b"}"


BODIES = {
    "nothing": (JSON, b""),
    "half an object": (JSON, b'{"apiVersion":"v1","kind":'),
    "two objects": (JSON, _map(b"{}") * 2),
    "not UTF-8": (JSON, _map(b'{"a":"\xff\xfe"}')),
    "half a surrogate": (JSON, _map(b'{"a":"\\ud800"}')),
    "a NUL": (JSON, b"\0" * 100),
    "numbers without end": (JSON, _map(b'{"a":' + b"9" * 100_000 + b"}")),
    "an array": (JSON, b"[]"),
    "a text": (JSON, b'"x"'),
    "null": (JSON, b"null"),
    "another kind": (JSON, b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}'),
    "an unknown kind": (JSON, b'{"apiVersion":"v9","kind":"Nope"}'),
    "metadata that is a list": (JSON, b'{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}'),
    "deep arrays": (JSON, _map(b"[" * DEEP + b"]" * DEEP)),
    "deep objects": (JSON, _map(b'{"a":' * DEEP + b"1" + b"}" * DEEP)),
    "deep objects without an end": (JSON, b'{"a":' * DEEP),
    "a YAML bomb": (YAML, BOMB),
    "deep YAML": (YAML, b"[" * DEEP + b"]" * DEEP),
    "deep YAML maps": (YAML, b"{a: " * DEEP + b"}" * DEEP),
    "YAML that refers to itself": (YAML, b"a: &a [*a]"),
    "YAML with a tag": (YAML, b"a: !!python/object/apply:os.system [ls]"),
    "YAML that is not UTF-8": (YAML, b"a: \xff\xfe"),
    "protobuf without its head": (PROTOBUF, b"\x0a\x01"),
    "protobuf of nonsense": (PROTOBUF, b"k8s\0" + bytes(range(256)) * 10),
    "protobuf that lies about its length": (PROTOBUF, b"k8s\0\x0a\xff\xff\xff\xff\x0f"),
    "deep protobuf": (PROTOBUF, b"k8s\0" + b"\x12\x02" * 50_000),
    "another content type": ("text/plain", b"x"),
    "no sensible content type": (";;=", b"{}"),
    "too many bytes": (JSON, _map(b'{"a":"' + b"x" * (4 << 20) + b'"}')),
    "too many bytes of YAML": (YAML, b"a: " + b"x" * (4 << 20)),
}
PATCHES = {
    "a merge patch that is a list": (MERGE, b"[1]"),
    "a merge patch cut off": (MERGE, b'{"a"'),
    "a merge patch that goes deep": (MERGE, b'{"data":' * DEEP + b"1" + b"}" * DEEP),
    "a strategic patch that goes deep": (STRATEGIC, b'{"data":' * DEEP + b"1" + b"}" * DEEP),
    "a strategic patch that is no object": (STRATEGIC, b'"x"'),
    "a JSON patch that is an object": (JSON_PATCH, b"{}"),
    "a JSON patch of numbers": (JSON_PATCH, b"[1,2]"),
    "a JSON patch that copies without bound": (
        JSON_PATCH,
        orjson.dumps([{"op": "add", "path": "/data/a", "value": ["x" * 1000]}])[:-1]
        + b',{"op":"copy","from":"/data","path":"/data/a/-"}' * 40
        + b"]",
    ),
    "a JSON patch with too many operations": (
        JSON_PATCH,
        orjson.dumps([{"op": "test", "path": "/a", "value": 1}] * 10_001),
    ),
    "an apply patch that is a bomb": (APPLY, BOMB),
    "an apply patch of nothing": (APPLY, b""),
    "no patch type": ("", b"{}"),
}


def _rss_mb():
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


async def _check(answer):
    status = orjson.loads(await answer.read())
    assert status["kind"] == "Status", status
    assert 400 <= answer.status < 500, status
    assert status["code"] == answer.status
    assert status["message"]
    assert len(status["message"]) < 20_000, "the answer must not carry the whole request"


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_makes_no_sense(name):
    media, body = BODIES[name]
    before = _rss_mb()
    async with serving(memory_api_server(), None) as url, aiohttp.ClientSession(url, headers=ADMIN) as session:
        async with asyncio.timeout(20):
            for method, path in (("POST", MAPS), ("PUT", f"{MAPS}/x")):
                async with session.request(method, path, data=body, headers={"Content-Type": media}) as answer:
                    await _check(answer)
        async with session.get("/livez") as alive:
            assert alive.status == 200
    assert _rss_mb() - before < RSS_GROWTH_MAX_MB


@pytest.mark.parametrize("name", PATCHES)
async def test_a_patch_that_makes_no_sense(name):
    media, body = PATCHES[name]
    before = _rss_mb()
    async with serving(memory_api_server(), None) as url, aiohttp.ClientSession(url, headers=ADMIN) as session:
        async with session.post(MAPS, data=_map(b'{"a":"1"}'), headers={"Content-Type": JSON}) as made:
            assert made.status == 201
        async with (
            asyncio.timeout(20),
            session.patch(
                f"{MAPS}/x", data=body, headers={"Content-Type": media}, params={"fieldManager": "m"}
            ) as answer,
        ):
            await _check(answer)
        async with session.get(f"{MAPS}/x") as kept:
            assert (await kept.json())["data"] == {"a": "1"}
    assert _rss_mb() - before < RSS_GROWTH_MAX_MB


async def test_bodies_that_grow_when_unpacked_are_bounded():
    before = _rss_mb()
    async with serving(memory_api_server(), None) as url, aiohttp.ClientSession(url, headers=ADMIN) as session:
        for encoding, packed in (
            ("gzip", gzip.compress(b" " * (50 << 20), 1)),
            ("deflate", zlib.compress(b" " * (50 << 20), 1)),
        ):
            headers = {"Content-Type": JSON, "Content-Encoding": encoding}
            async with session.post(MAPS, data=packed, headers=headers) as answer:
                assert answer.status == 413
                await _check(answer)
    assert _rss_mb() - before < RSS_GROWTH_MAX_MB


RAW = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an unknown method": b"FROB /api HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without an end": b"GET /api HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "a line without an end": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
    "a bad length": b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a header with a NUL": b"GET /api HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
async def test_bytes_that_are_no_request(name):
    server = memory_api_server()
    async with serving(server, None):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http.port)
        writer.write(RAW[name])
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode()
        status = orjson.loads(await asyncio.wait_for(reader.read(), 30))
        writer.close()
    assert head.split()[1] == str(status["code"])
    assert 400 <= status["code"] < 500
    assert status["kind"] == "Status"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"Authorization: Bearer \xff", 401),
        (b"Authorization: Bearer a.\xff.b", 401),
        (b"Authorization: \xff", 403),
        (b"Authorization: Bearer %s\r\nImpersonate-User: \xff" % ADMIN_TOKEN.encode(), 403),
        (b"Authorization: Bearer %s\r\nAccept: \xff" % ADMIN_TOKEN.encode(), 406),
    ],
)
async def test_a_header_that_is_no_text_is_no_error_of_the_server(header, code):
    server = memory_api_server()
    async with serving(server, None):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http.port)
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n" % (MAPS.encode(), header))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 %d" % code)
    assert orjson.loads(body)["kind"] == "Status"
