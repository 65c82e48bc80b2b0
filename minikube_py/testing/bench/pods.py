"""Pods beside what the engine itself needs for them, in one run: single ones, crowds, restarts, and their Services.

The rows that upstream was measured with on the same kind of machine have that figure as a note. BENCH_PODS_TRIES,
BENCH_PODS_CROWD and BENCH_PODS_SERVICES make a short run of it.
"""

import asyncio
import math
import os
import re
import signal
import statistics
import time
from collections.abc import Mapping, Sequence

import aiohttp

from minikube_py.testing.bench.bare_containers import BareContainers
from minikube_py.testing.bench.hosts import bench_host
from minikube_py.testing.bench.idle import cpu_s, pss_mb
from minikube_py.testing.bench.pod_api import CORE, Json, PodApi, is_ready, is_running, sleeper
from minikube_py.testing.bench.report import Row
from minikube_py.testing.bench.service_answers import ServiceAnswers
from minikube_py.testing.lab.cluster import Cluster

TRIES = int(os.environ.get("BENCH_PODS_TRIES", "50"))
CROWD = int(os.environ.get("BENCH_PODS_CROWD", "100"))
BURST, DEPLOYED, ROUNDS = 20, 10, 3
PARALLEL = max(2, os.cpu_count() or 1)
"""The agent's own bound."""
PODS = f"{CORE}/pods"
DEPLOYMENTS = f"/apis/apps/v1{CORE.removeprefix('/api/v1')}/deployments"


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
        api = PodApi(https, server)
        bench = _PodBench(cluster, BareContainers(docker), api)
        return [
            *await bench.single(),
            *await bench.burst(),
            *await bench.deployment(),
            *await bench.restart(),
            *await bench.crowd(),
            *await ServiceAnswers(cluster, api).rows(),  # last: thousands of Services would be measured along
        ]


def _percentile(tries: Sequence[float], share: float) -> float:
    """Return the nearest rank."""
    return sorted(tries)[math.ceil(share * len(tries)) - 1]


def _beside(name: str, tries: Sequence[float], other: str, bare: Sequence[float], aim: str, note: str = "") -> Row:
    """Return the row of a figure with its ratio to what the engine itself needs."""
    against = f"{other}: {statistics.median(bare):.3g} s"
    return Row(name, "s", tuple(tries), against, statistics.median(tries) / statistics.median(bare), aim, note)


class _PodBench:
    def __init__(self, cluster: Cluster, bare: BareContainers, api: PodApi) -> None:
        self._cluster = cluster
        self._bare = bare
        self._api = api

    async def single(self) -> list[Row]:
        """One pod, one pair of containers, in turns."""
        bare, pods = [], []
        for attempt in range(TRIES + 1):
            bare.append((await self._bare.pairs(1, 1)).made_s)
            pods.append(await self._make(1, f"one{attempt}"))
            await self._end(f"one{attempt}")
        bare, pods = bare[1:], pods[1:]  # the first of each warms caches
        rows = [Row("two bare containers, create + start", "s", tuple(bare))]
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            pod, pair = _percentile(pods, share), _percentile(bare, share)
            rows.append(_beside(f"pod create → Running, {name}", [pod], f"two bare, {name}", [pair], "ratio ≤ 1.1"))
        return rows

    async def burst(self) -> list[Row]:
        """A burst of pods beside as many pairs of containers."""
        bare, pods = [], []
        for attempt in range(ROUNDS):
            bare.append((await self._bare.pairs(BURST, PARALLEL)).made_s)
            pods.append(await self._make(BURST, f"burst{attempt}"))
            await self._end(f"burst{attempt}")
        name, aim = f"burst of {BURST} pods → all Running", "< 4, ratio ≤ 1"
        return [_beside(name, pods, _pairs(BURST), bare, aim, "upstream 5.2–16.7")]

    async def deployment(self) -> list[Row]:
        """A Deployment, until all pods are Ready."""
        bare, took = [], []
        for attempt in range(ROUNDS):
            bare.append((await self._bare.pairs(DEPLOYED, PARALLEL)).made_s)
            took.append(await self._deploy(f"d{attempt}"))
        name = f"Deployment of {DEPLOYED} → all Ready"
        return [_beside(name, took, _pairs(DEPLOYED), bare, "< 2.5", "upstream 3.1–6.1")]

    async def _deploy(self, group: str) -> float:
        spec = {
            "replicas": DEPLOYED,
            "selector": {"matchLabels": {"group": group}},
            "template": {"metadata": {"labels": {"group": group}}, "spec": sleeper("", group)["spec"]},
        }
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            all_ready = tasks.create_task(
                self._api.until(PODS, _of(group), lambda pods: sum(map(is_ready, pods.values())) == DEPLOYED)
            )
            await self._api.create(DEPLOYMENTS, {"metadata": {"name": group}, "spec": spec})
        await self._api.delete(f"{DEPLOYMENTS}/{group}?propagationPolicy=Foreground")
        await self._gone(group)
        return all_ready.result() - started

    async def restart(self) -> list[Row]:
        """A container is killed by the engine's hand, until its successor runs."""
        bare, took = [], []
        for attempt in range(ROUNDS):
            bare.append(await self._bare.successor())
            took.append(await self._restart_container(f"killed{attempt}"))
        against = "bare kill, create, start"
        return [_beside("container killed → running again", took, against, bare, "< 1", "upstream 2.0")]

    async def _restart_container(self, group: str) -> float:
        # The first restart is immediate, later ones wait: each try needs a pod of its own.
        await self._make(1, group)
        (pod,) = await self._api.list(PODS, _of(group))
        killed = pod["status"]["containerStatuses"][0]["containerID"]

        def runs_again(pods: Mapping[str, Json]) -> bool:
            states = [s for p in pods.values() for s in p["status"].get("containerStatuses") or ()]
            return any("running" in s["state"] and s["containerID"] != killed for s in states)

        async with asyncio.TaskGroup() as tasks:
            again = tasks.create_task(self._api.until(PODS, _of(group), runs_again))
            started = time.monotonic()
            await self._bare.kill(killed.removeprefix("docker://"))
        await self._end(group)
        return again.result() - started

    async def crowd(self) -> list[Row]:
        """Many pods on the node: start, cost while they rest, the agent's own restart, end."""
        bare = await self._bare.pairs(CROWD, PARALLEL)
        agent = self._agent()
        before_s = cpu_s(agent)
        running_s = await self._make(CROWD, "crowd")
        made_s = cpu_s(agent) - before_s
        await asyncio.sleep(20)
        memory, rest_s = pss_mb(agent), cpu_s(agent)
        await asyncio.sleep(30)
        share = (cpu_s(agent) - rest_s) / 30 * 100
        adopted_s = [await asyncio.to_thread(self._restart_agent) for _ in range(ROUNDS)]
        gone_s = await self._end("crowd")
        rate = f"{CROWD / running_s:.1f} pods/s"
        return [
            _beside(f"{CROWD} pods → all Running", [running_s], _pairs(CROWD), [bare.made_s], "ratio ≤ 1", rate),
            Row("the agent's CPU for that", "s", (made_s,), note=f"{1000 * made_s / CROWD:.1f} ms for each pod"),
            Row(f"memory of the agent with {CROWD} pods (PSS)", "MB", (memory,)),
            Row(f"CPU of the agent while {CROWD} pods rest", "% of a core", (share,)),
            Row(f"agent killed and started: {CROWD} pods are its own again", "s", tuple(adopted_s), aim="< 1"),
            _beside(f"{CROWD} pods deleted → all gone", [gone_s], "bare rm -f of as many", [bare.gone_s], ""),
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

    async def _make(self, count: int, group: str) -> float:
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            all_run = tasks.create_task(
                self._api.until(PODS, _of(group), lambda pods: sum(map(is_running, pods.values())) == count)
            )
            for n in range(count):
                tasks.create_task(self._api.create(PODS, sleeper(f"{group}-{n}", group)))
        return all_run.result() - started

    async def _end(self, group: str) -> float:
        started = time.monotonic()
        await self._api.delete(f"{PODS}?{_of(group)}")
        return await self._gone(group) - started

    async def _gone(self, group: str) -> float:
        await self._api.until_gone(PODS, _of(group))
        # A pod without grace leaves the API at once: what counts is that nothing of it is left.
        return await self._bare.until_no_pods()


def _of(group: str) -> str:
    return f"labelSelector=group%3D{group}"


def _pairs(count: int) -> str:
    return f"{count} bare pairs, {PARALLEL} at a time"
