"""Disruption budgets say one of two things."""

import pytest

from minikube_py.api.resources import DISRUPTION_BUDGETS
from minikube_py.api.rules.policy import set_disruption_allowed, set_disruption_condition
from minikube_py.testing.rule_cases import REMOVED, made, new_faults, update_faults


def test_a_new_budget_allows_nothing_until_somebody_has_counted():
    assert made(DISRUPTION_BUDGETS)["status"]["disruptionsAllowed"] == 0


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.minAvailable": REMOVED, "spec.maxUnavailable": "50%"}, []),
        ({"spec.minAvailable": -1}, [("spec.minAvailable", "Invalid")]),
        ({"spec.minAvailable": "101%"}, [("spec.minAvailable", "Invalid")]),
        ({"spec.selector": {"matchLabels": {"a b": ""}}}, [("spec.selector.matchLabels", "Invalid")]),
        ({"spec.unhealthyPodEvictionPolicy": "X"}, [("spec.unhealthyPodEvictionPolicy", "NotSupported")]),
    ],
)
def test_faults_of_a_budget(changes, faults):
    assert new_faults(DISRUPTION_BUDGETS, changes) == faults


def test_a_budget_may_change():
    assert update_faults(DISRUPTION_BUDGETS, {"spec.minAvailable": 2}) == []


def test_a_status_that_cannot_be_is_refused():
    good = {"conditions": [], "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}

    assert DISRUPTION_BUDGETS.validate_status({"status": good}, {}) == ()
    (fault,) = DISRUPTION_BUDGETS.validate_status({"status": {**good, "expectedPods": -1}}, {})
    assert (fault.field, fault.reason) == ("status.expectedPods", "FieldValueInvalid")


def test_the_condition_follows_the_number_and_keeps_its_time():
    status = {"disruptionsAllowed": 1, "observedGeneration": 2}
    set_disruption_allowed(status, "then")
    set_disruption_allowed(status, "now")
    assert status["conditions"] == [
        {
            "type": "DisruptionAllowed",
            "status": "True",
            "observedGeneration": 2,
            "lastTransitionTime": "then",
            "reason": "SufficientPods",
            "message": "",
        }
    ]
    status["disruptionsAllowed"] = 0
    set_disruption_allowed(status, "now")
    assert (status["conditions"][0]["status"], status["conditions"][0]["lastTransitionTime"]) == ("False", "now")


def test_a_failure_to_count_says_why():
    status = {}
    set_disruption_condition(status, allowed=False, reason="SyncFailed", message="no", now="now")

    assert (status["conditions"][0]["reason"], status["conditions"][0]["message"]) == ("SyncFailed", "no")
