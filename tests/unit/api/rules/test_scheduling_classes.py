"""Priorities that users may give, and those of the system."""

import pytest

from minikube_py.api.resources import PRIORITY_CLASSES, find_resource
from minikube_py.testing.rule_cases import made, new_faults, update_faults

RUNTIMES = find_resource("node.k8s.io", "v1", "runtimeclasses")


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"value": 1_000_000_001}, [("value", "Forbidden")]),
        ({"preemptionPolicy": "X"}, [("preemptionPolicy", "NotSupported")]),
        ({"metadata.name": "system-node-critical", "value": 2_000_001_000}, []),
        ({"metadata.name": "system-node-critical", "value": 5}, [("metadata.name", "Forbidden")]),
        ({"metadata.name": "system-mine"}, [("metadata.name", "Forbidden")]),
    ],
)
def test_faults_of_a_priority(changes, faults):
    assert new_faults(PRIORITY_CLASSES, changes) == faults


def test_a_priority_keeps_its_value():
    assert made(PRIORITY_CLASSES)["preemptionPolicy"] == "PreemptLowerPriority"
    assert update_faults(PRIORITY_CLASSES, {"value": 6}) == [("value", "Forbidden")]
    assert update_faults(PRIORITY_CLASSES, {"preemptionPolicy": "Never"}) == [("preemptionPolicy", "Invalid")]
    assert update_faults(PRIORITY_CLASSES, {"description": "x"}) == []


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"handler": ""}, [("handler", "Required"), ("handler", "Invalid")]),
        ({"overhead": {"podFixed": {"cpu": "-1"}}}, [("overhead.podFixed.limits[cpu]", "Invalid")]),
        ({"scheduling": {"nodeSelector": {"a b": ""}}}, [("scheduling.nodeSelector", "Invalid")]),
    ],
)
def test_faults_of_a_runtime(changes, faults):
    assert new_faults(RUNTIMES, changes) == faults


def test_a_runtime_keeps_its_handler():
    assert update_faults(RUNTIMES, {"handler": "other"}) == [("handler", "Invalid")]
