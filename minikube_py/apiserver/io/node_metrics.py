"""Asks every node's kubelet for its resource metrics, and answers the metrics API from the last two readings.

A node that does not answer in time is left out of that reading: its metrics are not known then, as upstream has it.
Upstream: metrics-server pkg/scraper, pkg/server.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj, name_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import NODES, PODS
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.metrics_objects import node_metrics, pod_metrics
from minikube_py.apiserver.metrics_points import History, Reading, advance, join_readings, parse_reading
from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Entry

log = logging.getLogger("apiserver")

ScrapeNode = Callable[[str], Awaitable[str]]
"""Node name -> the text of its kubelet's /metrics/resource; raises OSError when it cannot be had."""
SCRAPE_S_MAX = 10.0
RETRY_S = 1.0
"""After a reading that not every node was part of, as long as nothing is known yet."""
PARALLEL_MAX = 32

Render = Callable[[Mapping[str, Any], History, float], Obj | None]


class NodeMetricsScraper:
    """Reads all nodes every `resolution_s` seconds; `history` is what is known."""

    def __init__(self, storage: Storage, scrape: ScrapeNode | None, clock: Clock, resolution_s: float) -> None:
        """`scrape` None: nothing is ever read, and no metrics are known."""
        self._storage = storage
        self._scrape = scrape
        self._clock = clock
        self._resolution_s = resolution_s
        self._silent: set[str] = set()
        self.history = History()

    async def run(self) -> None:
        """Read until cancelled."""
        while self._scrape is not None:
            await self.read(self._scrape)
            first = not self.history.last.nodes
            await self._clock.sleep(min(RETRY_S, self._resolution_s) if first else self._resolution_s)

    async def read(self, scrape: ScrapeNode) -> None:
        """Take one reading."""
        names = [name_of(decode(entry)) for entry in _entries(self._storage, NODES)]
        slots = asyncio.Semaphore(PARALLEL_MAX)
        readings: list[Reading] = []

        async def ask(name: str) -> None:
            async with slots:
                reading = await self._read_node(scrape, name)
            if reading is not None:
                readings.append(reading)

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(ask(name), name=f"metrics of {name}")
        self._silent &= set(names)
        self.history = advance(self.history, join_readings(readings), self._resolution_s)

    async def _read_node(self, scrape: ScrapeNode, name: str) -> Reading | None:
        try:
            async with asyncio.timeout(SCRAPE_S_MAX):
                text = await scrape(name)
        except OSError as error:  # TimeoutError is one too
            if name not in self._silent:
                self._silent.add(name)
                log.warning("metrics of node %s are not known: %s", name, str(error) or "it does not answer")
            return None
        self._silent.discard(name)
        return parse_reading(name, text)


class MetricsOf:
    """What the metrics API shows of one resource (computed.ComputedSource)."""

    def __init__(self, storage: Storage, scraper: NodeMetricsScraper, resource: Resource, render: Render) -> None:
        self._storage = storage
        self._scraper = scraper
        self._resource = resource
        self._render = render

    def get(self, namespace: str, name: str, wall_s: float) -> Obj | None:
        """Return one object's metrics."""
        entry = self._storage.find(self._resource, namespace, name)
        return None if entry is None else self._render(decode(entry), self._scraper.history, wall_s)

    def list(self, namespace: str, wall_s: float) -> Sequence[Obj]:
        """Return the metrics of all objects (of a namespace), in their order in the store."""
        objs = (decode(entry) for entry in _entries(self._storage, self._resource, namespace))
        found = (self._render(obj, self._scraper.history, wall_s) for obj in objs)
        return [obj for obj in found if obj is not None]


def _entries(storage: Storage, resource: Resource, namespace: str = "") -> Sequence[Entry]:
    prefix = resource.storage_prefix + (f"{namespace}/" if namespace else "")
    return storage.store_of(resource).range(prefix)


def metrics_sources(storage: Storage, scraper: NodeMetricsScraper) -> Mapping[str, MetricsOf]:
    """Return the sources of the metrics API, by qualified resource."""
    return {
        "nodes.metrics.k8s.io": MetricsOf(storage, scraper, NODES, node_metrics),
        "pods.metrics.k8s.io": MetricsOf(storage, scraper, PODS, pod_metrics),
    }
