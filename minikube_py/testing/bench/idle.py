"""What an idle agent costs: CPU as a share of one core, and proportional set size."""

import os
import time
from pathlib import Path

from minikube_py.testing.bench.hosts import bench_host
from minikube_py.testing.bench.report import Row
from minikube_py.testing.lab.cluster import web

SETTLE_S = 60.0
IDLE_S = float(os.environ.get("BENCH_IDLE_S", "300"))


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """Return a process's proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss in smaps_rollup")


def _log_bytes(folder: Path) -> int:
    return sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file())


def run() -> list[Row]:
    """Measure an agent with three pods behind a Service, after it has settled, for IDLE_S seconds."""
    with bench_host() as cluster:
        cluster.lab.start(cluster.host)
        cluster.load_images(cluster.host.dir)
        cluster.apply("default", web())
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        time.sleep(min(SETTLE_S, IDLE_S))
        pid = cluster.lab.pids[f"{cluster.host.name}/agent"]
        stored = _log_bytes(cluster.host.data_dir / "server")
        cpu, started = cpu_s(pid), time.monotonic()
        time.sleep(IDLE_S)
        share = (cpu_s(pid) - cpu) / (time.monotonic() - started) * 100
        memory = pss_mb(pid)
        written = _log_bytes(cluster.host.data_dir / "server") - stored
    return [
        Row(f"idle CPU over {IDLE_S:g} s, 3 pods", "% of a core", (share,), aim="< 1"),
        Row("memory (PSS)", "MB", (memory,), aim="< 120"),
        Row("written to the store's folder meanwhile", "bytes", (float(written),), aim="0"),
    ]
