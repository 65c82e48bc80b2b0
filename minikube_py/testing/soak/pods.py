"""The 148 pods that a real kubelet 1.20 ran, one after the other on a lab: each must end as it did there.

Differences that are meant have an entry in testing.observed_pods.known_differences. The fast ones are a node test.
"""

import tempfile
import time
from pathlib import Path

import click

from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.observed_pods.run import play_all, prepare, report
from minikube_py.testing.observed_pods.scenarios import load_scenarios


def run(minutes: float, seed: int) -> str:
    """Play all scenarios, and again until `minutes` are over; the seed is not used: the order is the recording's.

    Raises:
        AssertionError: a scenario ended in another way; one line for each difference.
    """
    deadline_s = time.monotonic() + minutes * 60
    folder = Path(tempfile.mkdtemp(prefix="mkpysoak", dir="/run"))
    lab = Lab(folder, 1)
    rounds, said = 0, ""
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        prepare(cluster)
        while not rounds or time.monotonic() < deadline_s:
            outcomes = play_all(cluster, load_scenarios())
            said = report(outcomes)
            rounds += 1
            click.echo(said)
            assert not any(outcome.differences for outcome in outcomes), "see above"
    finally:
        lab.down()
    return f"{rounds} rounds; {said.splitlines()[-1]}"
