"""What counts as active, ready, available."""

from minikube_py.controllers.pod_state import available_at_s, condition_of, count_available, is_active, is_ready
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod


def test_ended_and_leaving_pods_are_not_active() -> None:
    assert is_active(a_pod())
    assert not is_active(a_pod(phase="Failed"))
    assert not is_active(a_pod(phase="Succeeded"))
    assert not is_active(a_pod(deleting=True))


def test_a_pod_is_available_when_it_was_ready_for_long_enough() -> None:
    fresh = a_pod(since=NOW)

    assert is_ready(fresh)
    assert available_at_s(fresh, 10) == NOW_S + 10
    assert available_at_s(a_pod(ready=False), 10) is None
    assert count_available([fresh, a_pod("old"), a_pod("bad", ready=False)], 10, NOW_S + 4) == (1, 6.0)
    assert count_available([fresh], 0, NOW_S) == (1, None)


def test_a_condition_is_found_by_its_type() -> None:
    assert condition_of(a_pod(), "Ready") == {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": "2025-12-31T00:00:00Z",
    }
    assert condition_of(a_pod(), "PodScheduled") is None
