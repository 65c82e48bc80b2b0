import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.device_claim_status import RESERVED_FOR_MAX, prepare_status, validate_status

USER = {"resource": "pods", "name": "p", "uid": "u"}
DEVICE = {"driver": "gpu.example.com", "pool": "node-1", "device": "gpu-0"}
ALLOCATION = {"devices": {"results": [{"request": "r", **DEVICE}]}}
CONDITION = {
    "type": "Ready",
    "status": "True",
    "reason": "Ok",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
REQUESTS = [
    {"name": "r", "exactly": {"deviceClassName": "c"}},
    {"name": "s", "firstAvailable": [{"name": "one", "deviceClassName": "c"}]},
]


def claim(*, deleted=False, **status):
    meta = {"name": "x", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
    return {"metadata": meta, "spec": {"devices": {"requests": REQUESTS}}, "status": copy_object(status)}


def found(new, old=None):
    faults = list(validate_status(new, old or claim()))
    return [(fault.field.removeprefix("status."), fault.reason.removeprefix("FieldValue")) for fault in faults]


def allocated(**changes):
    return {"devices": {"results": [{"request": "r", **DEVICE, **changes}]}}


@pytest.mark.parametrize(
    ("status", "faults"),
    [
        ({}, []),
        ({"allocation": ALLOCATION, "reservedFor": [USER], "devices": [{**DEVICE, "conditions": [CONDITION]}]}, []),
        ({"allocation": allocated(request="s/one")}, []),
        ({"reservedFor": [USER]}, [("reservedFor", "Forbidden")]),
        ({"allocation": ALLOCATION, "reservedFor": [USER, USER]}, [("reservedFor[1]", "Duplicate")]),
        (
            {"allocation": ALLOCATION, "reservedFor": [{"name": "p", "uid": "u"}]},
            [("reservedFor[0].resource", "Required")],
        ),
        ({"allocation": allocated(request="t")}, [("allocation.devices.results[0].request", "Invalid")]),
        ({"allocation": allocated(driver="")}, [("allocation.devices.results[0].driver", "Required")]),
        ({"allocation": allocated(driver="A_")}, [("allocation.devices.results[0].driver", "Invalid")]),
        ({"allocation": allocated(pool="a//b")}, [("allocation.devices.results[0].pool", "Invalid")]),
        ({"allocation": allocated(device="a.b")}, [("allocation.devices.results[0].device", "Invalid")]),
        (
            {"allocation": {"devices": {"config": [{"source": "x", "requests": ["t"]}, {"opaque": {}}]}}},
            [
                ("allocation.devices.config[0].source", "NotSupported"),
                ("allocation.devices.config[0].requests[0]", "Invalid"),
                ("allocation.devices.config[0].opaque", "Required"),
                ("allocation.devices.config[1].source", "Required"),
            ],
        ),
        ({"devices": [DEVICE]}, [("devices[0]", "Invalid")]),
        ({"allocation": ALLOCATION, "devices": [DEVICE, DEVICE]}, [("devices[1]", "Duplicate")]),
        (
            {"allocation": ALLOCATION, "devices": [{**DEVICE, "conditions": [{**CONDITION, "status": "Maybe"}]}]},
            [("devices[0].conditions[0].status", "NotSupported")],
        ),
    ],
    ids=str,
)
def test_each_fault_names_its_field(status, faults):
    assert found(claim(**status)) == faults


def test_too_many_users_are_told_once():
    users = [{**USER, "uid": str(number)} for number in range(RESERVED_FOR_MAX + 1)]
    assert found(claim(allocation=ALLOCATION, reservedFor=users)) == [("reservedFor", "TooMany")]


def test_an_allocation_stays_as_it_is_or_goes():
    old = claim(allocation=ALLOCATION)
    assert found(claim(allocation=allocated(device="gpu-1")), old) == [("allocation", "Invalid")]
    assert found(claim(allocation=ALLOCATION), old) == []
    assert found(claim(), old) == []


def test_a_claim_that_is_going_gets_no_new_users():
    old = claim(deleted=True, allocation=ALLOCATION, reservedFor=[USER, {**USER, "uid": "v"}])
    assert found(claim(deleted=True, allocation=ALLOCATION, reservedFor=[USER]), old) == []
    more = claim(deleted=True, allocation=ALLOCATION, reservedFor=[USER, {**USER, "uid": "w"}])
    assert found(more, old) == [("reservedFor", "Forbidden")]


def test_what_is_said_about_devices_goes_with_them():
    other = {**DEVICE, "device": "gpu-1"}
    both = {"devices": {"results": [{"request": "r", **DEVICE}, {"request": "r", **other}]}}
    old = claim(allocation=both, devices=[DEVICE, other])

    kept = claim(allocation=ALLOCATION, devices=[DEVICE, other])
    prepare_status(kept, old, 0.0)
    assert kept["status"]["devices"] == [DEVICE]
    none = claim(devices=[DEVICE, other])
    prepare_status(none, old, 0.0)
    assert none["status"] == {}
