import pytest

from minikube_py.api.resources import DEPLOYMENTS, NAMESPACES, PODS
from minikube_py.apiserver.decisions import Reject, Remove, Write, WriteContext
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.subresources import bind, finalize, render_scale, render_selector, update_scale

NOW_S = 1767225600.0
CONTEXT = WriteContext("default", "x", NOW_S, "", WriteOptions(field_manager="test"), "scale")
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}


def a_deployment(replicas=3):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "default", "uid": "u", "resourceVersion": "5", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
        "status": {"replicas": 2},
    }


def a_pod(**spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "default", "uid": "u", "resourceVersion": "5", "generation": 1},
        "spec": spec,
        "status": {"conditions": [{"type": "PodScheduled", "status": "False"}, {"type": "Ready", "status": "False"}]},
    }


def a_binding(node="n1", **metadata):
    return {"metadata": {"name": "x", **metadata}, "target": {"kind": "Node", "name": node}}


def test_a_scale_shows_the_replicas_asked_for_and_there():
    assert render_scale(a_deployment()) == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "x", "namespace": "default", "uid": "u", "resourceVersion": "5"},
        "spec": {"replicas": 3},
        "status": {"replicas": 2, "selector": "a=b"},
    }
    assert render_scale(a_deployment(0))["spec"] == {}


def test_a_selector_is_written_as_text():
    expressions = [
        {"key": "d", "operator": "In", "values": ["y", "x"]},
        {"key": "c", "operator": "NotIn", "values": ["z"]},
        {"key": "e", "operator": "Exists"},
        {"key": "f", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": expressions}
    assert render_selector(selector) == "a=1,b=2,c notin (z),d in (x,y),e,!f"


def test_scaling_changes_the_replicas_and_the_generation():
    scale = render_scale(a_deployment()) | {"spec": {"replicas": 7}}
    new = update_scale(DEPLOYMENTS, a_deployment(), scale, CONTEXT).obj
    assert (new["spec"]["replicas"], new["metadata"]["generation"]) == (7, 2)
    emptied = update_scale(DEPLOYMENTS, a_deployment(), {**scale, "spec": {}}, CONTEXT).obj
    assert emptied["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec": {"replicas": -1}}, 'Scale.autoscaling "x" is invalid: spec.replicas: Invalid value: -1: must be'),
        ({"metadata": {"name": "x", "resourceVersion": "4"}}, "the object has been modified"),
    ],
)
def test_a_wrong_or_stale_scale_is_refused(change, message):
    decision = update_scale(DEPLOYMENTS, a_deployment(), render_scale(a_deployment()) | change, CONTEXT)
    assert isinstance(decision, Reject)
    assert message in decision.error.message


def test_a_binding_assigns_the_pod_and_says_so():
    new = bind(PODS, a_pod(), a_binding(annotations={"k": "v"}), CONTEXT).obj
    assert new["spec"]["nodeName"] == "n1"
    assert new["metadata"]["annotations"] == {"k": "v"}
    assert new["metadata"]["generation"] == 2
    assert {c["type"]: c["status"] for c in new["status"]["conditions"]} == {"Ready": "False", "PodScheduled": "True"}


@pytest.mark.parametrize(
    ("pod", "binding", "message"),
    [
        (
            a_pod(nodeName="n0"),
            a_binding(),
            'Operation cannot be fulfilled on pods/binding "x": pod x is already assigned to node "n0"',
        ),
        (
            a_pod() | {"metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}},
            a_binding(),
            'Operation cannot be fulfilled on pods/binding "x": pod x is being deleted, cannot be assigned to a host',
        ),
        (
            a_pod(),
            a_binding(uid="other"),
            'Operation cannot be fulfilled on pods/binding "x": Precondition failed: UID in precondition: other, '
            "UID in object meta: u",
        ),
        (
            a_pod(),
            a_binding(resourceVersion="4"),
            'Operation cannot be fulfilled on pods/binding "x": Precondition failed: ResourceVersion in '
            "precondition: 4, ResourceVersion in object meta: 5",
        ),
        (
            a_pod(schedulingGates=[{"name": "g"}]),
            a_binding(),
            'Operation cannot be fulfilled on pods/binding "x": pod x has non-empty .spec.schedulingGates',
        ),
        (
            a_pod(),
            {"metadata": {"name": "x"}, "target": {"kind": "Pod", "name": ""}},
            '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", '
            "target.name: Required value]",
        ),
    ],
)
def test_a_binding_that_cannot_be_is_refused(pod, binding, message):
    decision = bind(PODS, pod, binding, CONTEXT)
    assert isinstance(decision, Reject)
    assert decision.error.message == message


def test_a_deleted_namespace_goes_when_it_is_finalized():
    old = {
        "metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z", "labels": {"a": "b"}},
        "spec": {"finalizers": ["kubernetes", "ex.io/a"]},
    }
    fewer = {"metadata": {"name": "x"}, "spec": {"finalizers": ["ex.io/a"]}}
    none = {"metadata": {"name": "x"}, "spec": {}}
    kept = finalize(NAMESPACES, old, fewer, CONTEXT)
    assert isinstance(kept, Write)
    assert kept.obj["spec"] == {"finalizers": ["ex.io/a"]}
    assert kept.obj["metadata"]["labels"] == {"a": "b"}
    assert isinstance(finalize(NAMESPACES, old, none, CONTEXT), Remove)
