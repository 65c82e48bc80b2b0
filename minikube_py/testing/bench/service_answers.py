"""How soon a Service answers: from its making, and from the moment at which the API shows a ready endpoint of it."""

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from minikube_py.kit.io.netns import open_socket_in
from minikube_py.testing.bench.pod_api import CORE, PodApi, is_ready, sleeper
from minikube_py.testing.bench.report import Row
from minikube_py.testing.lab.cluster import Cluster

SIZES = tuple(int(n) for n in os.environ.get("BENCH_PODS_SERVICES", "0,1000,5000").split(","))
TRIES = 5
MADE_AT_ONCE = 50
ANSWER_S_MAX = 60.0
CONNECT_S_MAX = 0.005
"""An attempt from before the rules is lost: the next one must not wait for it."""
PODS, SERVICES = f"{CORE}/pods", f"{CORE}/services"
SLICES = f"/apis/discovery.k8s.io/v1{CORE.removeprefix('/api/v1')}/endpointslices"
GROUP = "web"


class ServiceAnswers:
    """One pod with a server, many Services before it."""

    def __init__(self, cluster: Cluster, api: PodApi) -> None:
        self._cluster = cluster
        self._api = api

    async def rows(self) -> list[Row]:
        """Measure beside each number of other Services; pods and Services are left."""
        server = sleeper(GROUP, GROUP)
        server["spec"]["containers"][0]["command"] = ["httpd", "-f", "-p", "8080"]
        await self._api.create(PODS, server)
        await self._api.until(PODS, f"labelSelector=group%3D{GROUP}", lambda pods: any(map(is_ready, pods.values())))
        rows, others = [], 0
        for size in SIZES:
            await self._make_others(others, size)
            others = size
            tries = [await self._answers(f"svc{size}-{attempt}") for attempt in range(TRIES)]
            beside = f"cluster IP answers, beside {size} others"
            upstream = "upstream 0.11 / 1.05 / 14.7 with 0 / 1,000 / 5,000"
            rows += [
                Row(f"endpoints ready → {beside}", "s", tuple(t[1] for t in tries), aim="< 0.03", note=upstream),
                Row(f"Service made → {beside}", "s", tuple(t[0] for t in tries)),
            ]
        return rows

    async def _make_others(self, first: int, end: int) -> None:
        for start in range(first, end, MADE_AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for n in range(start, min(start + MADE_AT_ONCE, end)):
                    group.create_task(self._api.create(SERVICES, _service(f"other{n}")))
        await self._api.until(SLICES, "", lambda slices: len(slices) >= end)

    async def _answers(self, name: str) -> tuple[float, float]:
        """Return the seconds from the making of a Service to its first answer, and those from its first endpoint."""
        query = f"labelSelector=kubernetes.io%2Fservice-name%3D{name}"
        async with asyncio.TaskGroup() as group:
            ready = group.create_task(self._api.until(SLICES, query, _has_ready_endpoint))
            await asyncio.sleep(0.05)  # the watch stands
            started = time.monotonic()
            made = await self._api.create(SERVICES, _service(name))
            answered = await asyncio.to_thread(self._first_answer, made["spec"]["clusterIP"])
        return answered - started, max(answered - ready.result(), 0.0)

    def _first_answer(self, address: str) -> float:
        netns = os.open(f"/run/netns/{self._cluster.host.netns}", os.O_RDONLY)
        deadline = time.monotonic() + ANSWER_S_MAX
        try:
            while time.monotonic() < deadline:
                with open_socket_in(netns, socket.AF_INET, socket.SOCK_STREAM) as connection:
                    connection.settimeout(CONNECT_S_MAX)
                    try:
                        connection.connect((address, 80))
                    except OSError:
                        time.sleep(0.001)
                        continue
                    return time.monotonic()
        finally:
            os.close(netns)
        raise AssertionError(f"{address} does not answer within {ANSWER_S_MAX:g} s")


def _has_ready_endpoint(slices: Mapping[str, Mapping[str, Any]]) -> bool:
    endpoints = (endpoint for found in slices.values() for endpoint in found.get("endpoints") or ())
    return any(endpoint["conditions"].get("ready") for endpoint in endpoints)


def _service(name: str) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return {"metadata": {"name": name}, "spec": {"selector": {"group": GROUP}, "ports": ports}}
