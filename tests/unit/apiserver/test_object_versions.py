"""In which other versions an object can be seen."""

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import CONFIGMAPS, EVENTS, find_resource
from minikube_py.apiserver.object_versions import versions_of
from minikube_py.testing.custom_objects import a_served_definition, a_version

V1 = find_resource("autoscaling", "v1", "horizontalpodautoscalers")
V2 = find_resource("autoscaling", "v2", "horizontalpodautoscalers")
SPEC = {"scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}, "maxReplicas": 3}
OLD = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "a"},
    "spec": {**SPEC, "targetCPUUtilizationPercentage": 50},
}


def test_most_kinds_have_one_version():
    assert versions_of(CONFIGMAPS) is None


def test_autoscalers_are_seen_in_both_versions_and_come_back_as_they_were():
    v2 = versions_of(V1)("autoscaling/v2")
    seen = v2.there(OLD)

    assert seen["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    assert v2.definition is V2.schema
    assert v2.back(seen)["spec"] == OLD["spec"]
    assert versions_of(V2)("autoscaling/v1").there(seen)["spec"] == OLD["spec"]


def test_a_version_that_is_not_served_is_none():
    assert versions_of(V2)("autoscaling/v2beta2") is None
    assert versions_of(EVENTS)("events.k8s.io/v1") is not None


def test_an_object_that_is_not_there_yet_is_nothing_in_any_version():
    assert versions_of(V1)("autoscaling/v2").there({}) == {}
    bare = {"metadata": {}}
    assert versions_of(V1)("autoscaling/v2").there(bare) == bare


def test_custom_resources_have_the_same_fields_in_all_served_versions():
    rows = rows_of(a_served_definition(versions=[a_version("v1"), a_version("v1beta1", storage=False, served=False)]))
    versions = versions_of(rows[0])

    assert versions("ex.io/v1").there({"spec": {"a": 1}}) == {"spec": {"a": 1}}
    assert versions("ex.io/v1beta1") is None
