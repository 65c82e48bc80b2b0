"""`kill -9` of the agent again and again, under load: no request lost, no container touched, no object lost."""

import json
import random
import signal
import tempfile
import time
from pathlib import Path

from minikube_py.testing.lab.cluster import Cluster, web
from minikube_py.testing.lab.lab import Lab


def run(minutes: float, seed: int) -> str:
    """Kill and start for `minutes`; returns what was done.

    Raises:
        AssertionError: something was lost; says what, and in which round.
    """
    rng = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    folder = Path(tempfile.mkdtemp(prefix="mkpysoak", dir="/run"))
    lab = Lab(folder, 1)
    rounds = requests = 0
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        cluster.apply("default", web())
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        address = cluster.get("service", "web")["spec"]["clusterIP"]
        deadline = time.monotonic() + minutes * 60
        while time.monotonic() < deadline:
            requests += _one_round(cluster, address, rng, rounds)
            rounds += 1
    finally:
        lab.down()
    return f"{rounds} kills, {requests} requests, nothing lost"


def _one_round(cluster: Cluster, address: str, rng: random.Random, number: int) -> int:
    containers = _containers(cluster)
    with cluster.load(address, 80) as outcome:
        for n in range(rng.randrange(1, 6)):
            cluster.kubectl("create", "configmap", f"r{number}-{n}", "--from-literal=a=b")
        names = cluster.kubectl("get", "configmaps", "-o", "name").stdout
        time.sleep(rng.random())
        cluster.lab.stop(cluster.host, sig=signal.SIGKILL)
        time.sleep(rng.random() * 2)
        cluster.lab.start(cluster.host)
        assert cluster.kubectl("get", "configmaps", "-o", "name").stdout == names, f"round {number}: objects changed"
        time.sleep(rng.random())
    assert outcome["failures"] == 0, f"round {number}: {outcome}"
    assert _containers(cluster) == containers, f"round {number}: containers changed"
    return sum(outcome["answers"].values())


def _containers(cluster: Cluster) -> dict[str, str]:
    rows = json.loads(cluster.docker("inspect", *cluster.docker("ps", "-q", "--no-trunc").split()))
    return {row["Id"]: row["State"]["StartedAt"] for row in rows}
