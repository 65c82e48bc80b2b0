"""A pod's start beside what the engine itself needs: two bare `create` and `start` of containers, in turns.

Both sides speak to their server over one kept connection, so that no client's start-up is measured.
"""

import asyncio
import time
from typing import Any

import aiohttp
import orjson

from minikube_py.testing.bench.hosts import bench_host
from minikube_py.testing.bench.report import Row
from minikube_py.testing.lab.cluster import IMAGE, Cluster

TRIES = 15
PODS = "/api/v1/namespaces/default/pods"


class _Engine:
    """The host's Docker engine."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def _post(self, path: str, body: object = None) -> Any:
        async with self._session.post(f"http://docker{path}", json=body) as answer:
            text = await answer.read()
            assert answer.status < 300, text
            return orjson.loads(text) if text else None

    async def two_containers(self) -> float:
        """Return the seconds for a container without network and one that joins it, as a pod is made."""
        started = time.monotonic()
        made: list[str] = []
        for host in ({"NetworkMode": "none", "IpcMode": "shareable"}, None):
            joined = host or {"NetworkMode": f"container:{made[0]}", "IpcMode": f"container:{made[0]}"}
            body = {"Image": IMAGE, "Cmd": ["sleep", "60"], "HostConfig": joined}
            identity = (await self._post("/containers/create", body))["Id"]
            await self._post(f"/containers/{identity}/start")
            made.append(identity)
        took = time.monotonic() - started
        for identity in reversed(made):
            async with self._session.delete(f"http://docker/containers/{identity}?force=1") as answer:
                assert answer.status < 300
        return took


class _Api:
    """The API server, by the administrator's certificate."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def one_pod(self, name: str) -> float:
        """Return the seconds from sending the create until a watch says Running."""
        spec = {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "c", "image": IMAGE, "command": ["sleep", "60"]}],
        }
        url = f"{self._server}{PODS}"
        async with self._session.get(f"{url}?watch=1&fieldSelector=metadata.name%3D{name}") as watch:
            started = time.monotonic()
            async with self._session.post(url, json={"metadata": {"name": name}, "spec": spec}) as created:
                assert created.status == 201, await created.text()
            took = await _until(watch, lambda pod: pod.get("status", {}).get("phase") == "Running", started)
            async with self._session.delete(f"{url}/{name}") as deleted:
                assert deleted.status == 200
            await _until(watch, lambda _pod: False, started)
        return took


async def _until(watch: aiohttp.ClientResponse, done: Any, started: float) -> float:
    async for line in watch.content:
        event = orjson.loads(line)
        if event["type"] == "DELETED" or done(event["object"]):
            return time.monotonic() - started
    raise AssertionError("the watch ended")


def run() -> list[Row]:
    """Measure TRIES pairs."""
    with bench_host() as cluster:
        cluster.lab.start(cluster.host)
        cluster.load_images(cluster.host.dir)
        bare, pods = asyncio.run(_pairs(cluster))
    ratio = sorted(pods)[len(pods) // 2] / sorted(bare)[len(bare) // 2]
    return [
        Row("two bare containers, create + start", "s", tuple(bare)),
        Row("pod create → Running", "s", tuple(pods), "two bare containers", ratio, "≤ 1.3"),
    ]


async def _pairs(cluster: Cluster) -> tuple[list[float], list[float]]:
    server, context = cluster.admin_access()
    bare, pods = [], []
    unix = aiohttp.UnixConnector(path=str(cluster.host.docker_socket))
    tls = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=unix) as docker, aiohttp.ClientSession(connector=tls) as https:
        engine, api = _Engine(docker), _Api(https, server)
        await engine.two_containers()
        await api.one_pod("warm")
        for attempt in range(TRIES):
            bare.append(await engine.two_containers())
            pods.append(await api.one_pod(f"p{attempt}"))
    return bare, pods
