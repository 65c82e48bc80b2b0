"""The fast ones of the pods that a real kubelet 1.20 ran on Docker; `scripts/soak pods` plays all 148."""

import pytest

from minikube_py.testing.observed_pods.run import play_all, report, staged
from minikube_py.testing.observed_pods.scenarios import load_scenarios

pytestmark = pytest.mark.node

FAST = (
    *("exit0-onfailure", "exit3-never", "sigkill-always", "sigterm-handled-never", "oom-never"),
    *("two-containers-one-fails-never", "init-ok", "init-fail-never", "init-fail-once-onfailure"),
    *("init-long-deadline", "readiness-exec-ok", "readiness-http-redirect", "liveness-exec-fail"),
    *("liveness-fail-never", "readiness-gate", "poststart-ok", "prestop-fail", "prestop-longer-than-grace"),
    *("termmsg-fallback-long", "termmsg-custom-path", "activedeadline-running", "delete-grace1-of-30"),
    *("delete-during-init", "config-missing-key", "config-nonroot-root-image", "run-bad-command"),
    *("kubelet-sysctl-forbidden", "d-caps", "d-sharepid", "d-env", "d-hostname-fqdn", "d-dns-none", "d-hostaliases"),
)


def test_pods_end_as_they_did_on_a_real_kubelet(cluster):
    with staged(cluster):
        outcomes = play_all(cluster, [s for s in load_scenarios() if s.name in FAST])

    assert len(outcomes) == len(FAST)
    assert not any(outcome.differences for outcome in outcomes), report(outcomes)
