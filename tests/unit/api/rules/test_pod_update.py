import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.pod_update import FROZEN, validate_pod_spec_update

OLD = {
    "containers": [{"name": "c", "image": "i"}],
    "restartPolicy": "Always",
    "activeDeadlineSeconds": 10,
    "tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 5}],
}


def faults(old=OLD, **changes):
    new = {**copy_object(old), **changes}
    return [(f.field, f.detail) for f in validate_pod_spec_update(new, old)]


def test_images_deadlines_and_more_tolerations_may_change():
    tolerations = [{"key": "a", "operator": "Exists", "tolerationSeconds": 9}, {"operator": "Exists"}]

    assert faults(containers=[{"name": "c", "image": "j"}], activeDeadlineSeconds=5, tolerations=tolerations) == []


@pytest.mark.parametrize(
    "changes",
    [{"restartPolicy": "Never"}, {"nodeSelector": {"a": "b"}}, {"containers": [{"name": "d", "image": "i"}]}],
    ids=str,
)
def test_nothing_else_may(changes):
    assert faults(**changes) == [("spec", FROZEN)]


def test_containers_are_neither_added_nor_removed():
    detail = "pod updates may not add or remove containers"

    assert faults(containers=[]) == [("spec.containers", detail)]
    assert faults(initContainers=[{"name": "i"}]) == [("spec.initContainers", detail)]


@pytest.mark.parametrize("deadline", [-3, 11, None])
def test_a_deadline_only_comes_nearer(deadline):
    assert [field for field, _ in faults(activeDeadlineSeconds=deadline)] == ["spec.activeDeadlineSeconds"]


def test_tolerations_are_not_taken_away():
    assert [field for field, _ in faults(tolerations=[])] == ["spec.tolerations"]


def test_gates_only_go():
    old = {**OLD, "schedulingGates": [{"name": "a"}]}

    assert faults(old, schedulingGates=[]) == []
    assert [field for field, _ in faults(old, schedulingGates=[{"name": "b"}])] == ["spec.schedulingGates[0]"]


def test_a_pod_at_a_gate_may_be_directed_to_fewer_nodes():
    old = {**OLD, "schedulingGates": [{"name": "a"}], "nodeSelector": {"a": "b"}}

    assert faults(old, nodeSelector={"a": "b", "c": "d"}) == []
    assert faults(old, nodeSelector={"c": "d"}) == [("spec", FROZEN)]


def test_a_negative_grace_period_may_become_one():
    old = {**OLD, "terminationGracePeriodSeconds": -5}

    assert faults(old, terminationGracePeriodSeconds=1) == []
    assert faults(old, terminationGracePeriodSeconds=2) == [("spec", FROZEN)]
