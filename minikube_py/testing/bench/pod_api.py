"""The API server as the pod benchmarks speak to it: one kept connection, one watch for each question."""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson

from minikube_py.testing.bench.bare_containers import SLEEP
from minikube_py.testing.lab.cluster import IMAGE

CORE = "/api/v1/namespaces/default"
Json = dict[str, Any]
WATCH_S = 600


class PodApi:
    """With the administrator's certificate."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """POST an object."""
        async with self._session.post(f"{self._server}{path}", json=body) as answer:
            assert answer.status == 201, await answer.text()
            made: Json = orjson.loads(await answer.read())
            return made

    async def delete(self, path: str) -> None:
        """DELETE an object or a collection; fine when it is gone."""
        async with self._session.delete(f"{self._server}{path}") as answer:
            assert answer.status in (200, 202, 404), await answer.text()

    async def until(self, resource: str, query: str, done: Callable[[Mapping[str, Json]], bool]) -> float:
        """Watch until `done` of the objects by name; return when that was (monotonic seconds)."""
        objects: dict[str, Json] = {}
        url = f"{self._server}{resource}?watch=1&timeoutSeconds={WATCH_S}&{query}"
        async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=WATCH_S)) as watch:
            if done(objects):
                return time.monotonic()
            async for line in watch.content:
                event = orjson.loads(line)
                name = event["object"]["metadata"]["name"]
                if event["type"] == "DELETED":
                    objects.pop(name, None)
                else:
                    objects[name] = event["object"]
                if done(objects):
                    return time.monotonic()
        raise AssertionError(f"not true within {WATCH_S} s: {resource}?{query}")

    async def until_gone(self, resource: str, query: str) -> float:
        """Wait until a collection is empty; return when that was (monotonic seconds)."""
        deadline = time.monotonic() + WATCH_S
        for _ in itertools.count():
            if not await self.list(resource, query):
                break
            assert time.monotonic() < deadline, f"not gone within {WATCH_S} s: {resource}?{query}"
            await asyncio.sleep(0.02)
        return time.monotonic()

    async def list(self, resource: str, query: str = "") -> list[Json]:
        """Return the objects of a collection."""
        async with self._session.get(f"{self._server}{resource}?{query}") as answer:
            assert answer.status == 200, await answer.text()
            items: list[Json] = orjson.loads(await answer.read())["items"]
            return items


def sleeper(name: str, group: str) -> Json:
    """Return a pod of one container that ends at once when it is deleted."""
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "c", "image": IMAGE, "command": SLEEP}],
    }
    return {"metadata": {"name": name, "labels": {"group": group}}, "spec": spec}


def is_running(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod's phase is Running."""
    return bool(pod.get("status", {}).get("phase") == "Running")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod's Ready condition is True."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
