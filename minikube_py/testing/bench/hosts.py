"""A lab host whose agent the benchmarks start and measure themselves."""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.lab.lab import Lab

POLL_S = 0.005


@contextmanager
def bench_host(hosts: int = 1) -> Iterator[Cluster]:
    """Yield a host, or more, with engines running and no agent yet; everything is removed afterwards."""
    folder = Path(mkdtemp(prefix="mkpyb", dir="/run"))
    lab = Lab(folder, hosts)
    scratch = Path(mkdtemp(prefix="mkpy-bench-"))
    try:
        lab.make_hosts()
        yield Cluster(lab, scratch)
    finally:
        lab.down()
        shutil.rmtree(scratch, ignore_errors=True)


class Probe:
    """Asks the API server with the administrator's certificate, as soon as there is one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._opener: urllib.request.OpenerDirector | None = None
        self._server = ""

    def get(self, path: str) -> bytes | None:
        """Return the body of a 200 answer, or None."""
        try:
            if self._opener is None:
                self._server, context = self._cluster.admin_access()
                self._opener = urllib.request.build_opener(
                    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
                )
            with self._opener.open(self._server + path, timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            return None

    def ready(self) -> bool:
        """Return whether /readyz says ok."""
        return self.get("/readyz") == b"ok"

    def node_ready(self, name: str) -> bool:
        """Return whether the node's Ready condition is True."""
        body = self.get(f"/api/v1/nodes/{name}")
        if body is None:
            return False
        conditions = json.loads(body).get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def wait(self, what: object, started: float, timeout_s: float = 60) -> float:
        """Return the seconds from `started` until the callable `what` is true."""
        assert callable(what)
        while not what():
            if time.monotonic() - started > timeout_s:
                raise machine.LabError(f"not true within {timeout_s:g} s")
            time.sleep(POLL_S)
        return time.monotonic() - started
