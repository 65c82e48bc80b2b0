"""From the process's start to /readyz and to a Ready node: first start on an empty folder, and starts again."""

import time

from minikube_py.testing.bench.hosts import Probe, bench_host
from minikube_py.testing.bench.report import Row

TRIES = 5


def run() -> list[Row]:
    """Measure one first start and TRIES starts on the data that it left."""
    first: list[tuple[float, float]] = []
    again: list[tuple[float, float]] = []
    with bench_host() as cluster:
        for attempt in range(TRIES + 1):
            probe = Probe(cluster)
            started = time.monotonic()
            cluster.lab.start(cluster.host, wait=False)
            ready = probe.wait(probe.ready, started)
            node = probe.wait(lambda probe=probe: probe.node_ready(cluster.host.name), started)
            (again if attempt else first).append((ready, node))
            cluster.lab.stop(cluster.host)
    return [
        Row("first start → /readyz", "s", tuple(r for r, _ in first), aim="< 1"),
        Row("first start → node Ready", "s", tuple(n for _, n in first), aim="< 2"),
        Row("start → /readyz", "s", tuple(r for r, _ in again), aim="< 1"),
        Row("start → node Ready", "s", tuple(n for _, n in again), aim="< 2"),
    ]
