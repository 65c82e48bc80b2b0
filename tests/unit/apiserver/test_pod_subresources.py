"""The two changes of a running pod that go past its spec."""

import pytest

from minikube_py.api.resources import PODS
from minikube_py.apiserver.decisions import NO_CHANGE, Reject, Write, WriteContext
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.pod_subresources import update_ephemeral_containers, update_resources
from minikube_py.testing.rule_cases import made, with_changes

CONTEXT = WriteContext("default", "x", 0.0, "", WriteOptions(field_manager="test"), "resize")
DEBUG = {"name": "debug", "image": "busybox"}
ASKED = {"spec.containers.0.resources": {"requests": {"cpu": "100m"}}}
CPU = "spec.containers.0.resources.requests.cpu"


def faults(decision):
    assert isinstance(decision, Reject), decision
    return [cause["field"] for cause in decision.error.details["causes"]]


def debugged(old, *containers, **changes):
    new = with_changes(old, {"spec.ephemeralContainers": list(containers), **changes})
    return update_ephemeral_containers(PODS, old, new, CONTEXT)


def resized(changes, before=ASKED, **status):
    old = made(PODS, before)
    old["status"] |= status
    return update_resources(PODS, old, with_changes(old, changes), CONTEXT)


def test_a_container_is_added_with_its_defaults_and_nothing_else_changes():
    decision = debugged(made(PODS), DEBUG, **{"spec.hostNetwork": True})

    assert isinstance(decision, Write)
    assert decision.obj["spec"]["ephemeralContainers"][0]["imagePullPolicy"] == "Always"
    assert "hostNetwork" not in decision.obj["spec"]
    assert decision.obj["metadata"]["generation"] == 1


def test_containers_that_are_there_stay():
    old = debugged(made(PODS), DEBUG).obj

    assert faults(debugged(old)) == ["spec.ephemeralContainers"]
    assert faults(debugged(old, {**DEBUG, "image": "other"})) == ["spec.ephemeralContainers"]
    assert debugged(old, DEBUG) == NO_CHANGE


def test_a_bad_container_is_refused():
    assert "spec.ephemeralContainers[0].image" in faults(debugged(made(PODS), {"name": "debug"}))


def test_what_a_pod_asks_for_may_change():
    decision = resized({CPU: "200m"})

    assert isinstance(decision, Write)
    assert decision.obj["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "200m"}}
    assert resized({CPU: "100m"}) == NO_CHANGE


@pytest.mark.parametrize(
    ("decision", "fields"),
    [
        (resized({CPU: "200m", "spec.containers.0.image": "other"}), ["spec"]),
        (
            resized({"spec.containers.0.resources": {"requests": {}}}),
            ["spec.containers[0].resources.requests", "spec"],
        ),
        (
            resized({"spec.containers.0.resources.limits": {"ephemeral-storage": "1Gi"}}),
            ["spec.containers[0].resources.requests", "spec.containers[0].resources.limits"],
        ),
        (resized({CPU: "1", "spec.containers.0.resources.limits": {"cpu": "1", "memory": "1Gi"}}), ["spec"]),
        (resized({CPU: "1"}, phase="Failed"), ["status.phase"]),
        (resized({CPU: "-1"}), ["spec", "spec.containers[0].resources.requests[cpu]"]),
    ],
    ids=["image", "nothing", "storage", "guaranteed", "finished", "negative"],
)
def test_what_a_resize_may_not_do(decision, fields):
    assert sorted(faults(decision)) == sorted(fields)


def test_another_objects_body_is_refused():
    old = made(PODS)
    other = with_changes(old, {"metadata.name": "y"})

    assert update_resources(PODS, old, other, CONTEXT).error.code == 400
    assert update_ephemeral_containers(PODS, old, other, CONTEXT).error.code == 400
