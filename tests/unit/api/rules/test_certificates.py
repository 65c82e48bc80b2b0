"""Signing requests: what is asked, who decides what."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.certificates import set_requestor, signer_faults, validate_approval, validate_status
from minikube_py.testing.rule_cases import made, new_faults, update_faults
from minikube_py.testing.signing_requests import an_authority

REQUESTS = find_resource("certificates.k8s.io", "v1", "certificatesigningrequests")
CERTIFICATE = b64encode(an_authority(0.0).certificate.public_bytes(Encoding.PEM)).decode()


def request(*kinds, certificate=""):
    status = {"conditions": [{"type": kind, "status": "True"} for kind in kinds]}
    return {"status": {**status, "certificate": certificate} if certificate else status}


def fields(faults):
    return [fault.field for fault in faults]


def test_who_asks_is_written_down_whatever_the_request_says():
    asked = {"spec": {"username": "root", "uid": "1", "extra": {}, "request": "x"}}
    set_requestor(asked, {"username": "alice", "groups": ["a", "b"], "uid": "u"})

    assert asked["spec"] == {"request": "x", "username": "alice", "groups": ["a", "b"], "uid": "u"}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.request": "***"}, [("spec.request", "Invalid")]),
        ({"spec.usages": []}, [("spec.usages", "Required")]),
        ({"spec.usages": ["any", "any"]}, [("spec.usages[1]", "Duplicate")]),
        ({"spec.signerName": ""}, [("spec.signerName", "Required")]),
        ({"spec.signerName": "kubernetes.io/legacy-unknown"}, [("spec.signerName", "Invalid")]),
        ({"spec.expirationSeconds": 60}, [("spec.expirationSeconds", "Invalid")]),
    ],
)
def test_faults_of_a_request(changes, faults):
    assert new_faults(REQUESTS, changes) == faults


@pytest.mark.parametrize(
    ("name", "fine"),
    [("example.com/signer", True), ("kubernetes.io/kube-apiserver-client", True), ("x", False), ("a.b/c/d", False)],
)
def test_a_signer_has_a_domain_and_a_name(name, fine):
    assert (signer_faults(name) == ()) is fine


def test_a_request_stays_as_it_was_made():
    old = made(REQUESTS)
    new = {**old, "spec": {"request": "other"}}
    REQUESTS.rules.prepare_update(new, old)

    assert new["spec"] == old["spec"]
    assert update_faults(REQUESTS, {"metadata.labels": {"a": "b"}}) == []


def test_a_decision_stays_and_is_one_of_two():
    assert validate_approval(request("Approved"), request()) == ()
    assert fields(validate_approval(request(), request("Denied"))) == ["status.conditions"]
    assert fields(validate_approval(request("Approved", "Denied"), request("Approved"))) == [
        "status.conditions[1].type"
    ]
    assert fields(validate_approval(request("Approved", "Approved"), request())) == ["status.conditions[1].type"]


def test_a_signer_decides_nothing():
    assert validate_status(request("Approved", certificate=CERTIFICATE), request("Approved")) == ()
    assert fields(validate_status(request(certificate="eA=="), request())) == ["status.certificate"]
    assert validate_status(request("Approved", "Failed"), request("Approved")) == ()
    assert fields(validate_status(request("Approved"), request())) == ["status.conditions"]
    assert fields(validate_status(request(certificate="d"), request(certificate="c"))) == ["status.certificate"]


def test_a_condition_says_what_and_whether():
    odd = {"status": {"conditions": [{}, {"type": "Denied", "status": "False"}, {"type": "x", "status": "Maybe"}]}}

    assert fields(validate_approval(odd, {})) == [
        "status.conditions[0].type",
        "status.conditions[0].status",
        "status.conditions[1].status",
        "status.conditions[2].status",
    ]
