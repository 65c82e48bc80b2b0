"""Pods beside what the engine itself needs for them, in one run: single ones, crowds, restarts, and their Services.

The rows that upstream was measured with on the same kind of machine have that figure as a note. BENCH_PODS_CROWD and
BENCH_PODS_SERVICES make a short run of it.
"""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from minikube_py.kit.io.netns import open_socket_in
from minikube_py.testing.bench.bare_containers import BareContainers
from minikube_py.testing.bench.hosts import bench_host
from minikube_py.testing.bench.idle import cpu_s, pss_mb
from minikube_py.testing.bench.pod_api import CORE, Json, PodApi, is_ready, is_running, sleeper
from minikube_py.testing.bench.report import Row
from minikube_py.testing.lab.cluster import Cluster

TRIES = 20
CROWD = int(os.environ.get("BENCH_PODS_CROWD", "100"))
SERVICES = tuple(int(n) for n in os.environ.get("BENCH_PODS_SERVICES", "0,1000,5000").split(","))
BURST = 20
PARALLEL = max(2, os.cpu_count() or 1)
"""The agent's own bound."""
PODS, SERVICE = f"{CORE}/pods", f"{CORE}/services"


def run() -> list[Row]:
    """Measure everything on one host."""
    with bench_host() as cluster:
        cluster.lab.agent_flags += ("--kubelet-arg=max-pods=250",)
        cluster.lab.start(cluster.host)
        cluster.load_images(cluster.host.dir)
        return asyncio.run(_all(cluster))


async def _all(cluster: Cluster) -> list[Row]:
    server, context = cluster.admin_access()
    unix = aiohttp.UnixConnector(path=str(cluster.host.docker_socket))
    tls = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(connector=unix) as docker, aiohttp.ClientSession(connector=tls) as https:
        bench = _PodBench(cluster, BareContainers(docker), PodApi(https, server))
        return [
            *await bench.single(),
            *await bench.rate(),
            *await bench.deployment(),
            *await bench.restart(),
            *await bench.crowd(),
            *await bench.services(),  # last: the end of thousands of slices would be measured along with others
        ]


class _PodBench:
    def __init__(self, cluster: Cluster, bare: BareContainers, api: PodApi) -> None:
        self._cluster = cluster
        self._bare = bare
        self._api = api

    async def single(self) -> list[Row]:
        """One pod, one pair of containers, in turns."""
        bare, pods = [], []
        for attempt in range(TRIES + 1):
            bare.append(await self._bare.pair())
            took, gone = await self._crowd(1, f"one{attempt}")
            pods.append(took)
            assert gone > 0
        bare, pods = sorted(bare[1:]), sorted(pods[1:])  # the first of each warms caches
        middle, last = TRIES // 2, max(TRIES * 99 // 100 - 1, 0)
        against = "two bare containers"
        return [
            Row("two bare containers, create + start", "s", tuple(bare)),
            Row("pod create → Running, p50", "s", tuple(pods), against, pods[middle] / bare[middle], "≤ 1.1"),
            Row("pod create → Running, p99", "s", (pods[last],), against + ", p99", pods[last] / bare[last], "≤ 1.1"),
        ]

    async def rate(self) -> list[Row]:
        """A burst of pods beside as many pairs of containers, both `PARALLEL` at a time."""
        bare, pods = [], []
        for attempt in range(3):
            bare.append(await self._bare.pairs(BURST, PARALLEL))
            took, _ = await self._crowd(BURST, f"burst{attempt}")
            pods.append(took)
        ratio = sorted(bare)[1] / sorted(pods)[1]
        return [
            Row(f"bare pairs per second, {PARALLEL} at a time", "1/s", tuple(BURST / t for t in bare)),
            Row("pods per second", "1/s", tuple(BURST / t for t in pods), "bare pairs", ratio, "≥ 1"),
            Row(f"burst of {BURST} pods → all Running", "s", tuple(pods), aim="< 4", note="upstream 5.2–16.7"),
        ]

    async def deployment(self) -> list[Row]:
        """A Deployment of ten, until all pods are Ready."""
        path, took = "/apis/apps/v1/namespaces/default/deployments", []
        for attempt in range(3):
            group = f"d{attempt}"
            template = sleeper("", group)
            spec = {
                "replicas": 10,
                "selector": {"matchLabels": {"group": group}},
                "template": {"metadata": {"labels": {"group": group}}, "spec": template["spec"]},
            }
            started = time.monotonic()
            await self._api.create(path, {"metadata": {"name": group}, "spec": spec})
            at = await self._api.until(
                PODS, f"labelSelector=group%3D{group}", lambda pods: sum(map(is_ready, pods.values())) == 10
            )
            took.append(at - started)
            await self._api.delete(f"{path}/{group}?propagationPolicy=Foreground")
            await self._gone(group)
        return [Row("Deployment of 10 → all Ready", "s", tuple(took), aim="< 2.5", note="upstream 3.1–6.1")]

    async def restart(self) -> list[Row]:
        """A container is killed by the engine's hand, until its successor runs."""
        await self._make(1, "killed")
        took = []
        for _ in range(3):
            (pod,) = await self._api.list(PODS, "labelSelector=group%3Dkilled")
            before = pod["status"]["containerStatuses"][0]
            identity = before["containerID"].removeprefix("docker://")
            started = time.monotonic()
            await asyncio.to_thread(self._cluster.docker, "kill", identity)

            def runs_again(pods: Mapping[str, Json], old: Json = before) -> bool:
                states = [s for p in pods.values() for s in p["status"].get("containerStatuses") or ()]
                return any("running" in s["state"] and s["containerID"] != old["containerID"] for s in states)

            took.append(await self._api.until(PODS, "labelSelector=group%3Dkilled", runs_again) - started)
            # The first restart is immediate, later ones wait: each try needs a pod of its own.
            await self._api.delete(f"{PODS}?labelSelector=group%3Dkilled")
            await self._gone("killed")
            await self._make(1, "killed")
        await self._api.delete(f"{PODS}?labelSelector=group%3Dkilled")
        await self._gone("killed")
        return [Row("container killed → running again", "s", tuple(took), aim="< 1", note="upstream 2.0")]

    async def services(self) -> list[Row]:
        """A Service gets an endpoint that is ready already, until its cluster IP answers, beside many others."""
        server = sleeper("web", "web")
        server["spec"]["containers"][0]["command"] = ["httpd", "-f", "-p", "8080"]
        await self._api.create(PODS, server)
        await self._api.until(PODS, "labelSelector=group%3Dweb", lambda pods: any(map(is_ready, pods.values())))
        rows, others = [], 0
        for wanted in SERVICES:
            while others < wanted:
                count = min(50, wanted - others)
                async with asyncio.TaskGroup() as group:
                    for n in range(others, others + count):
                        group.create_task(self._api.create(SERVICE, _service(f"other{n}", "web")))
                others += count
            await self._api.until(
                f"/apis/discovery.k8s.io/v1{CORE.removeprefix('/api/v1')}/endpointslices",
                "",
                lambda slices, n=wanted: len(slices) >= n,  # type: ignore[misc]
            )
            took = [await self._service_answers(f"svc{wanted}-{attempt}") for attempt in range(5)]
            rows.append(
                Row(
                    f"Service made → cluster IP answers, beside {wanted} others",
                    "s",
                    tuple(took),
                    aim="< 0.03",
                    note="upstream 0.11 / 1.05 / 14.7 with 0 / 1,000 / 5,000",
                )
            )
        await self._api.delete(f"{SERVICE}?labelSelector=bench%3Dyes")
        await self._api.delete(f"{PODS}?labelSelector=group%3Dweb")
        await self._gone("web")
        return rows

    async def _service_answers(self, name: str) -> float:
        started = time.monotonic()
        made = await self._api.create(SERVICE, _service(name, "web"))
        at = await asyncio.to_thread(self._first_answer, made["spec"]["clusterIP"])
        return at - started

    def _first_answer(self, address: str) -> float:
        netns = os.open(f"/run/netns/{self._cluster.host.netns}", os.O_RDONLY)
        deadline = time.monotonic() + 60
        try:
            while time.monotonic() < deadline:
                with open_socket_in(netns, socket.AF_INET, socket.SOCK_STREAM) as connection:
                    connection.settimeout(0.05)
                    try:
                        connection.connect((address, 80))
                    except OSError:
                        time.sleep(0.001)
                        continue
                    return time.monotonic()
        finally:
            os.close(netns)
        raise AssertionError(f"{address} does not answer within 60 s")

    async def crowd(self) -> list[Row]:
        """Many pods on the node: start, cost while they rest, the agent's own restart, end."""
        agent = self._agent()
        before_s = cpu_s(agent)
        running_s = await self._make(CROWD, "crowd")
        made_s = cpu_s(agent) - before_s
        await asyncio.sleep(20)
        memory, rest_s = pss_mb(agent), cpu_s(agent)
        await asyncio.sleep(30)
        share = (cpu_s(agent) - rest_s) / 30 * 100
        adopted_s = await asyncio.to_thread(self._restart_agent)
        gone_s = await self._end("crowd")
        return [
            Row(f"{CROWD} pods → all Running", "s", (running_s,), note=f"{CROWD / running_s:.1f} pods/s"),
            Row("the agent's CPU for that", "s", (made_s,), note=f"{1000 * made_s / CROWD:.1f} ms for each pod"),
            Row(f"memory of the agent with {CROWD} pods (PSS)", "MB", (memory,)),
            Row(f"CPU of the agent while {CROWD} pods rest", "% of a core", (share,)),
            Row(f"agent killed and started: {CROWD} pods are its own again", "s", (adopted_s,), aim="< 1"),
            Row(f"{CROWD} pods deleted → all gone", "s", (gone_s,)),
        ]

    def _restart_agent(self) -> float:
        host, lab = self._cluster.host, self._cluster.lab
        lab.stop(host, sig=signal.SIGKILL)
        size = host.agent_log.stat().st_size
        lab.start(host)
        said = host.agent_log.read_bytes()[size:].decode(errors="replace")
        found = re.search(r"found (\d+) pods in the runtime, (\d+) of them connected, in ([0-9.]+) s", said)
        assert found, "the agent did not say what it found"
        assert int(found[1]) >= CROWD, f"not all pods were found again: {found[0]}"
        return float(found[3])

    def _agent(self) -> int:
        return self._cluster.lab.pids[f"{self._cluster.host.name}/agent"]

    async def _crowd(self, count: int, group: str) -> tuple[float, float]:
        return await self._make(count, group), await self._end(group)

    async def _make(self, count: int, group: str) -> float:
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            query = f"labelSelector=group%3D{group}"
            all_run = tasks.create_task(
                self._api.until(PODS, query, lambda pods: sum(map(is_running, pods.values())) == count)
            )
            for n in range(count):
                tasks.create_task(self._api.create(PODS, sleeper(f"{group}-{n}", group)))
        return all_run.result() - started

    async def _end(self, group: str) -> float:
        started = time.monotonic()
        await self._api.delete(f"{PODS}?labelSelector=group%3D{group}")
        return await self._gone(group) - started

    async def _gone(self, group: str) -> float:
        await self._api.until_gone(PODS, f"labelSelector=group%3D{group}")
        # A pod without grace leaves the API at once: what counts is that nothing of it is left.
        return await self._bare.until_no_pods()


def _service(name: str, group: str) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "metadata": {"name": name, "labels": {"bench": "yes"}},
        "spec": {"selector": {"group": group}, "ports": ports},
    }
