"""Classes, attachments, and what CSI drivers say of themselves."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults, update_faults

ROWS = {
    plural: find_resource("storage.k8s.io", "v1", plural)
    for plural in (
        "storageclasses",
        "volumeattributesclasses",
        "volumeattachments",
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
    )
}
SOURCE = "spec.source"


@pytest.mark.parametrize(
    ("plural", "changes", "faults"),
    [
        ("storageclasses", {"parameters": {"": "x"}}, [("parameters", "Invalid")]),
        ("storageclasses", {"parameters": {"k": "v" * 300_000}}, [("parameters", "TooLong")]),
        ("storageclasses", {"volumeBindingMode": "X"}, [("volumeBindingMode", "NotSupported")]),
        ("storageclasses", {"provisioner": "a b"}, [("provisioner", "Invalid")]),
        ("volumeattributesclasses", {"parameters": {}}, [("parameters", "Required")]),
        ("volumeattributesclasses", {"driverName": ""}, [("driverName", "Required")]),
        ("volumeattachments", {"spec.attacher": ""}, [("spec.attacher", "Required")]),
        ("volumeattachments", {SOURCE: {}}, [(SOURCE, "Required")]),
        ("volumeattachments", {f"{SOURCE}.inlineVolumeSpec": {}}, [(SOURCE, "Forbidden")]),
        (
            "volumeattachments",
            {f"{SOURCE}.persistentVolumeName": ""},
            [(f"{SOURCE}.persistentVolumeName", "Required")],
        ),
        ("csidrivers", {"spec.fsGroupPolicy": "X"}, [("spec.fsGroupPolicy", "NotSupported")]),
        ("csidrivers", {"spec.volumeLifecycleModes": ["X"]}, [("spec.volumeLifecycleModes", "NotSupported")]),
        (
            "csidrivers",
            {"spec.tokenRequests": [{"audience": "a"}, {"audience": "a", "expirationSeconds": 5}]},
            [("spec.tokenRequests[1].audience", "Duplicate"), ("spec.tokenRequests[1].expirationSeconds", "Invalid")],
        ),
        ("csidrivers", {"metadata.name": "d" * 64}, [("metadata.name", "TooLong")]),
        ("csinodes", {"spec.drivers.0.nodeID": ""}, [("spec.drivers[0].nodeID", "Required")]),
        (
            "csinodes",
            {"spec.drivers.0.allocatable": {"count": -1}},
            [("spec.drivers[0].allocatable.count", "Invalid")],
        ),
        ("csinodes", {"spec.drivers.0.topologyKeys": ["a b"]}, [("spec.drivers[0].topologyKeys", "Invalid")]),
        ("csistoragecapacities", {"storageClassName": ""}, [("storageClassName", "Required")]),
        ("csistoragecapacities", {"capacity": "-1"}, [("capacity", "Invalid")]),
    ],
)
def test_faults(plural, changes, faults):
    assert new_faults(ROWS[plural], changes) == faults


def test_a_driver_is_listed_once():
    drivers = [{"name": "d.example.com", "nodeID": "n"}] * 2

    assert new_faults(ROWS["csinodes"], {"spec.drivers": drivers}) == [("spec.drivers[1].name", "Duplicate")]


@pytest.mark.parametrize(
    ("plural", "changes", "faults"),
    [
        ("storageclasses", {"provisioner": "other"}, [("provisioner", "Forbidden")]),
        ("storageclasses", {"volumeBindingMode": "WaitForFirstConsumer"}, [("volumeBindingMode", "Invalid")]),
        ("storageclasses", {"allowVolumeExpansion": True}, []),
        ("volumeattributesclasses", {"parameters": {"a": "c"}}, [("parameters", "Forbidden")]),
        ("volumeattributesclasses", {"driverName": "other"}, [("driverName", "Invalid")]),
        ("volumeattachments", {"spec.nodeName": "other"}, [("spec", "Invalid")]),
        ("csidrivers", {"spec.attachRequired": False}, [("spec.attachRequired", "Invalid")]),
        ("csidrivers", {"spec.requiresRepublish": True}, []),
        ("csinodes", {"spec.drivers.0.nodeID": "other"}, [("spec.drivers[0].nodeID", "Invalid")]),
        ("csinodes", {"spec.drivers": []}, []),
        ("csistoragecapacities", {"storageClassName": "other"}, [("storageClassName", "Invalid")]),
        ("csistoragecapacities", {"capacity": REMOVED}, []),
    ],
)
def test_faults_of_changes(plural, changes, faults):
    assert update_faults(ROWS[plural], changes) == faults


def test_an_attachment_starts_detached():
    assert made(ROWS["volumeattachments"])["status"] == {"attached": False}


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ({"attachmentMetadata": {"path": "/dev/x"}, "attachError": {"message": "no", "errorCode": 8}}, []),
        ({"attachmentMetadata": {"a": "x" * 256 * 1024}}, ["status.attachmentMetadata"]),
        ({"attachError": {"message": "x" * 1025}}, ["status.attachError.message"]),
        ({"detachError": {"errorCode": -1}}, ["status.detachError.errorCode"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_driver_tells_of_an_attachment_fits_into_bounds(status, fields):
    assert [fault.field for fault in ROWS["volumeattachments"].validate_status({"status": status}, {})] == fields
