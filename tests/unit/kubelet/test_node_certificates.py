"""What a node asks for, what it reads in what it got, and when it asks again."""

import base64

import pytest

from minikube_py.api.certificate_requests import load_request, request_facts
from minikube_py.api.rules.signers import BACKDATE_S, SIGNERS
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kubelet.node_certificates import (
    HeldCertificate,
    build_request,
    is_due,
    read_certificate,
    renew_at_s,
    wanted_client,
    wanted_serving,
)
from minikube_py.testing.signing_requests import an_authority

NOW_S = 1_767_225_600.0
SERVING = wanted_serving("n1", ("192.0.2.7", "n1", "n1.example.org"))
KEY = new_key_pem()


def held(lifetime_s=1000.0, sans=()):
    """Return one that was made now, and is dated back as the signers do."""
    return HeldCertificate(NOW_S - BACKDATE_S, NOW_S + lifetime_s, "n1", frozenset(sans))


@pytest.mark.parametrize("wanted", [wanted_client("n1"), SERVING], ids=["client", "serving"])
def test_what_a_node_asks_for_is_what_its_signer_signs(wanted):
    facts = request_facts(base64.b64encode(build_request(wanted, KEY)).decode())

    assert facts.common_name == "system:node:n1"
    assert SIGNERS[wanted.signer](facts, wanted.usages) == ""


def test_a_serving_certificate_names_the_node_and_its_addresses_once():
    facts = request_facts(base64.b64encode(build_request(SERVING, KEY)).decode())

    assert facts.dns_names == ("n1", "n1.example.org")
    assert facts.ip_addresses == ("192.0.2.7",)


def test_a_certificate_is_read_as_it_was_signed():
    request = base64.b64encode(build_request(SERVING, KEY)).decode()
    pem = an_authority(NOW_S).sign(load_request(request), SERVING.usages, 3600.0, NOW_S, 1)
    read = read_certificate(pem)

    assert (read.node_name, read.sans) == ("n1", {"n1", "n1.example.org", "192.0.2.7"})
    assert read.not_after_s == NOW_S + 3600.0
    assert read.not_before_s < NOW_S


def test_a_text_that_is_no_certificate_is_an_error():
    with pytest.raises(ValueError, match="PEM"):
        read_certificate(b"nothing")


def test_the_moment_of_renewal_lies_between_seven_and_nine_tenths_of_the_life():
    assert renew_at_s(held(), 0.0) == NOW_S + 700.0
    assert renew_at_s(held(), 0.5) == NOW_S + 800.0
    assert renew_at_s(held(), 0.999) < NOW_S + 900.0


def test_a_short_life_is_not_over_when_it_begins():
    assert renew_at_s(held(lifetime_s=45.0), 0.0) == NOW_S + 31.5
    assert renew_at_s(HeldCertificate(NOW_S, NOW_S + 10.0, "n1", frozenset()), 0.5) == NOW_S + 10.0


def test_a_node_without_a_certificate_asks_at_once():
    assert is_due(None, wanted_client("n1"), NOW_S + 700.0, NOW_S)


def test_a_node_asks_again_when_it_is_time():
    assert not is_due(held(), wanted_client("n1"), NOW_S + 700.0, NOW_S + 699.0)
    assert is_due(held(), wanted_client("n1"), NOW_S + 700.0, NOW_S + 700.0)


def test_a_node_asks_again_when_it_has_an_address_that_the_certificate_lacks():
    full = held(sans=SERVING.sans)

    assert not is_due(full, SERVING, NOW_S + 700.0, NOW_S)
    assert is_due(full, wanted_serving("n1", ("192.0.2.8",)), NOW_S + 700.0, NOW_S)
    assert not is_due(full, wanted_serving("n1", ()), NOW_S + 700.0, NOW_S)
