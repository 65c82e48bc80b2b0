"""The real engine as one that speaks no later API than a given version: what CentOS 7 hosts have (19.03: 1.40).

A proxy on a socket of its own. It tells the lower version wherever the engine tells its own (`/version`, the header
`Api-Version`), and refuses later paths as such an engine does; everything else goes through as it is, streams too.
What the engine does differently for old clients it does itself, since the paths name the version.
"""

import json
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HEAD_END = b"\r\n\r\n"
_VERSIONED = re.compile(rb"^[A-Z]+ /v1\.(\d+)/")
_TELLS = re.compile(rb"^[A-Z]+ (/v[0-9.]+)?/version[ ?]")
_BLOCK = 65536


class CappedEngine(socketserver.ThreadingUnixStreamServer):
    """One engine behind `socket_path`, as one of API 1.`minor_max`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Path, socket_path: Path, minor_max: int) -> None:
        super().__init__(str(socket_path), _OneRequest)
        self.engine = str(engine)
        self.minor_max = minor_max
        self.minors: set[int] = set()
        """The versions that clients have spoken."""


class _OneRequest(socketserver.BaseRequestHandler):
    """One connection, one request: the engine is told to close behind its answer, so that nothing is parsed on."""

    server: CappedEngine
    request: socket.socket

    def handle(self) -> None:
        """Pass a request on, and its answer back."""
        head, rest = _read_head(self.request)
        if not head:
            return
        if found := _VERSIONED.match(head):
            self.server.minors.add(int(found[1]))
            if int(found[1]) > self.server.minor_max:
                self.request.sendall(_refusal(int(found[1]), self.server.minor_max))
                return
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.engine)
            engine.sendall(_closing(head) + rest)
            asking = threading.Thread(target=_pass_on, args=(self.request, engine), daemon=True)
            asking.start()
            answer, first = _read_head(engine)
            told = f"1.{self.server.minor_max}".encode()
            answer = re.sub(rb"(?im)^api-version: .*\r$", b"Api-Version: " + told + b"\r", answer)
            if _TELLS.match(head):
                answer, first = _with_version(answer, first + _read_all(engine), told.decode())
            self.request.sendall(answer + first)
            _pass_on(engine, self.request)
            asking.join()


def _closing(head: bytes) -> bytes:
    """Ask for one answer only, unless the connection becomes a stream of its own."""
    if re.search(rb"(?im)^upgrade:", head):
        return head
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while _HEAD_END not in data:
        block = connection.recv(_BLOCK)
        if not block:
            return b"", data
        data += block
    head, _, rest = data.partition(_HEAD_END)
    return head + _HEAD_END, rest


def _read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(_BLOCK), b""))


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _with_version(head: bytes, body: bytes, version: str) -> tuple[bytes, bytes]:
    """Rewrite the answer to GET /version (its parts too: the docker command compares with those)."""
    said = json.loads(body)
    said["ApiVersion"] = version
    said["MinAPIVersion"] = "1.12"
    for part in said.get("Components") or ():
        if "ApiVersion" in (part.get("Details") or {}):
            part["Details"]["ApiVersion"] = version
    new = json.dumps(said).encode()
    return re.sub(rb"(?im)^content-length: .*\r$", b"Content-Length: %d\r" % len(new), head), new


def _refusal(minor: int, minor_max: int) -> bytes:
    text = f"client version 1.{minor} is too new. Maximum supported API version is 1.{minor_max}"
    body = json.dumps({"message": text}).encode()
    lines = ("HTTP/1.1 400 Bad Request", "Content-Type: application/json", "Connection: close")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def capped_engine(engine: Path, socket_path: Path, minor_max: int) -> Iterator[CappedEngine]:
    """Serve meanwhile on `socket_path` what the engine on the socket `engine` does, as API 1.`minor_max`."""
    with CappedEngine(engine, socket_path, minor_max) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
            socket_path.unlink()
