import pytest

from minikube_py.api.resources import CONFIGMAPS, NAMESPACES, PODS
from minikube_py.apiserver.decisions import NO_CHANGE, Reject, Remove, Write
from minikube_py.apiserver.deletion import delete
from minikube_py.apiserver.options import RemovalOptions

NOW_S = 1767225600.0


def an_object(**metadata):
    return {"metadata": {"name": "x", "uid": "u", "resourceVersion": "5", **metadata}}


def a_pod(node="n1", phase="Running", grace_s=30, **metadata):
    spec = {"nodeName": node, "terminationGracePeriodSeconds": grace_s} if node else {}
    return {**an_object(generation=1, **metadata), "spec": spec, "status": {"phase": phase}}


def deletion_of(decision):
    assert isinstance(decision, Write), decision
    meta = decision.obj["metadata"]
    return meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"], meta.get("generation")


def test_an_object_that_waits_for_nothing_goes_at_once():
    obj = an_object()
    assert delete(CONFIGMAPS, obj, RemovalOptions(), NOW_S) == Remove(obj)


@pytest.mark.parametrize(
    ("options", "conflict"),
    [
        (
            RemovalOptions(uid="other"),
            "the UID in the precondition (other) does not match the UID in record (u). The object might have been "
            "deleted and then recreated",
        ),
        (
            RemovalOptions(resource_version="4"),
            "the ResourceVersion in the precondition (4) does not match the ResourceVersion in record (5). The "
            "object might have been modified",
        ),
    ],
)
def test_preconditions_hold_or_refuse(options, conflict):
    decision = delete(CONFIGMAPS, an_object(), options, NOW_S)
    assert isinstance(decision, Reject)
    assert decision.error.message == f'Operation cannot be fulfilled on ConfigMap "x": {conflict}'
    assert isinstance(delete(CONFIGMAPS, an_object(), RemovalOptions(uid="u", resource_version="5"), NOW_S), Remove)


@pytest.mark.parametrize(
    ("propagation", "before", "after"),
    [
        (None, ["ex.io/a"], ["ex.io/a"]),
        ("Foreground", [], ["foregroundDeletion"]),
        ("Orphan", ["ex.io/a", "foregroundDeletion"], ["ex.io/a", "orphan"]),
        ("Background", ["orphan", "ex.io/a"], ["ex.io/a"]),
    ],
)
def test_the_propagation_policy_becomes_a_finalizer(propagation, before, after):
    decision = delete(CONFIGMAPS, an_object(finalizers=before), RemovalOptions(propagation=propagation), NOW_S)
    assert decision.obj["metadata"]["finalizers"] == after
    assert deletion_of(decision)[:2] == ("2026-01-01T00:00:00Z", 0)


def test_background_takes_the_other_policies_off():
    old = an_object(finalizers=["foregroundDeletion"], deletionTimestamp="2026-01-01T00:00:00Z")
    assert isinstance(delete(CONFIGMAPS, old, RemovalOptions(propagation="Background"), NOW_S), Remove)


@pytest.mark.parametrize(
    ("pod", "options", "expected"),
    [
        (a_pod(), RemovalOptions(), ("2026-01-01T00:00:30Z", 30, 2)),
        (a_pod(grace_s=5), RemovalOptions(), ("2026-01-01T00:00:05Z", 5, 2)),
        (a_pod(), RemovalOptions(grace_period_s=7), ("2026-01-01T00:00:07Z", 7, 2)),
        (a_pod(), RemovalOptions(grace_period_s=-1), ("2026-01-01T00:00:01Z", 1, 2)),
    ],
)
def test_a_running_pod_gets_its_grace_period(pod, options, expected):
    assert deletion_of(delete(PODS, pod, options, NOW_S)) == expected


@pytest.mark.parametrize("pod", [a_pod(node=""), a_pod(phase="Succeeded"), a_pod(phase="Failed"), a_pod(grace_s=0)])
def test_a_pod_that_nobody_has_to_stop_goes_at_once(pod):
    assert isinstance(delete(PODS, pod, RemovalOptions(), NOW_S), Remove)


def test_the_kubelets_word_ends_the_grace_period():
    old = a_pod(deletionTimestamp="2026-01-01T00:00:30Z", deletionGracePeriodSeconds=30)
    assert isinstance(delete(PODS, old, RemovalOptions(grace_period_s=0, uid="u"), NOW_S), Remove)


def test_a_second_deletion_may_only_make_the_grace_period_shorter():
    old = a_pod(deletionTimestamp="2026-01-01T00:00:30Z", deletionGracePeriodSeconds=30)
    shorter = delete(PODS, old, RemovalOptions(grace_period_s=5), NOW_S + 10)
    longer = delete(PODS, old, RemovalOptions(grace_period_s=60), NOW_S + 10)
    assert deletion_of(shorter) == ("2026-01-01T00:00:05Z", 5, 1)
    assert longer == NO_CHANGE


def test_a_namespace_waits_for_its_content():
    old = {**an_object(), "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    decision = delete(NAMESPACES, old, RemovalOptions(), NOW_S)
    assert decision.obj["status"] == {"phase": "Terminating"}
    assert decision.obj["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert delete(NAMESPACES, decision.obj, RemovalOptions(), NOW_S + 9) == NO_CHANGE
    assert isinstance(delete(NAMESPACES, {**decision.obj, "spec": {}}, RemovalOptions(), NOW_S), Remove)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_some_namespaces_may_not_be_deleted(name):
    decision = delete(NAMESPACES, {"metadata": {"name": name}}, RemovalOptions(), NOW_S)
    assert isinstance(decision, Reject)
    assert decision.error.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'
