import pytest

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.resources import PODS
from minikube_py.api.table.scheduling_v1 import RUNTIME_CLASSES
from minikube_py.testing.built_in_admission import DictLookups, Request, admit


def a_class(**more):
    lookups = DictLookups()
    lookups.add(RUNTIME_CLASSES, {"metadata": {"name": "kata"}, "handler": "kata", **more})
    return lookups


def a_pod(**spec):
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": {"runtimeClassName": "kata", **spec}}


def test_a_class_says_what_the_pod_costs_and_where_it_goes():
    found = a_class(
        overhead={"podFixed": {"cpu": "250m"}},
        scheduling={"nodeSelector": {"kata": "yes"}, "tolerations": [{"key": "kata", "operator": "Exists"}]},
    )
    spec = admit(Request(PODS), a_pod(nodeSelector={"disk": "ssd"}, overhead={"cpu": "0.25"}), found)["spec"]
    assert spec["overhead"] == {"cpu": "250m"}
    assert spec["nodeSelector"] == {"disk": "ssd", "kata": "yes"}
    assert {"key": "kata", "operator": "Exists"} in spec["tolerations"]


@pytest.mark.parametrize(
    ("more", "spec", "why"),
    [
        ({}, {"runtimeClassName": "none"}, 'pods "p" is forbidden: pod rejected: RuntimeClass "none" not found'),
        ({}, {"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass defined Overhead"),
        ({"overhead": {"podFixed": {"cpu": "2"}}}, {"overhead": {"cpu": "1"}}, "Pod's Overhead doesn't match"),
        (
            {"scheduling": {"nodeSelector": {"a": "1"}}},
            {"nodeSelector": {"a": "2"}},
            r"conflict: runtimeClass.scheduling.nodeSelector\[a\] = 1; pod.spec.nodeSelector\[a\] = 2",
        ),
    ],
)
def test_what_contradicts_the_class_is_refused(more, spec, why):
    with pytest.raises(ForbiddenError, match=why):
        admit(Request(PODS), a_pod(**spec), a_class(**more))
