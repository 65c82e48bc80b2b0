"""What the engine itself needs for the containers of a pod: the measure that pods are held to."""

import asyncio
import itertools
import time
from typing import Any

import aiohttp
import orjson

from minikube_py.testing.lab.cluster import IMAGE

GONE_S = 300
SLEEP = ("sleep", "3600")


class BareContainers:
    """Makes containers at one engine as a pod is made, over a kept connection and with nothing around them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def _post(self, path: str, body: object = None) -> Any:
        async with self._session.post(f"http://docker{path}", json=body) as answer:
            text = await answer.read()
            assert answer.status < 300, text
            return orjson.loads(text) if text else None

    async def _start(self, host: dict[str, str]) -> str:
        body = {"Image": IMAGE, "Cmd": SLEEP, "HostConfig": host}
        identity = str((await self._post("/containers/create", body))["Id"])
        await self._post(f"/containers/{identity}/start")
        return identity

    async def _pair(self) -> list[str]:
        first = await self._start({"NetworkMode": "none", "IpcMode": "shareable"})
        second = await self._start({"NetworkMode": f"container:{first}", "IpcMode": f"container:{first}"})
        return [second, first]

    async def _remove(self, identities: list[str]) -> None:
        for identity in identities:
            async with self._session.delete(f"http://docker/containers/{identity}?force=1") as answer:
                assert answer.status < 300

    async def until_no_pods(self) -> float:
        """Wait until the engine has no container of a pod any more; return when that was (monotonic seconds)."""
        path = 'http://docker/containers/json?all=1&filters={"label":["io.kubernetes.pod.uid"]}'
        deadline = time.monotonic() + GONE_S
        for _ in itertools.count():
            async with self._session.get(path) as answer:
                if not await answer.json():
                    break
            assert time.monotonic() < deadline, f"containers of pods are left after {GONE_S} s"
            await asyncio.sleep(0.02)
        return time.monotonic()

    async def pair(self) -> float:
        """Return the seconds for a container without network and one that joins it."""
        started = time.monotonic()
        made = await self._pair()
        took = time.monotonic() - started
        await self._remove(made)
        return took

    async def pairs(self, count: int, parallel: int) -> float:
        """Return the seconds for `count` such pairs, `parallel` at a time."""
        slots, made = asyncio.Semaphore(parallel), list[str]()

        async def one() -> None:
            async with slots:
                made.extend(await self._pair())

        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())
        took = time.monotonic() - started
        await self._remove(made)
        return took
