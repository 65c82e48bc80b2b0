"""The client's half of `scripts/bench api`: requests with as little Python as can be, and the server's costs."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast

_TICKS = os.sysconf("SC_CLK_TCK")


class Subject:
    """A server process on a core of its own."""

    def __init__(self, kind: str, folder: Path, core: int) -> None:
        argv = [sys.executable, "-m", "minikube_py.testing.bench.api_server", kind, str(folder), str(core)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def cpu_s(self) -> float:
        """Return the CPU seconds that the process has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def pss_mb(self) -> float:
        """Return its proportional set size."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))

    def stood_still_ms(self) -> tuple[float, float]:
        """Return for how long its loop stood still at most since the last question, by the clock and in CPU time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        wall_ms, cpu_ms = self._process.stdout.readline().split()
        return float(wall_ms), float(cpu_ms)


class Connection:
    """One kept connection; one request at a time."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self._port = port
        self._tls = tls

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._tls, limit=1 << 20
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(
        self, method: str, path: str, body: bytes = b"", media: str = "application/json", accept: str = "*/*"
    ) -> None:
        """Send a request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nUser-Agent: bench/1\r\n"
        if body:
            head += f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)

    async def head(self) -> tuple[int, int]:
        """Return the status and the length of the answer's body."""
        head = await _all_of(self._reader.readuntil(b"\r\n\r\n"))
        status, length = int(head[9:12]), 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        return status, length

    async def body(self, length: int) -> bytes:
        """Return the answer's body of so many bytes."""
        return await _all_of(self._reader.readexactly(length))

    async def ask(
        self, method: str, path: str, body: bytes = b"", media: str = "application/json", accept: str = "*/*"
    ) -> bytes:
        """Return the body of a successful answer."""
        self.write(method, path, body, media, accept)
        status, length = await self.head()
        answer = await self.body(length)
        assert status < 300, (method, path, answer[:500])
        return answer


class Crowd:
    """Open watches, and how many events they have seen together."""

    def __init__(self) -> None:
        self._watchers: list[_Watcher] = []
        self._seen = 0
        self._wanted = 0
        self._closed = False
        self._changed = asyncio.Event()

    async def join(self, port: int, tls: ssl.SSLContext, target: str) -> None:
        """Open one more watch, and wait for the head of its answer."""
        watcher = _Watcher(self, target)
        await asyncio.get_running_loop().create_connection(lambda: watcher, "127.0.0.1", port, ssl=tls)
        self._watchers.append(watcher)
        await watcher.begun

    def told(self, events: int) -> None:
        """Count what a watcher got."""
        self._seen += events
        if self._seen >= self._wanted:
            self._changed.set()

    def left(self) -> None:
        """Note that a watch is over."""
        self._closed = True
        self._changed.set()

    async def wait_seen(self, wanted: int) -> None:
        """Wait until all together have seen so many.

        Raises:
            ConnectionError: the server closed a watch.
        """
        self._wanted = wanted
        while self._seen < wanted:
            self._changed.clear()
            await self._changed.wait()
            if self._closed:
                raise ConnectionError(f"the server closed a watch after {self._seen} of {wanted} events")

    def close(self) -> None:
        """End all watches."""
        for watcher in self._watchers:
            watcher.close()


class _Watcher(asyncio.Protocol):
    """One watch; it looks for the mark of an event in the bytes as they come, and for nothing else.

    A reader of lines costs this client as much as the event costs the server, and so is what one measures then.
    """

    _MARK = b'{"type":"MODIFIED"'

    def __init__(self, crowd: Crowd, target: str) -> None:
        self._crowd = crowd
        self._target = target
        self._transport: asyncio.WriteTransport | None = None
        self._tail = b""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(f"GET {self._target} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            self.begun.set_result(None)
        data = self._tail + data
        if events := data.count(self._MARK):
            self._crowd.told(events)
        self._tail = data[1 - len(self._MARK) :]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(ConnectionError("the server closed the connection instead of answering a watch"))
        self._crowd.left()

    def close(self) -> None:
        """End the watch."""
        assert self._transport is not None
        self._transport.close()


async def _all_of(reading: Awaitable[bytes]) -> bytes:
    """Return what is read.

    Raises:
        ConnectionError: the server closed the connection before that (not EOFError, which click takes for ^D).
    """
    try:
        return await reading
    except asyncio.IncompleteReadError as error:
        raise ConnectionError(f"the server closed the connection after {len(error.partial)} bytes") from error


@dataclass(frozen=True, slots=True)
class Measured:
    """What one try of one scenario took."""

    count: int
    took_s: float
    cpu_s: float
    latencies_s: Sequence[float]
    still_ms: tuple[float, float]
    """For how long the server's loop stood still at most, by the clock and in CPU time."""

    @property
    def per_cpu_s(self) -> float:
        """Return how much was done for each CPU second of the server."""
        return self.count / max(self.cpu_s, 1 / _TICKS)

    def percentile_ms(self, share: float) -> float:
        """Return a percentile of the latencies."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


Ask = Callable[[Connection, int], Awaitable[object]]


async def measure(
    subject: Subject, tls: ssl.SSLContext, clients: int, ask: Ask, *, seconds: float = 0.0, count: int = 0
) -> Measured:
    """Let `clients` connections call `ask(connection, number)` for `seconds`, or `count` times in all."""
    latencies: list[float] = []
    numbers = iter(range(count or 1 << 60))

    async def one(connection: Connection, end_s: float) -> None:
        while time.perf_counter() < end_s and (number := next(numbers, None)) is not None:
            began_s = time.perf_counter()
            await ask(connection, number)
            latencies.append(time.perf_counter() - began_s)

    connections = [await Connection(subject.port, tls).__aenter__() for _ in range(clients)]
    subject.stood_still_ms()
    cpu_s, began_s = subject.cpu_s(), time.perf_counter()
    end_s = began_s + (seconds or 1e9)
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(one(connection, end_s))
    took_s, cpu_s = time.perf_counter() - began_s, subject.cpu_s() - cpu_s
    still_ms = subject.stood_still_ms()
    for connection in connections:
        await connection.__aexit__(None, None, None)
    return Measured(len(latencies), took_s, cpu_s, latencies, still_ms)
