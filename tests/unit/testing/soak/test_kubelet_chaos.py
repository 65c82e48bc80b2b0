import pytest

from minikube_py.testing.chaos_pods import RESTLESS
from minikube_py.testing.soak.kubelet_chaos import is_settled

RUNS, READY = {"state": {"running": {}}, "ready": False}, {"state": {"running": {}}, "ready": True}
WAITS = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "ready": False}
CREATING = {"state": {"waiting": {"reason": "ContainerCreating"}}, "ready": False}
DONE, DIED = ({"state": {"terminated": {"exitCode": code}}, "ready": False} for code in (0, 137))


def _pod(*entries, policy="Always", phase="Running", restless=False, **metadata):
    labels = {RESTLESS: "true"} if restless else {}
    status = {"phase": phase, "containerStatuses": list(entries)}
    return {"metadata": {"labels": labels, **metadata}, "spec": {"restartPolicy": policy}, "status": status}


@pytest.mark.parametrize(
    "pod",
    [
        _pod(READY, READY),
        _pod(READY, DIED, policy="Never"),
        _pod(READY, DONE, policy="OnFailure"),
        _pod(DIED, policy="Never", phase="Failed"),
        _pod(WAITS, RUNS, restless=True),
    ],
    ids=["ready", "half of it never again", "half of it done", "over", "restless"],
)
def test_a_pod_has_come_to_rest(pod):
    assert is_settled(pod)


@pytest.mark.parametrize(
    "pod",
    [
        _pod(READY, RUNS),
        _pod(READY, WAITS),
        _pod(READY, DIED, policy="OnFailure"),
        _pod(CREATING, restless=True),
        _pod(),
        _pod(READY, deletionTimestamp="2026-11-24T10:00:00Z"),
    ],
    ids=["not ready", "waits", "to be started again", "restless and not started", "nothing yet", "being deleted"],
)
def test_a_pod_is_still_on_its_way(pod):
    assert not is_settled(pod)
