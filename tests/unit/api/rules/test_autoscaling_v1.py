"""What v1 cannot say is carried along in annotations, in both directions."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.autoscaling_v1 import BEHAVIOR, CONDITIONS, CURRENT_METRICS, METRICS, from_v2, to_v2
from minikube_py.testing.rule_cases import made, new_faults

V1 = find_resource("autoscaling", "v1", "horizontalpodautoscalers")
TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
OBJECT = {
    "type": "Object",
    "object": {
        "describedObject": TARGET,
        "metric": {"name": "m", "selector": {"matchLabels": {"a": "b"}}},
        "target": {"type": "Value", "value": "5"},
    },
}
EXTERNAL = {
    "type": "External",
    "external": {
        "metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}},
        "target": {"type": "AverageValue", "averageValue": "30"},
    },
}
PODS = {"type": "Pods", "pods": {"metric": {"name": "p"}, "target": {"type": "AverageValue", "averageValue": "1"}}}
CONTAINER = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "cpu",
        "container": "c",
        "target": {"type": "Utilization", "averageUtilization": 9},
    },
}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}
METRICS_OF_EACH_KIND = (OBJECT, EXTERNAL, PODS, CONTAINER, MEMORY)


def stored(metrics, **more):
    spec = {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, "metrics": list(metrics), **more}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": spec,
    }


def test_the_cpu_target_is_a_field_and_the_rest_annotations_in_v1s_own_spelling():
    shown = from_v2(stored([OBJECT, CPU], behavior={"scaleDown": {"selectPolicy": "Disabled"}}))

    assert shown["apiVersion"] == "autoscaling/v1"
    assert shown["spec"]["targetCPUUtilizationPercentage"] == 50
    assert "metrics" not in shown["spec"]
    (metric,) = orjson.loads(shown["metadata"]["annotations"][METRICS])
    assert metric == {
        "type": "Object",
        "object": {
            "target": TARGET,
            "metricName": "m",
            "selector": {"matchLabels": {"a": "b"}},
            "targetValue": "5",
        },
    }
    assert orjson.loads(shown["metadata"]["annotations"][BEHAVIOR]) == {"scaleDown": {"selectPolicy": "Disabled"}}


@given(st.lists(st.sampled_from(METRICS_OF_EACH_KIND), max_size=4), st.booleans())
@settings(max_examples=60)
def test_what_is_stored_comes_back_the_same(metrics, with_cpu):
    whole = stored([*([CPU] if with_cpu else []), *metrics])
    if not whole["spec"]["metrics"]:
        del whole["spec"]["metrics"]

    assert to_v2(from_v2(whole)) == whole


def test_the_status_is_carried_along():
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}
    other = {"type": "Pods", "pods": {"metric": {"name": "p"}, "current": {"averageValue": "3"}}}
    conditions = [{"type": "AbleToScale", "status": "True"}]
    status = {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "currentMetrics": [current, other],
        "conditions": conditions,
    }
    whole = {**stored([CPU]), "status": status}
    shown = from_v2(whole)

    assert shown["status"] == {"currentReplicas": 2, "desiredReplicas": 3, "currentCPUUtilizationPercentage": 7}
    assert orjson.loads(shown["metadata"]["annotations"][CONDITIONS]) == conditions
    assert orjson.loads(shown["metadata"]["annotations"][CURRENT_METRICS])[0]["pods"]["currentAverageValue"] == "3"
    assert to_v2(shown) == whole


def test_an_annotation_that_is_no_json_is_dropped():
    shown = {**from_v2(stored([CPU])), "metadata": {"name": "h", "annotations": {METRICS: "{", "mine": "x"}}}

    assert to_v2(shown)["metadata"]["annotations"] == {"mine": "x"}
    assert to_v2(shown)["spec"]["metrics"] == [CPU]


def test_v1_aims_at_80_percent_unless_it_carries_metrics():
    carried = orjson.dumps([{"type": "Pods", "pods": {"metricName": "p", "targetAverageValue": "1"}}]).decode()

    assert made(V1)["spec"]["targetCPUUtilizationPercentage"] == 80
    spec = made(V1, {"metadata.annotations": {METRICS: carried}})["spec"]
    assert "targetCPUUtilizationPercentage" not in spec


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.maxReplicas": 0}, [("spec.maxReplicas", "Invalid"), ("spec.maxReplicas", "Invalid")]),
        (
            {"spec.targetCPUUtilizationPercentage": 0},
            [("spec.metrics[0].resource.target.averageUtilization", "Invalid")],
        ),
    ],
)
def test_v1_is_judged_as_what_it_stands_for(changes, faults):
    assert new_faults(V1, changes) == faults
