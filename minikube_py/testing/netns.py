"""Hosts and pods for tests on the real kernel: network namespaces that vanish with their processes or threads."""

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

CLONE_NEWNET = 0x40000000
ANSWER_S_MAX = 15
"""How long an answer may take: on a busy machine a packet is sent for the fourth time (after 1, 3 and 7 s)."""
_SERVER = """
import socket, sys, threading
name, kind, port = sys.argv[1].encode(), sys.argv[2], int(sys.argv[3])
if kind == "udp":
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", port))
    print("ready", flush=True)
    while True:
        data, client = server.recvfrom(2048)
        server.sendto(name + b" " + client[0].encode(), client)
server = socket.create_server(("0.0.0.0", port), backlog=512)
print("ready", flush=True)
while True:
    connection, client = server.accept()
    connection.sendall(name + b" " + client[0].encode())
    connection.close()
"""
_CLIENT = """
import socket, sys
kind, address, port, count, patience_s = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
for _ in range(count):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    client.settimeout(patience_s)
    try:
        client.connect((address, port))
        if kind == "udp":
            client.send(b"?")
        print(client.recv(2048).decode())
    except OSError as error:
        print(type(error).__name__)
    client.close()
"""


class Sandbox:
    """A process in an empty network namespace, as a pod's pause container is."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[str]] = []
        self._holder: subprocess.Popen[str] = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], text=True)
        home = os.readlink("/proc/thread-self/ns/net")
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == home:
            time.sleep(0.001)

    @property
    def pid(self) -> int:
        """Return the pid that holds the namespace."""
        return self._holder.pid

    def run(self, *argv: str) -> str:
        """Run a program inside and return what it printed."""
        return run_checked("nsenter", f"--net=/proc/{self.pid}/ns/net", *argv)

    def serve(self, name: str, kind: str, port: int) -> None:
        """Start a server inside that answers `NAME CLIENT-ADDRESS`; `kind` is tcp or udp."""
        self._children.append(_start_server(("nsenter", f"--net=/proc/{self.pid}/ns/net"), name, kind, port))

    def ask(self, kind: str, address: str, port: int, count: int = 1, patience_s: int = ANSWER_S_MAX) -> list[str]:
        """Ask such a server `count` times, each time over a new socket; an error answers by its name."""
        return self.run(*_client(kind, address, port, count, patience_s)).splitlines()

    def stop(self) -> None:
        """End everything inside, and with it the namespace."""
        for process in (*self._children, self._holder):
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def serve_here(name: str, kind: str, port: int) -> "subprocess.Popen[str]":
    """Start such a server in the namespace of this thread; the caller ends it."""
    return _start_server((), name, kind, port)


def _start_server(prefix: Sequence[str], name: str, kind: str, port: int) -> "subprocess.Popen[str]":
    argv = [*prefix, sys.executable, "-c", _SERVER, name, kind, str(port)]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    return server


def ask_from_here(kind: str, address: str, port: int, count: int = 1) -> list[str]:
    """Ask as `Sandbox.ask` does, from the namespace of this thread: the host."""
    return run_checked(*_client(kind, address, port, count, ANSWER_S_MAX)).splitlines()


def _client(kind: str, address: str, port: int, count: int, patience_s: int) -> tuple[str, ...]:
    return (sys.executable, "-c", _CLIENT, kind, address, *map(str, (port, count, patience_s)))


def run_checked(*argv: str) -> str:
    """Run a program and return what it printed; it must succeed."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(argv[:4])}: {done.stdout}{done.stderr}"
    return done.stdout


def run_on_fresh_host(scenario: Callable[[], Awaitable[None]], commands: Sequence[str] = ()) -> None:
    """Run `scenario` in a thread with a network namespace of its own, after these shell-like commands."""

    def body() -> None:
        assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
        for command in ("ip link set lo up", *commands):
            run_checked(*command.split())
        asyncio.run(_as_coroutine(scenario))

    # The namespace goes with the thread, and the thread with the executor.
    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(body).result()


async def _as_coroutine(scenario: Callable[[], Awaitable[None]]) -> None:
    await scenario()
