"""Devices and claims on them."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults, update_faults

CLAIMS = find_resource("resource.k8s.io", "v1", "resourceclaims")
TEMPLATES = find_resource("resource.k8s.io", "v1", "resourceclaimtemplates")
SLICES = find_resource("resource.k8s.io", "v1", "resourceslices")
CLASSES = find_resource("resource.k8s.io", "v1", "deviceclasses")
REQUESTS = "spec.devices.requests"
Q = f"{REQUESTS}[0]"
EXACTLY = {"deviceClassName": "c"}


def test_a_request_is_for_one_device_unless_it_says_otherwise():
    (request,) = made(CLAIMS)["spec"]["devices"]["requests"]
    several = made(CLAIMS, {REQUESTS: [{"name": "r", "firstAvailable": [{"name": "a", **EXACTLY}]}]})
    (alternative,) = several["spec"]["devices"]["requests"][0]["firstAvailable"]

    assert (request["exactly"]["allocationMode"], request["exactly"]["count"]) == ("ExactCount", 1)
    assert alternative["count"] == 1
    assert made(TEMPLATES)["spec"]["spec"]["devices"]["requests"][0]["exactly"]["count"] == 1


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({REQUESTS: [{"exactly": EXACTLY}]}, [(f"{Q}.name", "Required")]),
        ({REQUESTS: [{"name": "A_", "exactly": EXACTLY}]}, [(f"{Q}.name", "Invalid")]),
        ({REQUESTS: [{"name": "r", "exactly": EXACTLY}] * 2}, [(f"{REQUESTS}[1].name", "Duplicate")]),
        ({REQUESTS: [{"name": "r"}]}, [(Q, "Required")]),
        (
            {REQUESTS: [{"name": "r", "exactly": EXACTLY, "firstAvailable": [{"name": "a", **EXACTLY}]}]},
            [(Q, "Invalid")],
        ),
        ({REQUESTS: [{"name": "r", "exactly": {}}]}, [(f"{Q}.exactly.deviceClassName", "Required")]),
        ({REQUESTS: [{"name": "r", "exactly": {**EXACTLY, "count": -1}}]}, [(f"{Q}.exactly.count", "Invalid")]),
        (
            {REQUESTS: [{"name": "r", "exactly": {**EXACTLY, "allocationMode": "All", "count": 2}}]},
            [(f"{Q}.exactly.count", "Invalid")],
        ),
        (
            {REQUESTS: [{"name": "r", "exactly": {**EXACTLY, "allocationMode": "X", "selectors": [{}]}}]},
            [(f"{Q}.exactly.selectors[0].cel", "Required"), (f"{Q}.exactly.allocationMode", "NotSupported")],
        ),
        ({REQUESTS: [{"name": f"r{i}", "exactly": EXACTLY} for i in range(33)]}, [(REQUESTS, "TooMany")]),
    ],
)
def test_faults_of_a_claim(changes, faults):
    assert new_faults(CLAIMS, changes) == faults


def test_a_claim_stays_as_it_was_made():
    assert update_faults(CLAIMS, {REQUESTS: []}) == [("spec", "Invalid")]
    assert update_faults(TEMPLATES, {"spec.spec.devices": {}}) == [("spec", "Invalid")]
    assert new_faults(TEMPLATES, {"spec.spec.devices.requests": [{"name": "r"}]}) == [
        ("spec.spec.devices.requests[0]", "Required")
    ]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.driver": ""}, [("spec.driver", "Required")]),
        ({"spec.nodeName": REMOVED}, [("spec", "Required")]),
        ({"spec.allNodes": True}, [("spec", "Invalid")]),
        ({"spec.pool.name": ""}, [("spec.pool.name", "Required")]),
        ({"spec.pool.name": "a/B_"}, [("spec.pool.name", "Invalid")]),
        ({"spec.pool.resourceSliceCount": 0}, [("spec.pool.resourceSliceCount", "Invalid")]),
        ({"spec.devices": [{"name": f"d{i}"} for i in range(129)]}, [("spec.devices", "TooMany")]),
    ],
)
def test_faults_of_a_slice(changes, faults):
    assert new_faults(SLICES, changes) == faults


def test_a_slice_stays_with_its_driver_pool_and_node():
    moved = {"spec.driver": "o.example.com", "spec.pool.name": "other", "spec.nodeName": "other"}

    assert [field for field, _ in update_faults(SLICES, moved)] == ["spec.driver", "spec.pool.name", "spec.nodeName"]


def test_a_class_configures_drivers_by_name():
    faults = [("spec.config[0].opaque", "Required"), ("spec.config[1].opaque.driver", "Required")]

    assert new_faults(CLASSES, {"spec.config": [{}, {"opaque": {}}]}) == faults
