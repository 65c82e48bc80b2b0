"""The pods that a real kubelet 1.20 ran on Docker, but for the slow ones: `scripts/soak pods` plays all 148."""

import pytest

from minikube_py.testing.observed_pods.run import play_all, report, staged
from minikube_py.testing.observed_pods.scenarios import load_scenarios

pytestmark = [pytest.mark.node, pytest.mark.timeout(400)]

SLOW = (
    *("crashloop-long", "delete-finalizer", "delete-pending-unscheduled", "evict-pod-ephemeral-limit"),
    *("exit0-always", "exit3-always", "exit3-onfailure", "image-always-absent-init", "image-missing"),
    *("init-fail-always", "poststart-fail", "poststart-http-fail"),
)
"""They wait for longer than 10 s each: for back-offs and intervals, or for a resolver."""


def test_pods_end_as_they_did_on_a_real_kubelet(cluster):
    with staged(cluster):
        outcomes = play_all(cluster, [s for s in load_scenarios() if s.name not in SLOW])

    assert len(outcomes) == 148 - len(SLOW)
    assert not any(outcome.differences for outcome in outcomes), report(outcomes)
