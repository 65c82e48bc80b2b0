"""What a certificate request came to."""

import base64

import pytest

from minikube_py.api.certificate_answers import certificate_of
from minikube_py.api.errors import ConflictError, ForbiddenError


def test_a_request_without_an_answer_has_no_certificate():
    assert certificate_of({"spec": {}}) == ""
    assert certificate_of({"status": {"conditions": [{"type": "Approved"}]}}) == ""


def test_the_certificate_is_the_text_in_the_answer():
    assert certificate_of({"status": {"certificate": base64.b64encode(b"PEM").decode()}}) == "PEM"


@pytest.mark.parametrize("kind", ["Denied", "Failed"])
def test_a_refusal_says_why(kind):
    request = {"status": {"conditions": [{"type": kind, "reason": "NodeNameTaken", "message": "the name is taken"}]}}

    with pytest.raises(ForbiddenError, match="the name is taken"):
        certificate_of(request)


def test_a_refusal_that_time_mends_is_another_one():
    request = {"status": {"conditions": [{"type": "Denied", "reason": "NodeNamePromised", "message": "until noon"}]}}

    with pytest.raises(ConflictError, match="until noon"):
        certificate_of(request)
