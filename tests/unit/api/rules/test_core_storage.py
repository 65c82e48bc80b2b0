"""Volumes and claims: what may be asked for, and what stays as it was."""

import pytest

from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.testing.rule_cases import REMOVED, made, new_faults, update_faults

REFERENCE = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "s"}


def test_a_new_claim_is_pending_and_protected_once():
    claim = made(PERSISTENT_VOLUME_CLAIMS, {"metadata.finalizers": ["kubernetes.io/pvc-protection"]})

    assert claim["status"] == {"phase": "Pending"}
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


@pytest.mark.parametrize(("given", "other"), [("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")])
def test_both_forms_of_a_data_source_are_kept(given, other):
    claim = made(PERSISTENT_VOLUME_CLAIMS, {f"spec.{given}": REFERENCE})

    assert claim["spec"][other] == REFERENCE


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]}, [("spec.accessModes", "Forbidden")]),
        ({"spec.resources.requests.storage": "0"}, [("spec.resources[storage]", "Invalid")]),
        ({"spec.volumeMode": "Tape"}, [("spec.volumeMode", "NotSupported")]),
        ({"spec.storageClassName": "A_"}, [("spec.storageClassName", "Invalid")]),
        ({"spec.selector": {"matchLabels": {"a b": ""}}}, [("spec.selector.matchLabels", "Invalid")]),
        ({"spec.dataSource": {"kind": "X", "name": "x"}}, [("spec.dataSource", "Invalid")]),
        ({"spec.dataSource": {"kind": "X", "apiGroup": "g"}}, [("spec.dataSource.name", "Required")]),
    ],
)
def test_faults_of_a_claim(changes, faults):
    assert new_faults(PERSISTENT_VOLUME_CLAIMS, changes) == faults


def test_a_claim_may_be_bound_but_not_changed():
    assert update_faults(PERSISTENT_VOLUME_CLAIMS, {"spec.volumeName": "pv"}) == []
    assert update_faults(PERSISTENT_VOLUME_CLAIMS, {"spec.storageClassName": "retro"}) == []
    assert update_faults(PERSISTENT_VOLUME_CLAIMS, {"spec.accessModes": ["ReadWriteMany"]}) == [("spec", "Forbidden")]
    grow = {"spec.resources.requests.storage": "2Gi"}
    assert update_faults(PERSISTENT_VOLUME_CLAIMS, grow) == [("spec", "Forbidden")]


def test_a_bound_claim_may_grow_and_not_shrink_below_what_it_has():
    rules = PERSISTENT_VOLUME_CLAIMS.rules
    old = made(PERSISTENT_VOLUME_CLAIMS, {"spec.volumeName": "pv"})
    old["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}

    def resized(size):
        spec = {**old["spec"], "resources": {"requests": {"storage": size}}}
        return [fault.field for fault in rules.validate_update({**old, "spec": spec}, old)]

    assert resized("2Gi") == []
    assert resized("500Mi") == ["spec.resources.requests.storage"]
    old["status"]["capacity"]["storage"] = "5Gi"
    assert resized("1Gi") == [], "its volume is bigger than what was asked for"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.capacity": {"storage": "0"}}, [("spec.capacity[storage]", "Invalid")]),
        ({"spec.capacity": {"storage": "1Gi", "cpu": "1"}}, [("spec.capacity", "NotSupported")]),
        ({"spec.accessModes": ["X"]}, [("spec.accessModes", "NotSupported")]),
        ({"spec.volumeMode": "Tape"}, [("spec.volumeMode", "NotSupported")]),
        ({"spec.hostPath": REMOVED}, [("spec", "Required")]),
    ],
)
def test_faults_of_a_volume(changes, faults):
    assert new_faults(PERSISTENT_VOLUMES, changes) == faults


def test_a_volumes_data_stays_where_it_is():
    source = [("spec.persistentvolumesource", "Forbidden")]

    assert update_faults(PERSISTENT_VOLUMES, {"spec.hostPath.path": "/other"}) == source
    assert update_faults(PERSISTENT_VOLUMES, {"spec.volumeMode": "Block"}) == [("spec.volumeMode", "Invalid")]
    assert update_faults(PERSISTENT_VOLUMES, {"spec.persistentVolumeReclaimPolicy": "Delete"}) == []
    affinity = {"required": {"nodeSelectorTerms": [{"matchFields": []}]}}
    moved = {"spec.nodeAffinity": {"required": {"nodeSelectorTerms": [{}]}}}
    assert update_faults(PERSISTENT_VOLUMES, moved, {"spec.nodeAffinity": affinity}) == [
        ("spec.nodeAffinity", "Invalid")
    ]


@pytest.mark.parametrize(
    ("changes", "since"),
    [
        ({}, "2020-01-01T00:00:00Z"),
        ({"phase": "Bound"}, "2026-01-01T00:00:00Z"),
        ({"phase": "Bound", "lastPhaseTransitionTime": None}, "2026-01-01T00:00:00Z"),
        ({"phase": "Bound", "lastPhaseTransitionTime": "2025-01-01T00:00:00Z"}, "2025-01-01T00:00:00Z"),
    ],
    ids=str,
)
def test_a_volume_says_since_when_it_has_its_phase(changes, since):
    old = {"status": {"phase": "Available", "lastPhaseTransitionTime": "2020-01-01T00:00:00Z"}}
    new = {"status": {**old["status"], **changes}}

    PERSISTENT_VOLUMES.prepare_status(new, old, 1767225600.0)

    assert new["status"]["lastPhaseTransitionTime"] == since
