"""Requests made to eat memory, many of them at once: the process grows within a bound, however many there are.

The bound is that of the bodies that may be on their way together, and of what is being read: nothing is unpacked,
parsed or copied without limit, and a second round finds the room that the first one has made.
"""

import asyncio
import gzip

import aiohttp
import orjson
import pytest

from minikube_py.api.value_count import VALUES_MAX
from minikube_py.testing.memory_api_server import ADMIN_TOKEN
from minikube_py.testing.server_process import server_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AT_ONCE = 4
BODY_BYTES = 3_000_000
"""A little less than a request may have."""
MANY = VALUES_MAX - 1000
"""A few less values than a body may have."""
PEAK_MAX_MB = 250
"""Of the whole process, which holds about 80 when it begins."""
SECOND_ROUND_MAX_MB = 40
AGAIN = ("as many objects as may be", "as many keys as may be", "a long text", "a merge patch")
"""What is sent in the second round."""
MAPS = "/api/v1/namespaces/default/configmaps"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 108)
)


def _map(data):
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":' + data + b"}"


def _filled(piece, separator=b",", size=BODY_BYTES):
    return separator.join([piece] * (size // (len(piece) + len(separator))))


def _length(data):
    """Bytes with their length before them, as protobuf has it."""
    length, prefix = len(data), b""
    while length > 127:
        prefix += bytes([length & 127 | 128])
        length >>= 7
    return prefix + bytes([length]) + data


_GROW = b',{"op":"copy","from":"/data","path":"/data/a/-"}' * 40
POSTS = {
    "lists of lists": (JSON, _map(b"[" + _filled(b"[]") + b"]"), {}),
    "objects of objects": (JSON, _map(b'{"a":[' + _filled(b'{"a":{}}') + b"]}"), {}),
    "as many lists as may be": (JSON, _map(b"[" + b",".join([b"[]"] * (MANY // 2)) + b"]"), {}),
    "as many objects as may be": (JSON, _map(b'{"a":[' + b",".join([b'{"a":{}}'] * (MANY // 3)) + b"]}"), {}),
    "a long text": (JSON, _map(b'{"a":"' + b"x" * BODY_BYTES + b'"}')[:-1], {}),
    "one key again and again": (JSON, _map(b"{" + _filled(b'"a":1') + b"}"), {}),
    "as many keys as may be": (JSON, _map(b"{" + b",".join(b'"k%d":1' % n for n in range(MANY)) + b"}"), {}),
    "deep": (JSON, _map(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), {}),
    "a YAML bomb": (YAML, BOMB, {}),
    "deep YAML": (YAML, b"[" * 200_000, {}),
    "much YAML": (YAML, b"a:\n" + b"- b: {c: d}\n" * 10_000, {}),
    "protobuf of nonsense": (PROTOBUF, b"k8s\0" + b"\x12\x02" * 500_000, {}),
    "protobuf of owners": (PROTOBUF, b"k8s\0\x12" + _length(b"\x0a" + _length(b"\x6a\0" * 1_000_000)), {}),
    "protobuf that lies": (PROTOBUF, b"k8s\0\x12\xff\xff\xff\xff\x0f" + b"x" * 1_000_000, {}),
    "packed": (JSON, gzip.compress(b" " * 100_000_000, 1), {"Content-Encoding": "gzip"}),
    "packed objects": (JSON, gzip.compress(_map(b"[" + _filled(b"{}") * 2 + b"]"), 1), {"Content-Encoding": "gzip"}),
    "too long": (JSON, b"x" * 8_000_000, {}),
}
PATCHES = {
    "a JSON patch that copies": (
        "application/json-patch+json",
        orjson.dumps([{"op": "add", "path": "/data/a", "value": ["x" * 1000]}])[:-1] + _GROW + b"]",
        {},
    ),
    "a merge patch": ("application/merge-patch+json", b'{"data":{"a":[' + _filled(b"[]") + b"]}}", {}),
    "a strategic patch": (
        "application/strategic-merge-patch+json",
        b'{"metadata":{"ownerReferences":[' + _filled(b'{"uid":"a"}') + b"]}}",
        {},
    ),
    "a strategic patch as long as may be": (
        "application/strategic-merge-patch+json",
        b'{"metadata":{"ownerReferences":[' + b",".join([b'{"uid":"a"}'] * (MANY // 2)) + b"]}}",
        {},
    ),
    "an applied bomb": ("application/apply-patch+yaml", BOMB, {}),
}


async def _send(session, method, path, hostile):
    media, body, more = hostile
    headers = {"Content-Type": media, **more}
    try:
        async with session.request(method, path, data=body, headers=headers, params={"fieldManager": "m"}) as answer:
            status = orjson.loads(await answer.read())
    except aiohttp.ClientConnectionError:
        return 413  # the server hung up while the rest of a body that is too long was still coming
    assert status["kind"] == "Status"
    return answer.status


async def _round(server, session, names):
    """Send everything; returns how much the process held at most with each, in megabytes."""
    peaks = {}
    work = [("POST", MAPS, name, hostile) for name, hostile in POSTS.items()]
    work += [("PATCH", f"{MAPS}/x", name, hostile) for name, hostile in PATCHES.items()]
    for method, path, name, hostile in work:
        if name not in names:
            continue
        server.forget_peak()
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(_send(session, method, path, hostile)) for _ in range(AT_ONCE)]
        codes = {task.result() for task in sent}
        assert all(400 <= code < 500 for code in codes), (name, codes)
        peaks[name] = round(server.memory_mb("VmHWM"))
    return peaks


async def test_what_is_made_to_eat_memory_does_not_however_much_of_it_comes():
    async with server_process() as server, aiohttp.ClientSession(server.url, headers=ADMIN) as session:
        async with session.post(MAPS, data=_map(b'{"a":"1"}'), headers={"Content-Type": JSON}) as made:
            assert made.status == 201
        first = await _round(server, session, {*POSTS, *PATCHES})
        after_mb = server.memory_mb()
        second = await _round(server, session, AGAIN)
        grown_mb = server.memory_mb() - after_mb
        async with session.get(f"{MAPS}/x") as kept:
            assert (await kept.json())["data"] == {"a": "1"}
    assert max(*first.values(), *second.values()) < PEAK_MAX_MB, (first, second)
    assert grown_mb < SECOND_ROUND_MAX_MB, (grown_mb, first, second)
