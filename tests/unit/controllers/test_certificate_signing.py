"""Requests that were approved get their certificate, or are told why not."""

import base64
from dataclasses import replace

import pytest
from cryptography import x509

from minikube_py.api.meta import key_of
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.api.rules.signers import API_CLIENT
from minikube_py.client.interface import EVERYTHING
from minikube_py.controllers.certificate_signing import Signer, observe, sign, spec
from minikube_py.controllers.plan import Item, Listers
from minikube_py.testing.fake_informers import FakeInformer
from minikube_py.testing.signing_requests import an_authority, decided, pkcs10, signing_request

NOW_S = 1_700_000_000.0
SIGNER = Signer(an_authority(NOW_S), 365 * 86400.0)
ALICE = {"signer": API_CLIENT, "usages": ("client auth",)}


def seen(request):
    name = SIGNING_REQUESTS.qualified
    return observe(
        Listers({name: FakeInformer(SIGNING_REQUESTS, EVERYTHING, [request], 1)}), Item(name, key_of(request)), None
    )


def answer(request):
    (update,) = sign(seen(request), SIGNER, NOW_S).actions
    assert (update.resource, update.subresource) == (SIGNING_REQUESTS, "status")
    return update.obj["status"]


def test_an_approved_request_gets_its_certificate_and_keeps_its_conditions():
    request = decided(signing_request(pkcs10("alice", ("dev",)), **ALICE))
    status = answer(request)

    certificate = x509.load_pem_x509_certificate(base64.b64decode(status["certificate"]))
    assert certificate.subject.rfc4514_string() == "CN=alice,O=dev"
    assert status["conditions"] == request["status"]["conditions"]
    certificate.verify_directly_issued_by(SIGNER.authority.certificate)


def test_it_lives_as_long_as_was_asked():
    request = decided(signing_request(pkcs10("alice"), expirationSeconds=3600, **ALICE))
    certificate = x509.load_pem_x509_certificate(base64.b64decode(answer(request)["certificate"]))

    assert certificate.not_valid_after_utc.timestamp() == NOW_S + 3600


def test_what_does_not_fit_the_signer_fails_whoever_approved_it():
    status = answer(decided(signing_request(pkcs10("alice"))))

    assert "certificate" not in status
    assert [condition["type"] for condition in status["conditions"]] == ["Approved", "Failed"]
    assert status["conditions"][1]["reason"] == "SignerValidationFailure"
    assert "system:node:" in status["conditions"][1]["message"]


def test_what_cannot_be_read_fails_too():
    assert answer(decided(signing_request("eA==")))["conditions"][1]["type"] == "Failed"


@pytest.mark.parametrize(
    "other",
    [
        signing_request(pkcs10("alice"), **ALICE),
        decided(signing_request(pkcs10("alice"), **ALICE), "Denied"),
        decided(signing_request(pkcs10("alice"), **ALICE), "Failed"),
        decided(signing_request(pkcs10("alice"), **ALICE), certificate="x"),
        decided(signing_request(pkcs10("alice"), signer="example.com/mine")),
    ],
    ids=["undecided", "denied", "failed", "answered", "another's"],
)
def test_all_others_are_left_alone(other):
    assert seen(other) is None


def test_a_ca_that_cannot_sign_is_told_in_the_log_and_asked_again():
    old = replace(SIGNER, authority=an_authority(0.0))
    plan = sign(decided(signing_request(pkcs10("alice"), **ALICE)), old, NOW_S)

    assert plan.actions == ()
    assert "expired" in plan.notes[0].message
    assert plan.requeue_after_s == 60.0


def test_its_row_signs_with_the_given_ca():
    request = decided(signing_request(pkcs10("alice"), **ALICE))

    assert len(spec(SIGNER).reconcile(request, NOW_S).actions) == 1
