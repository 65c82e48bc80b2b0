"""Every resource with a /status: what its creation, its updates and updates of its status change, and what not."""

import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.resource import is_stored
from minikube_py.api.resources import NODES, RESOURCES, SERVICES
from minikube_py.apiserver.decisions import NoChange, Reject, Write, WriteContext
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.verbs import create, update, update_status
from minikube_py.testing.least_objects import least_object

NOW_S = 1767225600.0
OPTIONS = WriteOptions(field_manager="test")
ROWS = [row for row in RESOURCES if row.subresource("status") and is_stored(row)]
UNCHECKED = {
    "persistentvolumes": "ValidatePersistentVolumeStatusUpdate looks at the metadata alone",
    "cronjobs.batch": "its status strategy validates nothing",
    "servicecidrs.networking.k8s.io": "ValidateServiceCIDRStatusUpdate looks at the metadata alone",
}
STATUS_ALONE = {
    "apiservices.apiregistration.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "flowschemas.flowcontrol.apiserver.k8s.io",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    "resourceclaims.resource.k8s.io",
    "servicecidrs.networking.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "volumeattachments.storage.k8s.io",
}
"""Those whose strategy resets the metadata (ResetObjectMetaForStatus, or field by field)."""
CONDITION = {
    "type": "example.com/Seen",
    "status": "True",
    "reason": "Because",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "lastUpdateTime": "2026-01-01T00:00:00Z",
}


def context(row, obj, subresource=""):
    name = obj["metadata"]["name"]
    namespace = "default" if row.namespaced else ""
    return WriteContext(namespace, name, NOW_S, "uid-1", OPTIONS, subresource)


def stored(row, **fields):
    obj = {**least_object(row), **fields}
    decision = create(row, obj, context(row, obj))
    assert isinstance(decision, Write), decision
    decision.obj["metadata"]["resourceVersion"] = "5"
    return decision.obj


def by_name(row):
    return row.qualified


def test_every_row_says_what_its_status_may_say_or_stands_in_the_list():
    assert {row.qualified for row in ROWS if row.validate_status is None} == set(UNCHECKED)
    assert {row.qualified for row in ROWS if row.status_alone} == STATUS_ALONE


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_creation_sets_no_status(row):
    with_status = stored(row, status={"conditions": [CONDITION]})

    if row is NODES:  # a kubelet registers with it, and upstream's strategy leaves it
        assert with_status["status"]["conditions"] == [CONDITION]
    else:
        assert with_status.get("status") == stored(row).get("status")


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_an_update_leaves_the_status(row):
    old = stored(row)
    new = copy_object(old)
    new["status"] = {"conditions": [CONDITION]}

    decision = update(row, old, new, context(row, old))

    assert isinstance(decision, NoChange), decision


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_an_update_of_the_status_leaves_the_rest(row):
    old = stored(row)
    new = copy_object(old)
    new["status"] = {**(old.get("status") or {}), "conditions": [CONDITION]}
    new["metadata"] |= {"labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["example.com/a"]}
    new["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]
    new["metadata"]["generation"] = 77
    for field in set(new) - {"apiVersion", "kind", "metadata", "status"}:
        new[field] = {}

    decision = update_status(row, old, new, context(row, old, "status"))

    assert isinstance(decision, Write), decision
    changed = decision.obj
    assert CONDITION.items() <= changed["status"]["conditions"][0].items()
    assert {k: v for k, v in changed.items() if k not in ("metadata", "status")} == {
        k: v for k, v in old.items() if k not in ("metadata", "status")
    }
    meta, before = changed["metadata"], old["metadata"]
    assert meta.get("generation") == before.get("generation")
    assert "ownerReferences" not in meta
    for field in ("labels", "annotations", "finalizers"):
        assert (meta.get(field) == before.get(field)) is row.status_alone


def test_metadata_that_an_update_of_the_status_changes_is_checked():
    old = stored(SERVICES)
    new = copy_object(old)
    new["metadata"]["labels"] = {"no key!": "b"}

    decision = update_status(SERVICES, old, new, context(SERVICES, old, "status"))

    assert isinstance(decision, Reject)
    assert "metadata.labels" in decision.error.message
