"""What the store costs: acknowledged writes a second, start, snapshots, memory for each object.

Every write is durable (fdatasync) before it counts. Beside it run, on the same disk and with the same values: SQLite
(one connection in one thread, WAL, synchronous=FULL, a transaction for each batch that waits), and Debian's etcd, one
member, plain puts over gRPC, when it is installed. All run in turns, on the event loop and with the collector's
timetable that the agent has.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import uvloop
from aetcd import rpc
from grpc import aio

from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.kit.io.garbage import Garbage
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Committed, Put
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.open_store import open_store
from minikube_py.testing.bench.report import Row
from minikube_py.testing.etcd_server import etcd_cluster, is_installed

WRITERS = (1, 16, 64, 256)
SECONDS = float(os.environ.get("BENCH_STORE_S", "1"))
TRIES = 5
VALUE_BYTES = 2048
REPLAYED = 10_000
OBJECTS = 100_000
BUSY_WRITERS = 16
Write = Callable[[str, bytes], Awaitable[None]]


def run() -> list[Row]:
    """Return the figures; takes about TRIES * 3 * len(WRITERS) * SECONDS."""
    folder = Path(mkdtemp(prefix="mkpy-bench-store-", dir=os.environ.get("BENCH_STORE_DIR")))
    try:
        return uvloop.run(_run(folder))
    finally:
        shutil.rmtree(folder)


async def _run(folder: Path) -> list[Row]:
    async with asyncio.TaskGroup() as group:
        garbage = group.create_task(Garbage(SystemClock()).run())
        rows = await _rates(folder)
        rows += await _replay(folder / "replay") + await _snapshot(folder / "snapshot")
        garbage.cancel()
    return rows


async def _rates(folder: Path) -> list[Row]:
    rows: list[Row] = []
    for writers in WRITERS:
        ours: list[float] = []
        sqlite: list[float] = []
        etcd: list[float] = []
        for attempt in range(TRIES):
            ours.append(await _store_rate(folder / f"store-{writers}-{attempt}", writers))
            sqlite.append(await _sqlite_rate(folder / f"sqlite-{writers}-{attempt}.db", writers))
            if is_installed():
                etcd.append(await _etcd_rate(folder / f"etcd-{writers}-{attempt}", writers))
        rows += _compared(writers, ours, sqlite, etcd)
    return rows


def _compared(writers: int, ours: list[float], sqlite: list[float], etcd: list[float]) -> list[Row]:
    """Return our rate beside etcd's where it was measured, else beside SQLite's."""
    others = [Row(f"SQLite, {writers} writers", "writes/s", tuple(sqlite))]
    if etcd:
        others.insert(0, Row(f"etcd, {writers} writers", "writes/s", tuple(etcd)))
    against = others[0]
    mine = Row(f"store, {writers} writers", "writes/s", tuple(ours), against.name)
    aim = "3 times etcd" if etcd and writers >= 64 else ""
    return [Row(mine.name, mine.unit, mine.tries, against.name, mine.median / against.median, aim), *others]


def _value(key: str) -> bytes:
    return canonical({"metadata": {"name": key}, "data": "x" * (VALUE_BYTES - 40 - len(key))})


async def _rate(write: Write, writers: int) -> float:
    end_s = time.perf_counter() + SECONDS
    done = 0

    async def one(number: int) -> None:
        nonlocal done
        key = f"/registry/core/configmaps/x/w{number}"
        value = _value(key)
        while time.perf_counter() < end_s:
            await write(key, value)
            done += 1

    started_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(writers):
            group.create_task(one(number))
    return done / (time.perf_counter() - started_s)


async def _store_rate(directory: Path, writers: int) -> float:
    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:

        async def write(key: str, value: bytes) -> None:
            assert isinstance(await store.commit([Put(key, value, None)]), Committed)

        return await _rate(write, writers)


class _Sqlite:
    """One connection in one thread; what waits is written as one transaction, as a fair opponent would."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._path = path
        self._waiting: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    async def write(self, key: str, value: bytes) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, value, future))
        self._changed.set()
        await future

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        database = await loop.run_in_executor(self._thread, self._open)
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                batch, self._waiting = self._waiting, []
                await loop.run_in_executor(self._thread, _insert, database, batch)
                for _, _, future in batch:
                    future.set_result(None)
        finally:
            self._thread.submit(database.close)
            self._thread.shutdown(wait=True)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE kv (revision INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, value BLOB)")
        database.execute("CREATE INDEX by_key ON kv (key)")
        return database


def _insert(database: sqlite3.Connection, batch: Sequence[tuple[str, bytes, object]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO kv (key, value) VALUES (?, ?)", [(key, value) for key, value, _ in batch])
    database.execute("COMMIT")


async def _sqlite_rate(path: Path, writers: int) -> float:
    opponent = _Sqlite(path)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(opponent.run())
        rate = await _rate(opponent.write, writers)
        running.cancel()
    return rate


async def _etcd_rate(folder: Path, writers: int) -> float:
    folder.mkdir()
    with etcd_cluster(folder) as (server,):
        async with aio.insecure_channel(server.url.removeprefix("http://")) as channel:
            put = rpc.KVStub(channel).Put

            async def write(key: str, value: bytes) -> None:
                await put(rpc.PutRequest(key=key.encode(), value=value))

            await write("/warm", b"x")
            return await _rate(write, writers)


async def _replay(directory: Path) -> list[Row]:
    keys = [_pod(number) for number in range(REPLAYED)]
    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store, asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(_put(store.commit, key))
    seconds: list[float] = []
    for _ in range(TRIES):
        started_s = time.perf_counter()
        async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:
            seconds.append(time.perf_counter() - started_s)
            assert store.revision == REPLAYED
    tracemalloc.start()
    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:
        held = tracemalloc.get_traced_memory()[0]
        value_bytes = sum(sys.getsizeof(entry.value) for entry in store.range(""))
    tracemalloc.stop()
    return [
        Row(f"start with {REPLAYED} records of 2 KB", "s", tuple(seconds), aim="< 0.5"),
        Row("records read at start", "records/s", tuple(REPLAYED / s for s in seconds)),
        Row("memory for each 2 KB object, history included", "bytes", (held / REPLAYED,)),
        Row("of that the value itself", "bytes", (value_bytes / REPLAYED,)),
    ]


async def _snapshot(directory: Path) -> list[Row]:
    """OBJECTS objects of 2 KB: the snapshot, the longest time that it held the loop up, the start, the memory."""
    keys = [_pod(number) for number in range(OBJECTS)]
    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:
        for at in range(0, OBJECTS, 2000):
            async with asyncio.TaskGroup() as group:
                for key in keys[at : at + 2000]:
                    group.create_task(_put(store.commit, key))
    starts = [_in_new_process(directory) for _ in range(TRIES)]
    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:
        quiet = [await _pauses(store, 0) for _ in range(TRIES)]
        busy = [await _pauses(store, BUSY_WRITERS) for _ in range(TRIES)]
        without = [await _pauses(store, BUSY_WRITERS, snapshot=False) for _ in range(TRIES)]
    changed = [_in_new_process(directory) for _ in range(TRIES)]
    pauses = f"longest pause of the loop while a snapshot of {OBJECTS} objects is made"
    return [
        Row(f"snapshot of {OBJECTS} objects of 2 KB, read back", "s", tuple(took for took, _ in quiet)),
        Row(pauses, "ms", tuple(pause for _, pause in quiet), aim="< 20"),
        Row(f"the same, with {BUSY_WRITERS} writers", "ms", tuple(pause for _, pause in busy), aim="< 20"),
        Row(f"{BUSY_WRITERS} writers and no snapshot", "ms", tuple(pause for _, pause in without)),
        Row(f"start with {OBJECTS} objects of 2 KB", "s", tuple(start for start, _, _ in starts), aim="< 2"),
        Row("revisions of history that it brings back", "", tuple(past for _, _, past in starts)),
        Row("start when the history is of changed objects", "s", tuple(start for start, _, _ in changed), aim="< 2"),
        Row("revisions of history that this brings back", "", tuple(past for _, _, past in changed)),
        Row(
            f"a process's memory with {OBJECTS} objects of 2 KB",
            "MB",
            tuple(rss for _, rss, _ in starts),
            aim="< 300",
        ),
    ]


async def _pauses(store: EmbeddedStore, writers: int, *, snapshot: bool = True) -> tuple[float, float]:
    """Take a snapshot (or a second off); return how long it took, and the longest pause of the loop in ms."""
    lags: list[float] = []
    ended = asyncio.Event()

    async def write(number: int) -> None:
        while not ended.is_set():
            # In place of an object that is there: their number stays.
            await store.commit([Put(_pod(number), _value(_pod(number)), None)])
            await asyncio.sleep(0.005)

    await store.commit([Put(_pod(0), _value(_pod(0)), None)])
    started_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(writers):
            group.create_task(write(number))
        taking = group.create_task(_taken(store) if snapshot else asyncio.sleep(1.0))
        while not taking.done():
            turn_s = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - turn_s - 0.001)
        ended.set()
    return time.perf_counter() - started_s, max(lags) * 1000


async def _taken(store: EmbeddedStore) -> None:
    await store.snapshots.take("bench")


def _pod(number: int) -> str:
    return f"/registry/core/pods/ns-{number % 50}/pod-{number}"


_START = """
import asyncio, os, sys, time
from pathlib import Path
from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.io.open_store import open_store

async def main():
    started_s = time.perf_counter()
    async with open_store(Path(sys.argv[1]), stamp=stamp, clock=SystemClock()) as store:
        took_s = time.perf_counter() - started_s
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        past = store.revision - store.compact_revision
        print(took_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, store.count(""), past)

asyncio.run(main())
"""


def _in_new_process(directory: Path) -> tuple[float, float, float]:
    """Open the store in a process of its own; return (seconds, resident MB, revisions of history)."""
    output = subprocess.run(
        [sys.executable, "-c", _START, str(directory)], check=True, capture_output=True, text=True
    )
    took, resident, count, past = output.stdout.split()
    assert int(count) == OBJECTS
    return float(took), float(resident), float(past)


async def _put(commit: Callable[[Sequence[Put]], Awaitable[object]], key: str) -> None:
    await commit([Put(key, _value(key), 0)])
