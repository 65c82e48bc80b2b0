"""Disruption budgets say one of two things."""

import pytest

from minikube_py.api.resources import DISRUPTION_BUDGETS
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
