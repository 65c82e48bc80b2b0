"""A condition that says the same stays as it is; one whose status stays keeps its transition time."""

from minikube_py.controllers.conditions import Condition, find_condition, remove_condition, set_condition
from minikube_py.testing.workload_objects import NOW, NOW_S

READY = Condition("Available", "True", "Enough", "fine")


def test_a_new_condition_is_stamped() -> None:
    assert set_condition((), READY, NOW_S, update_time=True) == (
        {
            "type": "Available",
            "status": "True",
            "lastUpdateTime": NOW,
            "lastTransitionTime": NOW,
            "reason": "Enough",
            "message": "fine",
        },
    )


def test_the_same_status_and_reason_change_nothing_unless_forced() -> None:
    before = set_condition((), READY, NOW_S, update_time=True)

    assert set_condition(before, READY, NOW_S + 60, update_time=True) == before
    forced = set_condition(before, READY, NOW_S + 60, update_time=True, force=True)
    assert forced[0]["lastUpdateTime"] == "2026-01-01T00:01:00Z"
    assert forced[0]["lastTransitionTime"] == NOW


def test_another_status_moves_the_transition_time() -> None:
    before = set_condition((), READY, NOW_S)
    (after,) = set_condition(before, Condition("Available", "False", "TooFew", "bad"), NOW_S + 60)

    assert (after["status"], after["lastTransitionTime"]) == ("False", "2026-01-01T00:01:00Z")


def test_conditions_are_found_and_removed_by_type() -> None:
    both = set_condition(set_condition((), READY, NOW_S), Condition("Other", "True", "", ""), NOW_S)

    assert find_condition(both, "Other") == both[1]
    assert find_condition(both, "Missing") is None
    assert remove_condition(both, "Available") == (both[1],)
