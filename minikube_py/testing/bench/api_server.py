"""The server's half of `scripts/bench api`: an API server, or the ceiling, alone on one core.

`python -m minikube_py.testing.bench.api_server api|ceiling FOLDER CORE` prints the port. To each line on its standard
input it prints for how long its loop stood still at most since the last one, in milliseconds by the clock and of CPU.

The ceiling is a plain aiohttp handler behind the same TLS that returns bytes which were sent to it before (POST), or
sends each POST to all who watch: what Python can do at best when nothing is decided.
"""

import asyncio
import os
import sys
from pathlib import Path
from random import Random
from typing import cast

import uvloop
from aiohttp import web

from minikube_py.apiserver.authn import Authenticator
from minikube_py.apiserver.canonical import stamp
from minikube_py.apiserver.io.server import ApiServer, ApiServerPorts
from minikube_py.kit.io.garbage import Garbage
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.store.io.open_store import open_store
from minikube_py.testing.loop_lag import LoopLag
from minikube_py.testing.memory_api_server import LOOPBACK_CONFIG, loopback_pki

BODY_BYTES_MAX = 128 << 20


async def _answer(lag: LoopLag) -> None:
    """Answer questions on standard input, to its end."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb")
    )
    while await reader.readline():
        sys.stdout.write(f"{lag.wall_s * 1000:.3f} {lag.computing_s * 1000:.3f}\n")
        sys.stdout.flush()
        lag.reset()


async def _api(folder: Path, listening: "asyncio.Future[int]") -> None:
    clock = SystemClock()
    pki = loopback_pki(folder / "pki", clock.wall_s())
    async with open_store(folder / "store", stamp=stamp, clock=clock) as durable:
        server = ApiServer(
            LOOPBACK_CONFIG,
            ApiServerPorts(
                durable=durable,
                volatile=MemoryStore(stamp, clock, 1000),
                clock=clock,
                ids=system_ids(),
                rng=Random(0),  # noqa: S311
                authenticate=Authenticator({}).authenticate,
                token_key_pem=new_key_pem(),
            ),
        )
        await server.bootstrap()
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(pki.server_context(), ready))
            await ready.wait()
            listening.set_result(server.http.port)
            garbage = group.create_task(Garbage(clock).run())
            await serving
            garbage.cancel()


async def _ceiling(folder: Path, listening: "asyncio.Future[int]") -> None:
    bodies: dict[str, bytes] = {}
    watching: set[asyncio.WriteTransport] = set()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            body = await request.content.read()
            bodies[request.path] = body
            chunk = b"%x\r\n%s\n\r\n" % (len(body) + 1, body)
            for transport in tuple(watching):
                transport.write(chunk)
            return web.Response(status=201)
        if "watch" not in request.rel_url.raw_query_string:
            return web.Response(body=bodies[request.path], content_type="application/json")
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        mine = cast("asyncio.WriteTransport", request.transport)
        watching.add(mine)
        try:
            await asyncio.Event().wait()
        finally:
            watching.discard(mine)
        return response

    pki = loopback_pki(folder / "pki", SystemClock().wall_s())
    # A handler whose client is gone is cancelled: else what one try left behind is written to in the next.
    answering = web.Server(handle, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(answering, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=pki.server_context(), backlog=1024).start()
    listening.set_result(int(runner.addresses[0][1]))
    await asyncio.Event().wait()


async def _run(kind: str, folder: Path) -> None:
    lag = LoopLag()
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        work = {"api": _api, "ceiling": _ceiling}[kind](folder, listening)
        tasks = [group.create_task(work), group.create_task(lag.measure())]
        sys.stdout.write(f"{await listening}\n")
        sys.stdout.flush()
        await _answer(lag)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[3])})
    uvloop.run(_run(sys.argv[1], Path(sys.argv[2])))
