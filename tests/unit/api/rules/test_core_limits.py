"""Limits fill one another in; quotas count what they know."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import made, new_faults, update_faults

LIMITS = find_resource("", "v1", "limitranges")
QUOTAS = find_resource("", "v1", "resourcequotas")


def test_limits_of_containers_fill_one_another_in():
    item = {"type": "Container", "min": {"memory": "1Mi"}, "max": {"cpu": "2"}, "default": {"cpu": "1"}}
    (filled,) = made(LIMITS, {"spec.limits": [item]})["spec"]["limits"]

    assert filled["default"] == {"cpu": "1"}
    assert filled["defaultRequest"] == {"cpu": "1", "memory": "1Mi"}


def test_no_limits_are_an_empty_list():
    assert made(LIMITS, {"spec.limits": None})["spec"] == {"limits": []}


def test_limits_of_pods_are_left_alone():
    item = {"type": "Pod", "max": {"cpu": "2"}}

    assert made(LIMITS, {"spec.limits": [item]})["spec"]["limits"] == [item]


@pytest.mark.parametrize(
    ("item", "faults"),
    [
        ({"type": ""}, [("spec.limits[0].type", "Required")]),
        ({"type": "Pod", "default": {"cpu": "1"}}, [("spec.limits[0].default", "Forbidden")]),
        ({"type": "PersistentVolumeClaim"}, [("spec.limits[0].limits", "Required")]),
        (
            {"type": "Pod", "maxLimitRequestRatio": {"cpu": "500m"}},
            [("spec.limits[0].maxLimitRequestRatio[cpu]", "Invalid")],
        ),
        ({"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}, [("spec.limits[0].min[cpu]", "Invalid")]),
    ],
)
def test_faults_of_a_limit(item, faults):
    assert new_faults(LIMITS, {"spec.limits": [item]}) == faults


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.hard": {"requests.cpu": "1", "count/jobs.batch": "3", "e.com/x": "1"}}, []),
        ({"spec.hard": {"pods": "1500m"}}, [("spec.hard[pods]", "Invalid")]),
        ({"spec.scopes": ["Terminating", "NotTerminating"]}, [("spec.scopes", "Invalid")]),
        (
            {"spec.scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}},
            [("spec.scopeSelector.matchExpressions[0].values", "Required")],
        ),
        (
            {"spec.scopeSelector": {"matchExpressions": [{"scopeName": "X", "operator": "Is"}]}},
            [
                ("spec.scopeSelector.matchExpressions", "Invalid"),
                ("spec.scopeSelector.matchExpressions[0].operator", "Invalid"),
            ],
        ),
        (
            {
                "spec.scopeSelector": {
                    "matchExpressions": [{"scopeName": "BestEffort", "operator": "Exists", "values": ["x"]}]
                }
            },
            [("spec.scopeSelector.matchExpressions[0].values", "Invalid")],
        ),
    ],
)
def test_faults_of_a_quota(changes, faults):
    assert new_faults(QUOTAS, changes) == faults


def test_a_quota_counts_the_same_things_all_its_life():
    assert update_faults(QUOTAS, {"spec.hard": {"pods": "9"}}) == []
    assert update_faults(QUOTAS, {"spec.scopes": ["BestEffort"]}) == [("spec.scopes", "Invalid")]
