"""Workers go away and come back, one after another, for seconds or minutes, with a user's own timers."""

import random
import tempfile
import time
from pathlib import Path

from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.three_hosts import OUTAGES, ThreeHosts, run_of

LENGTHS_S = (5.0, 60.0, 60.0, 120.0)
"""Shorter than the grace period, a little longer, and so long that pods are replaced."""
WHOLE_TIMEOUT_S = 240.0
FLAGS = tuple(f"--kube-apiserver-arg=default-{why}-toleration-seconds=30" for why in ("not-ready", "unreachable"))


def run(minutes: float, seed: int) -> str:
    """Let workers go away for `minutes`; returns what was done.

    Raises:
        AssertionError: a pod was started anew without need, is missing or is there twice, or a status is wrong.
    """
    rng = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    folder = Path(tempfile.mkdtemp(prefix="mkpysoak", dir="/run"))
    lab = Lab(folder, 3)
    lab.server_flags = FLAGS
    done: dict[str, int] = dict.fromkeys(OUTAGES, 0)
    try:
        hosts = ThreeHosts.bring_up(lab, folder)
        deadline = time.monotonic() + minutes * 60
        while time.monotonic() < deadline:
            name = rng.choice(sorted(OUTAGES))
            _one_outage(hosts, name, rng)
            done[name] += 1
    finally:
        lab.down()
    return ", ".join(f"{name}: {times}" for name, times in done.items())


def _one_outage(hosts: ThreeHosts, name: str, rng: random.Random) -> None:
    outage, length_s = OUTAGES[name], rng.choice(LENGTHS_S)
    host = hosts.lab.layout.host(rng.choice(("lab2", "lab3")))
    before = run_of(hosts.keeper(host.name))
    outage.begin(hosts.lab, host)
    time.sleep(length_s)
    outage.end(hosts.lab, host)
    try:
        hosts.wait_back(host.name, before, outage.restarts, WHOLE_TIMEOUT_S)
    except AssertionError as error:
        raise AssertionError(f"{name} for {length_s:g} s: {error}") from error
