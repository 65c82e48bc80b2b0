"""When a certificate request has served."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from minikube_py.api.meta import key_of
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.client.interface import EVERYTHING
from minikube_py.controllers.certificate_cleaner import observe, reconcile, spec
from minikube_py.controllers.plan import NOTHING, Delete, Item, Listers
from minikube_py.testing.fake_informers import FakeInformer
from minikube_py.testing.signing_requests import an_authority, decided, signing_request

MADE_S = 1_767_225_600.0
REQUEST = signing_request("x")


def certificate(now_s):
    return base64.b64encode(an_authority(now_s).certificate.public_bytes(Encoding.PEM)).decode()


GOOD, OLD = certificate(MADE_S), certificate(MADE_S - 3650 * 86400 + 60)


@pytest.mark.parametrize(
    ("request_", "after_s"),
    [
        (REQUEST, 86400),
        (decided(REQUEST, "Denied"), 3600),
        (decided(REQUEST, "Failed"), 3600),
        (decided(REQUEST, certificate=GOOD), 3600),
        (decided(REQUEST), 86400),
        (decided(REQUEST, certificate=OLD), 60),
    ],
    ids=["undecided", "denied", "failed", "answered", "unanswered", "expired"],
)
def test_a_request_goes_when_it_is_due_and_not_before(request_, after_s):
    assert reconcile(request_, MADE_S + after_s - 1).requeue_after_s == 1
    (delete,) = reconcile(request_, MADE_S + after_s).actions

    assert isinstance(delete, Delete)
    assert delete.target.uid == "uid-csr"


def test_a_request_without_any_time_stays():
    assert reconcile(decided(REQUEST, at=""), MADE_S) is NOTHING


def test_what_is_there_is_looked_at():
    name = SIGNING_REQUESTS.qualified
    there = Listers({name: FakeInformer(SIGNING_REQUESTS, EVERYTHING, [REQUEST], 1)})

    assert observe(there, Item(name, key_of(REQUEST)), None) == REQUEST
    assert spec().watches[0].resource is SIGNING_REQUESTS
