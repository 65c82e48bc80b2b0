"""A second host: from its agent's start to a Ready node, and what an agent costs that has no master in it."""

import shutil
import time

from minikube_py.testing.bench.hosts import Probe, bench_host
from minikube_py.testing.bench.idle import IDLE_S, SETTLE_S, cpu_s, pss_mb
from minikube_py.testing.bench.report import Row
from minikube_py.testing.lab.cluster import IMAGE, Cluster
from minikube_py.testing.lab.layout import HostLayout

TRIES = 5
PODS = 30
SLEEPERS = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: sleepers}}
spec:
  replicas: {PODS}
  selector: {{matchLabels: {{app: sleepers}}}}
  template:
    metadata: {{labels: {{app: sleepers}}}}
    spec:
      containers:
      - {{name: sleep, image: "{IMAGE}", command: [sleep, infinity]}}
"""


def run() -> list[Row]:
    """Measure TRIES joins, each of a new node, then an idle agent without pods and with PODS."""
    with bench_host(2) as cluster:
        lab, worker = cluster.lab, cluster.lab.layout.hosts[1]
        lab.start(cluster.host)
        joins = [_join(cluster, worker, attempt) for attempt in range(TRIES)]
        pid = lab.pids[f"{worker.name}/agent"]
        empty = _idle(pid)
        cluster.load_images(lab.layout.dir)
        cluster.kubectl("cordon", cluster.host.name)
        cluster.apply("default", SLEEPERS)
        cluster.kubectl("rollout", "status", "deployment/sleepers", "--timeout=300s", timeout_s=310)
        full = _idle(pid)
    over = f"over {IDLE_S:g} s"
    return [
        Row("agent's start → node Ready, joining", "s", tuple(took for took, _ in joins), aim="< 2"),
        Row("agent's own CPU until then", "s", tuple(cpu for _, cpu in joins)),
        Row("agent's memory (PSS), no pods", "MB", (empty[0],), aim="< 80"),
        Row(f"agent's idle CPU {over}, no pods", "% of a core", (empty[1],), aim="< 0.5"),
        Row(f"agent's memory (PSS), {PODS} pods", "MB", (full[0],), aim="< 80"),
        Row(f"agent's idle CPU {over}, {PODS} pods", "% of a core", (full[1],), aim=""),
    ]


def _join(cluster: Cluster, worker: HostLayout, attempt: int) -> tuple[float, float]:
    """Let a host without any data join; return the seconds until it is Ready, and its CPU; the last one stays."""
    lab, name, probe = cluster.lab, f"worker{attempt}", Probe(cluster)
    probe.wait(probe.ready, time.monotonic())
    lab.agent_flags = (*lab.agent_flags, f"--node-name={name}")
    started = time.monotonic()
    lab.start(worker, wait=False)
    took = probe.wait(lambda: probe.node_ready(name), started)
    used = cpu_s(lab.pids[f"{worker.name}/agent"])
    if attempt < TRIES - 1:
        lab.stop(worker)
        cluster.kubectl("delete", "node", name)
        shutil.rmtree(worker.data_dir)
    return took, used


def _idle(pid: int) -> tuple[float, float]:
    """Return a process's memory in MB and its share of a core in percent, once it has settled."""
    time.sleep(min(SETTLE_S, IDLE_S))
    cpu, started = cpu_s(pid), time.monotonic()
    time.sleep(IDLE_S)
    return pss_mb(pid), (cpu_s(pid) - cpu) / (time.monotonic() - started) * 100
