"""A registry in front of another one that holds layers back until it is told to let go: who pulls beside whom.

    python -m minikube_py.testing.holding_registry PORT REGISTRY_PORT FOLDER

Each request for a blob is written to `FOLDER/log` (`begin REPOSITORY`, later `end REPOSITORY`) and is answered with
its first half; the rest follows when `FOLDER/open` exists. Read requests only, one at a time in each thread.
"""

import http.client
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from minikube_py.testing.lab.layout import HostLayout
from minikube_py.testing.lab.machine import in_host, start_daemon, stop_process, wait_until

_BLOB = re.compile(r"^/v2/(.+)/blobs/")
_HOP = ("connection", "transfer-encoding", "host")


def log_of(folder: Path) -> list[str]:
    """Return what the registry that keeps its log in `folder` has written so far."""
    return (folder / "log").read_text().splitlines()


@contextmanager
def holding_registry(host: HostLayout, port: int, registry_port: int, folder: Path) -> Iterator[str]:
    """Run one on the host meanwhile, and give its address as image names begin with it."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "minikube_py.testing.holding_registry", str(port), str(registry_port), str(folder)]
    pid = start_daemon(in_host(host, argv), folder / "output")
    try:
        wait_until((folder / "log").exists, 20, f"the registry does not start: see {folder}/output")
        yield f"127.0.0.1:{port}"
    finally:
        stop_process(pid)


class _Gate(ThreadingHTTPServer):
    """Passes requests on to the registry on `registry_port`, blobs when `FOLDER/open` exists."""

    def __init__(self, port: int, registry_port: int, folder: Path) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.registry_port = registry_port
        self._folder = folder
        self._writing = threading.Lock()

    def write(self, line: str) -> None:
        """Add a line to the log."""
        with self._writing, (self._folder / "log").open("a") as log:
            log.write(f"{line}\n")

    def wait_open(self) -> None:
        """Wait until blobs may pass."""
        while not (self._folder / "open").exists():
            time.sleep(0.02)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Gate

    def do_GET(self) -> None:
        blob = _BLOB.match(self.path)
        if blob is None:
            self.wfile.write(self._begin())
            return
        self.server.write(f"begin {blob[1]}")
        body = self._begin()
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.server.wait_open()
        self.wfile.write(body[half:])
        self.server.write(f"end {blob[1]}")

    def do_HEAD(self) -> None:
        self._begin()

    def _begin(self) -> bytes:
        """Answer with the registry's headers, and return the body that belongs to them."""
        registry = http.client.HTTPConnection("127.0.0.1", self.server.registry_port)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        registry.request(self.command, self.path, headers=headers)
        answer = registry.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.end_headers()
        body = answer.read()
        registry.close()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log of requests is another one."""


def _serve(port: int, registry_port: int, folder: Path) -> None:
    with _Gate(port, registry_port, folder) as server:
        (folder / "log").touch()
        server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
