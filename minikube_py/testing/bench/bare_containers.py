"""What the engine itself needs for the containers of pods: the measure that pods are held to."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from minikube_py.testing.lab.cluster import IMAGE

GONE_S = 300
SLEEP = ("sleep", "3600")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the first call to the last answer."""

    made_s: float
    gone_s: float


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
        return [await self._join(first), first]

    async def _join(self, first: str) -> str:
        return await self._start({"NetworkMode": f"container:{first}", "IpcMode": f"container:{first}"})

    async def _remove(self, identities: Iterable[str]) -> None:
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

    async def pairs(self, count: int, parallel: int) -> Took:
        """Make containers without network with one more in each, and remove them, `parallel` pairs at a time."""
        slots, made = asyncio.Semaphore(parallel), list[list[str]]()

        async def one() -> None:
            async with slots:
                made.append(await self._pair())

        async def no(pair: list[str]) -> None:
            async with slots:
                await self._remove(pair)

        made_s = await _all(one() for _ in range(count))
        return Took(made_s, await _all(map(no, made)))

    async def kill(self, identity: str) -> None:
        """End a container at once."""
        await self._post(f"/containers/{identity}/kill")

    async def successor(self) -> float:
        """Return the seconds from the kill of a container in a pair until another one runs in its place."""
        first, other = await self._pair()
        started = time.monotonic()
        await self.kill(first)
        await self._post(f"/containers/{first}/wait")
        second = await self._join(other)
        took = time.monotonic() - started
        await self._remove((second, first, other))
        return took


async def _all(works: Iterable[Awaitable[None]]) -> float:
    started = time.monotonic()

    async def do(work: Awaitable[None]) -> None:
        await work

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(do(work))
    return time.monotonic() - started
