"""Autoscalers: metrics, targets, behaviour."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import made, new_faults

HPAS = find_resource("autoscaling", "v2", "horizontalpodautoscalers")
M = "spec.metrics[0]"


def metric(kind, **source):
    return {"spec.metrics": [{"type": kind, **source}]}


def test_without_metrics_it_aims_at_a_share_of_the_cpu():
    spec = made(HPAS)["spec"]

    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}


def test_behaviour_is_filled_in_where_it_is_given():
    behavior = made(HPAS, {"spec.behavior": {"scaleUp": {"stabilizationWindowSeconds": 60}}})["spec"]["behavior"]

    assert [policy["type"] for policy in behavior["scaleUp"]["policies"]] == ["Pods", "Percent"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 60
    assert behavior["scaleDown"] == {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }
    assert "behavior" not in made(HPAS)["spec"]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (metric("Resource", resource={"name": "cpu", "target": {"type": "AverageValue", "averageValue": "1"}}), []),
        (metric(""), [(f"{M}.type", "Required")]),
        (metric("X"), [(f"{M}.type", "NotSupported")]),
        (metric("Pods"), [(f"{M}.pods", "Required")]),
        (
            metric("Resource", resource={"name": "cpu", "target": {"type": "Utilization"}}, pods={}),
            [(f"{M}.pods", "Forbidden"), (f"{M}.resource.target.averageUtilization", "Required")],
        ),
        (
            metric("ContainerResource", containerResource={"target": {"type": "Value", "averageUtilization": 0}}),
            [
                (f"{M}.containerResource.name", "Required"),
                (f"{M}.containerResource.container", "Required"),
                (f"{M}.containerResource.target.averageUtilization", "Invalid"),
            ],
        ),
        (
            metric("Object", object={"metric": {"name": "m"}, "target": {"type": "Value", "value": "-1"}}),
            [
                (f"{M}.object.describedObject.kind", "Required"),
                (f"{M}.object.describedObject.name", "Required"),
                (f"{M}.object.target.value", "Invalid"),
            ],
        ),
        (
            {"spec.behavior": {"scaleUp": {"selectPolicy": "X"}}},
            [("spec.behavior.scaleUp.selectPolicy", "NotSupported")],
        ),
        (
            {"spec.behavior": {"scaleDown": {"stabilizationWindowSeconds": 4000, "policies": [{"type": "X"}]}}},
            [
                ("spec.behavior.scaleDown.stabilizationWindowSeconds", "Invalid"),
                ("spec.behavior.scaleDown.policies[0].type", "NotSupported"),
                ("spec.behavior.scaleDown.policies[0].value", "Invalid"),
                ("spec.behavior.scaleDown.policies[0].periodSeconds", "Invalid"),
            ],
        ),
    ],
)
def test_faults_of_an_autoscaler(changes, faults):
    assert new_faults(HPAS, changes) == faults
