"""DaemonSets, StatefulSets and their history."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.apps_sets import TEMPLATE_GENERATION, prepare_update_daemon_set
from minikube_py.testing.rule_cases import REMOVED, made, new_faults, update_faults, with_changes

DAEMONS = find_resource("apps", "v1", "daemonsets")
STATEFUL = find_resource("apps", "v1", "statefulsets")
REVISIONS = find_resource("apps", "v1", "controllerrevisions")
ROLLING = "spec.updateStrategy.rollingUpdate"


def test_the_template_generation_counts_changes_of_the_template_only():
    old = made(DAEMONS)
    same = with_changes(old, {"spec.minReadySeconds": 5, "metadata.annotations": {TEMPLATE_GENERATION: "9"}})
    other = with_changes(old, {"spec.template.spec.containers.0.image": "other"})
    prepare_update_daemon_set(same, old)
    prepare_update_daemon_set(other, old)

    generations = [o["metadata"]["annotations"][TEMPLATE_GENERATION] for o in (old, same, other)]
    assert generations == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({f"{ROLLING}.maxUnavailable": "50%"}, []),
        ({f"{ROLLING}.maxUnavailable": "101%"}, [(f"{ROLLING}.maxUnavailable", "Invalid")]),
        ({f"{ROLLING}.maxSurge": 1}, [(f"{ROLLING}.maxSurge", "Invalid")]),
        ({f"{ROLLING}.maxSurge": 1, f"{ROLLING}.maxUnavailable": "0%"}, []),
        ({"spec.updateStrategy.type": "OnDelete"}, []),
        ({"spec.updateStrategy.type": "X"}, [("spec.updateStrategy", "Invalid")]),
        ({"spec.selector": {}}, [("spec.selector", "Invalid")]),
    ],
)
def test_faults_of_a_daemon_set(changes, faults):
    assert new_faults(DAEMONS, changes) == faults


def test_a_daemon_set_keeps_its_pods():
    moved = {"spec.selector": {"matchLabels": {"a": "b"}}, "spec.template.metadata.labels": {"a": "b"}}

    assert update_faults(DAEMONS, moved) == [("spec.selector", "Invalid")]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.updateStrategy": {"type": "OnDelete"}}, []),
        ({f"{ROLLING}.partition": -1}, [(f"{ROLLING}.partition", "Invalid")]),
        ({f"{ROLLING}.maxUnavailable": 0}, [(f"{ROLLING}.maxUnavailable", "Invalid")]),
        (
            {"spec.updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}},
            [(ROLLING, "Invalid")],
        ),
        (
            {"spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Burn"},
            [("spec.persistentVolumeClaimRetentionPolicy.whenScaled", "NotSupported")],
        ),
        ({"spec.ordinals": {"start": -1}}, [("spec.ordinals.start", "Invalid")]),
    ],
)
def test_faults_of_a_stateful_set(changes, faults):
    assert new_faults(STATEFUL, changes) == faults


def test_a_stateful_set_changes_only_in_what_can_be_rolled_out():
    free = {"spec.replicas": 5, "spec.template.spec.containers.0.image": "other", "spec.minReadySeconds": 3}

    assert update_faults(STATEFUL, free) == []
    assert update_faults(STATEFUL, {"spec.serviceName": "other"}) == [("spec", "Forbidden")]


def test_history_is_not_rewritten():
    assert new_faults(REVISIONS, {"data": REMOVED}) == [("data", "Required")]
    assert new_faults(REVISIONS, {"revision": -1}) == [("revision", "Invalid")]
    assert update_faults(REVISIONS, {"revision": 7}) == []
    assert update_faults(REVISIONS, {"data": {"c": "d"}}) == [("data", "Invalid")]
