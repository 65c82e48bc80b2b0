"""The 148 pods that a real kubelet 1.20 ran, one after the other on a lab: each must end as it did there.

Differences that are meant have an entry in testing.observed_pods.known_differences. The fast ones are a node test.
SOAK_PODS=NAME,NAME plays only these.
"""

import os
import tempfile
import time
from pathlib import Path

import click

from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.observed_pods.replay import Outcome
from minikube_py.testing.observed_pods.run import play_all, report, staged
from minikube_py.testing.observed_pods.scenarios import Scenario, load_scenarios


def run(minutes: float, seed: int) -> str:
    """Play all scenarios, and again until `minutes` are over; the seed is not used: the order is the recording's.

    Raises:
        click.UsageError: SOAK_PODS names a scenario that does not exist.
        AssertionError: a scenario ended in another way; one line for each difference.
    """
    scenarios = _chosen(os.environ.get("SOAK_PODS", ""))
    deadline_s = time.monotonic() + minutes * 60
    folder = Path(tempfile.mkdtemp(prefix="mkpysoak", dir="/run"))
    lab = Lab(folder, 1)
    rounds, said = 0, ""
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        with staged(cluster):
            while not rounds or time.monotonic() < deadline_s:
                outcomes = play_all(cluster, scenarios, _say)
                said = report(outcomes)
                rounds += 1
                click.echo(said)
                assert not any(outcome.differences for outcome in outcomes), "see above"
    finally:
        lab.down()
    return f"{rounds} rounds; {said.splitlines()[-1]}"


def _chosen(names: str) -> tuple[Scenario, ...]:
    scenarios, wanted = load_scenarios(), set(filter(None, names.split(",")))
    unknown = wanted - {scenario.name for scenario in scenarios}
    if unknown:
        raise click.UsageError(f"SOAK_PODS: no scenario {', '.join(sorted(unknown))}")
    return tuple(scenario for scenario in scenarios if not wanted or scenario.name in wanted)


def _say(outcome: Outcome) -> None:
    verdict = f"{len(outcome.differences)} differences" if outcome.differences else "as recorded"
    click.echo(f"{outcome.name}: {verdict}, {len(outcome.known)} known, {outcome.seconds:.1f} s")
