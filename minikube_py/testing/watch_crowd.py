"""Many watchers of one API server over loopback TCP, with random disconnects and slow readers, against a model.

The rule: whoever lists at a revision sees the state at that revision, and whoever watches from a revision sees every
event after it that concerns him, once and in order, until he disconnects, is cut off for being slow, or is told 410
and lists again. A follower that breaks the rule says what it saw and what it should have seen.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import quote

import orjson

from minikube_py.apiserver.io.server import ApiServer
from minikube_py.client.wire import ApiRequest
from minikube_py.store.mvcc import HistoryLimits
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    LOOPBACK_CONFIG,
    memory_api_server,
    memory_store,
    serving,
)

MAPS = "/api/v1/namespaces/default/configmaps"
COLORS = ("red", "green", "blue")
NAMES = 20
HISTORY = HistoryLimits(events_min=60, age_s=0.0)
"""So short that whoever sleeps for long must list again."""
CONFIG = replace(LOOPBACK_CONFIG, watch_buffer_bytes_max=32 << 10, shutdown_grace_s=0.1)
CATCH_UP_S = 60.0
WRITES_TIMES = 20
PADDING = "x" * 16_000
"""So much that the kernel's buffers do not hide who does not read."""
_RECEIVE_BYTES = 8 << 10

Seen = tuple[int, str, str]
"""(revision, type, name) of an event."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change of one object: its colour before and after, None where it is not there."""

    revision: int
    name: str
    before: str | None
    after: str | None


@dataclass(slots=True)
class Log:
    """All writes, in order; what a follower should see derives from it."""

    first: int
    writes: list[Write] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """Return the newest revision."""
        return self.writes[-1].revision if self.writes else self.first

    def add(self, name: str, after: str | None) -> None:
        """Note the next write."""
        self.writes.append(Write(self.revision + 1, name, self.state.get(name), after))
        if after is None:
            del self.state[name]
        else:
            self.state[name] = after

    def events(self, color: str, after: int, last: int) -> list[Seen]:
        """Return the events of objects of `color` (empty: all) after one revision, up to another."""
        found = []
        for write in self.writes[max(0, after - self.first) : max(0, last - self.first)]:
            before = write.before is not None and color in ("", write.before)
            now = write.after is not None and color in ("", write.after)
            kind = ("MODIFIED" if before else "ADDED") if now else "DELETED"
            if before or now:
                found.append((write.revision, kind, write.name))
        return found

    def listed(self, color: str, revision: int) -> dict[str, str]:
        """Return name -> colour of the objects of `color` as they were at a revision."""
        state: dict[str, str] = {}
        for write in self.writes[: revision - self.first]:
            if write.after is None:
                del state[write.name]
            else:
                state[write.name] = write.after
        return {name: kept for name, kept in state.items() if color in ("", kept)}


class Follower:
    """One watcher: lists, watches, goes away or falls asleep now and then, and goes on from where it was."""

    def __init__(self, port: int, log: Log, color: str, rng: Random) -> None:
        self._port = port
        self._log = log
        self._color = color
        self._rng = rng
        self.revision = 0
        self.lists = self.watches = self.events = self.expired = 0
        self.restless = True
        """Whether it still disconnects and sleeps."""

    async def run(self) -> None:
        """Follow until cancelled.

        Raises:
            AssertionError: the rule is broken.
        """
        while True:
            if not self.revision:
                await self._list()
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._watch()
            if self.restless and self._rng.random() < 0.3:
                await asyncio.sleep(self._rng.uniform(0, 1))

    def is_current(self) -> bool:
        """Return whether it has seen the last event that concerns it."""
        return bool(self.revision) and not self._log.events(self._color, self.revision, self._log.revision)

    async def _open(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = socket.socket()
        # Small buffers, so that who does not read is noticed by the server.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._port))
        reader, writer = await asyncio.open_connection(sock=made, limit=64 << 10)
        selector = f"labelSelector={quote(f'color={self._color}')}&" if self._color else ""
        head = f"GET {MAPS}?{selector}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def _list(self) -> None:
        reader, writer = await self._open("timeoutSeconds=60&watch=0&limit=0&x=1")
        try:
            body = b""
            while True:
                body += await reader.read(_RECEIVE_BYTES)
                with suppress(orjson.JSONDecodeError):
                    listed = orjson.loads(body)
                    break
        finally:
            writer.close()
        revision = int(listed["metadata"]["resourceVersion"])
        found = {
            item["metadata"]["name"]: item["metadata"]["labels"]["color"]
            for item in listed["items"]
            if "color" in item["metadata"].get("labels", {})
        }
        expected = self._log.listed(self._color, revision)
        assert found == expected, f"the list at {revision} shows {found} instead of {expected}"
        self.revision = revision
        self.lists += 1

    async def _watch(self) -> None:
        start, seen = self.revision, list[Seen]()
        reader, writer = await self._open(f"watch=1&resourceVersion={start}")
        self.watches += 1
        leave_after = self._rng.randint(1, 60) if self.restless and self._rng.random() < 0.7 else 1 << 60
        try:
            while len(seen) < leave_after:
                line = await self._line(reader)
                if line is None:
                    return  # cut off, or the server ended it
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    assert event["object"]["code"] == 410, event
                    self.expired += 1
                    self.revision = 0
                    return
                meta = event["object"]["metadata"]
                seen.append((int(meta["resourceVersion"]), event["type"], meta["name"]))
                self.revision = seen[-1][0]
                if self.restless and self._rng.random() < 0.02:
                    await asyncio.sleep(self._rng.choice((0.05, 0.5, 3)))
        finally:
            writer.transport.abort()
            self.events += len(seen)
            if seen:
                expected = self._log.events(self._color, start, seen[-1][0])
                assert seen == expected, f"from {start} on {self._color or 'all'}: {seen} instead of {expected}"

    async def _line(self, reader: asyncio.StreamReader) -> bytes | None:
        """Return the next event's line; None at the end."""
        while True:
            line = await reader.readline()
            if not line.endswith(b"\n") or line == b"0\r\n":
                return None
            if line.startswith(b"{"):
                return line


class Crowd:
    """One server, its writer and all followers."""

    def __init__(self, server: ApiServer, port: int, log: Log, seed: int, followers: int) -> None:
        self._transport = server.local_transport()
        self._log = log
        self._rng = Random(seed)  # noqa: S311 - a seed that can be repeated
        self.followers = [
            Follower(port, log, self._rng.choice(("", "", *COLORS)), Random(self._rng.random()))  # noqa: S311
            for _ in range(followers)
        ]

    async def write(self) -> None:
        """Make, change or delete an object."""
        name = f"m{self._rng.randrange(NAMES)}"
        color = self._rng.choice(COLORS)
        if name not in self._log.state:
            labels: Mapping[str, object] = {"name": name, "labels": {"color": color}}
            await self._send("POST", MAPS, {"metadata": labels, "data": {"n": PADDING}})
            self._log.add(name, color)
        elif self._rng.random() < 0.2:
            await self._send("DELETE", f"{MAPS}/{name}", None)
            self._log.add(name, None)
        else:
            number = str(len(self._log.writes))
            patch = {"metadata": {"labels": {"color": color}}, "data": {"number": number}}
            await self._send("PATCH", f"{MAPS}/{name}", patch)
            self._log.add(name, color)

    async def _send(self, method: str, path: str, body: object) -> None:
        headers = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        sent = b"" if body is None else orjson.dumps(body)
        # The log must have the write before a follower can see it: followers run only when this awaits for long.
        answer = await self._transport.send(ApiRequest(method, path, {}, headers, sent))
        assert answer.status < 300, answer.body

    async def run(self, writes: int, cut_off: Callable[[], float]) -> str:
        """Write so often while everybody follows, then wait until all have seen all; returns what happened.

        It goes on writing, up to WRITES_TIMES as often, until somebody has been too slow and somebody too late.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(follower.run()) for follower in self.followers]
            await _until(lambda: all(follower.lists for follower in self.followers))
            for number in range(writes * WRITES_TIMES):
                if number >= writes and cut_off() and any(follower.expired for follower in self.followers):
                    break
                await self.write()
                # Bursts, and pauses in which the followers catch up.
                await asyncio.sleep(0.02 if number % 20 == 0 else 0)
            for follower in self.followers:
                follower.restless = False
            async with asyncio.timeout(CATCH_UP_S):
                await _until(lambda: all(follower.is_current() for follower in self.followers))
            for task in tasks:
                task.cancel()
        counted = {
            what: sum(getattr(follower, what) for follower in self.followers)
            for what in ("events", "watches", "lists", "expired")
        }
        return f"{len(self.followers)} watchers, {len(self._log.writes)} writes: {counted}"


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - a hundred followers change what it looks at
        await asyncio.sleep(0.02)


async def follow(seed: int, followers: int, writes: int) -> str:
    """Run one crowd to its end.

    Raises:
        AssertionError (in a group): a follower missed an event, saw one twice, or out of order.
    """
    server = memory_api_server(CONFIG, durable=memory_store(HISTORY))
    async with serving(server, None):
        transport = server.local_transport()
        listed = await transport.send(ApiRequest("GET", MAPS, {}, {}))
        log = Log(int(orjson.loads(listed.body)["metadata"]["resourceVersion"]))
        cut_off = server.metrics.watch_drops.labels("configmaps")._value.get  # noqa: SLF001 - it has no other reader
        said = await Crowd(server, server.http.port, log, seed, followers).run(writes, cut_off)
        return f"{said}, {int(cut_off())} cut off"
