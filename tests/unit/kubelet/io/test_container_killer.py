"""preStop, TERM and KILL inside one grace period, on a kubelet in virtual time."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.kubelet.cri import ExecResult
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime

PRE_STOP = {"name": "c", "lifecycle": {"preStop": {"exec": {"command": ["bye"]}}}}


async def stopped(lab, grace_s, container):
    """Run and delete a pod; return how long that took."""
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", container, terminationGracePeriodSeconds=grace_s))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        began_s = lab.clock.now_s()
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 60.0)
        return lab.clock.now_s() - began_s


async def test_a_hook_that_takes_the_whole_period_is_told_and_leaves_two_seconds():
    lab = a_kubelet_lab()
    lab.runtime.exec_takes_s = 20.0
    lab.runtime.programs["c"] = Program(term_after_s=None)

    assert 5.0 <= await stopped(lab, 3, PRE_STOP) < 6.0
    assert ("Warning", "FailedPreStopHook", "PreStopHook failed") in lab.events.said
    assert "kill c/0" in lab.runtime.journal


async def test_a_hook_that_fails_is_told_and_the_container_is_stopped_all_the_same():
    lab = a_kubelet_lab()
    lab.runtime.exec_handler = lambda record, command: ExecResult(3, b"")

    await stopped(lab, 30, PRE_STOP)
    assert ("Warning", "FailedPreStopHook", "PreStopHook failed") in lab.events.said
    assert "term c/0" in lab.runtime.journal


async def test_a_hook_may_only_wait():
    lab = a_kubelet_lab()

    assert 7.0 <= await stopped(lab, 30, {"name": "c", "lifecycle": {"preStop": {"sleep": {"seconds": 7}}}}) < 8.0
