"""The API server beside a plain aiohttp handler that returns prebuilt bytes: the rows of upstream's measurement.

Server and client have a core each; TLS with client certificates, JSON, kept connections; pods of 4.6 KB. The figure
to compare is operations for each CPU second of the server. The durable store is on disk, as in the agent.

Beside it stand the rate, the latencies, and how long the server's event loop stood still at most (testing.loop_lag):
a heartbeat that was due then would have been that late.
"""

import asyncio
import os
import shutil
import ssl
import time
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp

import orjson
import uvloop

from minikube_py.apiserver.users import SYSTEM_MASTERS
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.bench.api_client import Ask, Connection, Crowd, Measured, Subject, measure
from minikube_py.testing.bench.report import Row
from minikube_py.testing.custom_objects import a_definition
from minikube_py.testing.memory_api_server import client_context, loopback_pki

SECONDS = float(os.environ.get("BENCH_API_S", "2"))
TRIES = int(os.environ.get("BENCH_API_TRIES", "3"))
STORED = int(os.environ.get("BENCH_API_PODS", "10000"))
WATCHERS = int(os.environ.get("BENCH_API_WATCHERS", "1000"))
ONLY = os.environ.get("BENCH_API_ONLY", "")
"""Comma separated parts: get, list, write, watch, custom; empty: all."""
POD_BYTES = 4600
SERVER_CORE, CLIENT_CORE = 0, 1
MERGE = "application/merge-patch+json"
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def pod(name: str, labels: dict[str, str]) -> bytes:
    """Return a pod that comes back with about POD_BYTES."""
    env = [{"name": f"VARIABLE_{n}", "value": f"value-{n}"} for n in range(8)]
    container = {
        "name": "app",
        "image": "registry.example/team/app:1.2.3",
        "env": env,
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    meta = {"name": name, "labels": labels, "annotations": {"example.com/padding": "x" * 1000}}
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    return orjson.dumps(obj)


class Bench:
    """One run: the subjects, and the rows so far."""

    def __init__(self, api: Subject, ceiling: Subject, tls: ssl.SSLContext) -> None:
        self.api = api
        self.ceiling = ceiling
        self.tls = tls
        self.rows: list[Row] = []
        self._made = 0

    async def row(
        self,
        name: str,
        clients: int,
        ask: Ask,
        *,
        aim: str,
        beside: Ask | None = None,
        count: int = 0,
    ) -> None:
        """Measure a scenario, and the same on the ceiling in turns."""
        mine: list[Measured] = []
        theirs: list[Measured] = []
        await measure(self.api, self.tls, 1, ask, count=1)
        for _ in range(TRIES):
            seconds = 0.0 if count else SECONDS
            mine.append(await measure(self.api, self.tls, clients, ask, seconds=seconds, count=count))
            if beside is not None:
                theirs.append(await measure(self.ceiling, self.tls, clients, beside, seconds=SECONDS))
        self.add(name, mine, theirs, aim)

    def add(self, name: str, mine: Sequence[Measured], theirs: Sequence[Measured] = (), aim: str = "") -> None:
        """Add the row, and that of the ceiling."""
        top = Row(f"  ceiling: {name}", "1/CPU-s", tuple(m.per_cpu_s for m in theirs), note=_note(theirs))
        row = Row(name, "1/CPU-s", tuple(m.per_cpu_s for m in mine), aim=aim, note=_note(mine))
        if theirs:
            row = Row(name, row.unit, row.tries, "ceiling", row.median / top.median, aim, row.note)
        self.rows += [row, top] if theirs else [row]

    def name(self) -> str:
        """Return a name that is new."""
        self._made += 1
        return f"w{self._made}"


def _note(measured: Sequence[Measured]) -> str:
    if not measured:
        return ""
    rate = sum(m.count for m in measured) / sum(m.took_s for m in measured)
    p50, p99 = (max(m.percentile_ms(share) for m in measured) for share in (0.5, 0.99))
    wall_ms, cpu_ms = (max(still) for still in zip(*(m.still_ms for m in measured), strict=True))
    return f"{rate:.0f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, loop held {wall_ms:.1f} ms, {cpu_ms:.1f} of CPU"


def run() -> list[Row]:
    """Measure everything; some minutes."""
    folder = Path(mkdtemp(prefix="mkpy-bench-api-", dir=os.environ.get("BENCH_STORE_DIR")))
    before = os.sched_getaffinity(0)
    try:
        pki = loopback_pki(folder / "pki", SystemClock().wall_s())
        assert SYSTEM_MASTERS
        tls = client_context(pki, with_certificate=True)
        with Subject("api", folder, SERVER_CORE) as api, Subject("ceiling", folder, SERVER_CORE) as ceiling:
            os.sched_setaffinity(0, {CLIENT_CORE})
            bench = Bench(api, ceiling, tls)
            uvloop.run(_run(bench))
            return bench.rows
    finally:
        os.sched_setaffinity(0, before)
        shutil.rmtree(folder)


async def _run(bench: Bench) -> None:
    parts = {"get": _get, "list": _list, "write": _write, "watch": _watch, "custom": _custom}
    async with Connection(bench.api.port, bench.tls) as connection:
        await connection.ask("POST", PODS, pod("one", {"app": "one"}))
    for name, part in parts.items():
        if not ONLY or name in ONLY.split(","):
            await part(bench)
    async with Connection(bench.api.port, bench.tls) as connection:
        bench.rows.append(_lag_seen(await connection.ask("GET", "/metrics")))


def _lag_seen(metrics: bytes) -> Row:
    """Return the worst delay of the whole run as users see it: the last bucket of the histogram that has grown."""
    seen, counted = "0", 0.0
    for line in metrics.decode().splitlines():
        if line.startswith("minikube_py_loop_lag_seconds_bucket"):
            bound, count = line.partition('le="')[2].split('"} ')
            if float(count) > counted:
                seen, counted = bound, float(count)
    note = f"of {counted:.0f} measurements, one a second"
    return Row("loop lag in /metrics, at most", "ms", (float(seen) * 1000,), note=note)


async def _prebuilt(bench: Bench, path: str, accept: str = "*/*") -> None:
    """Give the ceiling the bytes that the API server answers with."""
    async with Connection(bench.api.port, bench.tls) as mine, Connection(bench.ceiling.port, bench.tls) as theirs:
        body = await mine.ask("GET", path, accept=accept)
        await theirs.ask("POST", path.partition("?")[0], body)


def _getting(path: str, accept: str = "*/*") -> Ask:
    return lambda connection, _: connection.ask("GET", path, accept=accept)


async def _get(bench: Bench) -> None:
    await _prebuilt(bench, f"{PODS}/one")
    ask = _getting(f"{PODS}/one")
    await bench.row("GET one pod, 16 clients", 16, ask, aim="8,000; 50 % of the ceiling", beside=ask)


async def _fill(bench: Bench, namespace: str, count: int) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    async with Connection(bench.api.port, bench.tls) as connection:
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await connection.ask("POST", "/api/v1/namespaces", orjson.dumps(made))
    await measure(
        bench.api,
        bench.tls,
        32,
        lambda c, n: c.ask("POST", path, pod(f"p{n}", {"app": "web", "slot": f"s{n % 100}"})),
        count=count,
    )


async def _list(bench: Bench) -> None:
    await _fill(bench, "thousand", min(1000, STORED))
    await _fill(bench, "many", STORED)
    memory = Row(f"memory with {STORED} stored pods more", "MB", (bench.api.pss_mb(),), aim="< 200")
    bench.rows.append(memory)
    for namespace, shown, aim in (("thousand", "1,000", "150"), ("many", f"{STORED:,}", "15")):
        path = f"/api/v1/namespaces/{namespace}/pods"
        await _prebuilt(bench, path)
        for version in ("", "?resourceVersion=0"):
            name = f"LIST {shown} pods{', rv=0' if version else ''}"
            await bench.row(
                name, 2, _getting(path + version), aim=f"{aim}; 80 % of the ceiling", beside=_getting(path)
            )
    path = "/api/v1/namespaces/many/pods"
    for version in ("", "&resourceVersion=0"):
        name = f"LIST 1 % of {STORED:,} by label{', rv=0' if version else ''}"
        await bench.row(name, 4, _getting(f"{path}?labelSelector=slot%3Ds7{version}"), aim="1,000")
    await bench.row(f"LIST {STORED:,} as Table", 1, _getting(path, TABLE), aim="5", count=3)


async def _write(bench: Bench) -> None:
    def create(connection: Connection, _: int) -> object:
        return connection.ask("POST", PODS, pod(bench.name(), {"app": "x"}))

    def create_map(connection: Connection, _: int) -> object:
        meta = {"name": bench.name()}
        return connection.ask("POST", MAPS, orjson.dumps({"metadata": meta, "data": {"a": "x" * 300}}))

    for clients in (1, 16, 64):
        await bench.row(f"create pod, {clients} clients", clients, create, aim="1,200 at 16")  # type: ignore[arg-type]
    await bench.row("create ConfigMap 0.5 KB, 16 clients", 16, create_map, aim="2,500")  # type: ignore[arg-type]
    await _changes(bench)
    await _removals(bench)


async def _changes(bench: Bench) -> None:
    bodies: dict[int, bytes] = {}
    async with Connection(bench.api.port, bench.tls) as connection:
        for number in range(64):
            bodies[number] = await connection.ask("POST", PODS, pod(f"change{number}", {"app": "x"}))
        lease = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "x"}}
        leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
        for number in range(16):
            lease["metadata"] = {"name": f"l{number}"}
            await connection.ask("POST", leases, orjson.dumps(lease))

    def patch(connection: Connection, number: int) -> object:
        body = orjson.dumps({"metadata": {"labels": {"n": str(number)}}})
        return connection.ask("PATCH", f"{PODS}/change{number % 64}", body, MERGE)

    def renew(connection: Connection, number: int) -> object:
        body = orjson.dumps({"spec": {"leaseTransitions": number}})
        return connection.ask("PATCH", f"{leases}/l{number % 16}", body, MERGE)

    async def put(connection: Connection, number: int) -> None:
        obj = orjson.loads(bodies[number % 64])
        obj["metadata"]["labels"]["n"] = f"{number}"
        obj["metadata"].pop("resourceVersion", None)
        await connection.ask("PUT", f"{PODS}/change{number % 64}", orjson.dumps(obj))

    for clients in (1, 16):
        await bench.row(f"merge patch of a pod, {clients} clients", clients, patch, aim="1,000")  # type: ignore[arg-type]
    await bench.row("PUT pod, 16 clients", 16, put, aim="1,200")
    await bench.row("Lease renewal (merge patch), 16 clients", 16, renew, aim="3,000")  # type: ignore[arg-type]


async def _removals(bench: Bench) -> None:
    count = 1000
    measured: list[Measured] = []
    for attempt in range(TRIES):
        await _fill(bench, f"gone{attempt}", count)
        remove = partial(_remove, f"/api/v1/namespaces/gone{attempt}/pods")
        measured.append(await measure(bench.api, bench.tls, 16, remove, count=count))
    bench.add("delete pod, 16 clients", measured, aim="1,200")
    took: list[float] = []
    for attempt in range(TRIES):
        await _fill(bench, f"all{attempt}", count)
        async with Connection(bench.api.port, bench.tls) as connection:
            began_s = time.perf_counter()
            await connection.ask("DELETE", f"/api/v1/namespaces/all{attempt}/pods")
            took.append(time.perf_counter() - began_s)
    bench.rows.append(Row("deletecollection of 1,000 pods", "s", tuple(took), aim="< 0.8"))


async def _remove(path: str, connection: Connection, number: int) -> None:
    await connection.ask("DELETE", f"{path}/p{number}")


async def _watch(bench: Bench) -> None:
    updates = 40
    async with Connection(bench.api.port, bench.tls) as connection:
        body = b'{"type":"MODIFIED","object":%s}' % await connection.ask("GET", f"{PODS}/one")

    async def update(connection: Connection, number: int) -> None:
        patch = orjson.dumps({"metadata": {"labels": {"n": f"{time.time_ns()}"}}})
        await connection.ask("PATCH", f"{PODS}/one", patch, MERGE)
        del number

    async def send(connection: Connection, number: int) -> None:
        await connection.ask("POST", "/event", body)
        del number

    mine, theirs, burst = [], [], []
    for _ in range(TRIES):
        mine.append(await _fan_out(bench.api, bench.tls, update, updates, at_once=1))
        theirs.append(await _fan_out(bench.ceiling, bench.tls, send, updates, at_once=1))
        burst.append(await _fan_out(bench.api, bench.tls, update, 200, at_once=16))
    bench.add(f"watch, {WATCHERS} watchers, one update at a time", mine, theirs, "60,000; p50 < 15 ms; 80 %")
    bench.add(f"watch, {WATCHERS} watchers, 200 updates by 16 clients", burst, aim="100,000")


async def _open_watches(subject: Subject, tls: ssl.SSLContext) -> Crowd:
    crowd = Crowd()
    for _ in range(WATCHERS):
        await crowd.join(subject.port, tls, f"{PODS}?watch=1&fieldSelector=metadata.name%3Done&resourceVersion=0")
    await asyncio.sleep(0.3)
    return crowd


async def _fan_out(subject: Subject, tls: ssl.SSLContext, update: Ask, updates: int, *, at_once: int) -> Measured:
    """Let all watchers see `updates` updates; the latency is from the acknowledgement to the last watcher."""
    crowd = await _open_watches(subject, tls)
    connections = [await Connection(subject.port, tls).__aenter__() for _ in range(at_once)]
    lags: list[float] = []
    subject.stood_still_ms()
    cpu_s, began_s = subject.cpu_s(), time.perf_counter()
    for first in range(0, updates, at_once):
        async with asyncio.TaskGroup() as writers:
            for number, connection in enumerate(connections[: updates - first]):
                writers.create_task(_awaited(update, connection, number))
        acknowledged_s = time.perf_counter()
        await crowd.wait_seen(WATCHERS * min(updates, first + at_once))
        lags.append(time.perf_counter() - acknowledged_s)
    took_s, cpu_s = time.perf_counter() - began_s, subject.cpu_s() - cpu_s
    still_ms = subject.stood_still_ms()
    crowd.close()
    for connection in connections:
        await connection.__aexit__(None, None, None)
    return Measured(WATCHERS * updates, took_s, cpu_s, lags, still_ms)


async def _custom(bench: Bench) -> None:
    """Take the time from a definition's creation to its first object, asked for by a client that does not wait."""
    took: list[float] = []
    async with Connection(bench.api.port, bench.tls) as connection:
        for number in range(20):
            group = f"g{number}.example.com"
            definition = orjson.dumps(a_definition(group=group))
            widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
            began_s = time.perf_counter()
            await connection.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
            await _accepted(connection, f"/apis/{group}/v1/namespaces/default/widgets", orjson.dumps(widget))
            took.append((time.perf_counter() - began_s) * 1000)
    bench.rows.append(Row("definition created -> its first object is", "ms", tuple(took), aim="< 100"))


async def _accepted(connection: Connection, path: str, body: bytes) -> None:
    while True:
        connection.write("POST", path, body)
        status, length = await connection.head()
        await connection.body(length)
        if status == HTTPStatus.CREATED:
            return


async def _awaited(ask: Ask, connection: Connection, number: int) -> None:
    await ask(connection, number)
