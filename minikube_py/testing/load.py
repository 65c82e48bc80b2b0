"""A constant load of HTTP requests, one new connection each: what an update or a killed agent must not disturb.

`python -m minikube_py.testing.load load HOST PORT` sends until its standard input ends, then prints what happened as
JSON; `… ask HOST PORT TIMES` prints the answers to so many requests.
"""

import asyncio
import contextlib
import sys
from collections import Counter
from dataclasses import dataclass, field

import orjson

REQUEST_TIMEOUT_S = 5.0
PAUSE_S = 0.005
ERRORS_MAX = 20
"""How many failures are described; all are counted."""


@dataclass(slots=True)
class Outcome:
    """What the requests brought."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    errors: list[str] = field(default_factory=list)


async def ask(host: str, port: int) -> str:
    """Return the body of one GET / over a connection of its own.

    Raises:
        OSError: no connection, or it broke.
        ValueError: the answer is no 200.
    """
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0] + b" ":
        raise ValueError(f"no 200: {head[:80]!r}")
    return body.decode().strip()


async def send_load(host: str, port: int, stop: asyncio.Event, parallel: int) -> Outcome:
    """Send requests from `parallel` loops until `stop`."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()

    async def one_client() -> None:
        while not stop.is_set():
            started = loop.time()
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    outcome.answers[await ask(host, port)] += 1
            except (OSError, ValueError, TimeoutError) as error:
                outcome.failures += 1
                if len(outcome.errors) < ERRORS_MAX:
                    outcome.errors.append(f"after {loop.time() - started:.3f} s: {error!r}")
            await asyncio.sleep(PAUSE_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(one_client())
    return outcome


async def load_until_input_ends(host: str, port: int) -> None:
    """Send until standard input ends, then print the outcome."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    outcome = await send_load(host, port, stop, parallel=4)
    report = {"answers": dict(outcome.answers), "failures": outcome.failures, "errors": outcome.errors}
    sys.stdout.buffer.write(orjson.dumps(report) + b"\n")


async def ask_times(host: str, port: int, times: int) -> None:
    """Send `times` requests and print their answers."""
    sys.stdout.buffer.write(orjson.dumps([await ask(host, port) for _ in range(times)]) + b"\n")


if __name__ == "__main__":
    mode, target_host, target_port, *rest = sys.argv[1:]
    if mode == "load":
        asyncio.run(load_until_input_ends(target_host, int(target_port)))
    else:
        asyncio.run(ask_times(target_host, int(target_port), int(rest[0])))
