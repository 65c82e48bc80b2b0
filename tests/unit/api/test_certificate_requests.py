"""What can be read from a request and a certificate, and what is none."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from minikube_py.api.certificate_requests import (
    UnreadableRequestError,
    certificate_fault,
    expires_at_s,
    issued_facts,
    load_request,
    request_facts,
    request_fault,
)
from minikube_py.api.rules.signers import BACKDATE_S
from minikube_py.testing.signing_requests import an_authority, new_key, pkcs10

NOW_S = 1_700_000_000.0


def encoded(text):
    return base64.b64encode(text).decode()


def certificate():
    return an_authority(NOW_S).certificate.public_bytes(Encoding.PEM)


def test_a_certificate_of_the_ca_says_whom_it_was_for_even_when_it_has_run_out():
    authority = an_authority(NOW_S)
    ca_pem = authority.certificate.public_bytes(Encoding.PEM)
    request = load_request(pkcs10("system:node:n1"))
    pem = authority.sign(request, ("client auth",), 1.0, NOW_S, 1).decode()

    facts = issued_facts(pem, ca_pem)
    assert (facts.common_name, facts.organizations) == ("system:node:n1", ("system:nodes",))
    assert facts.public_key == request_facts(encoded(request.public_bytes(Encoding.PEM))).public_key
    assert facts.not_before_s == NOW_S - BACKDATE_S
    assert issued_facts(pem, certificate()) is None
    assert issued_facts("nonsense", ca_pem) is None


def test_a_request_says_whom_it_is_for():
    key = new_key()
    sans = ("n1", "10.0.0.1", "a@b.c", "spiffe://x")
    facts = request_facts(pkcs10("system:node:n1", ("system:nodes", "more"), sans, key))

    assert (facts.common_name, facts.organizations) == ("system:node:n1", ("system:nodes", "more"))
    assert (facts.dns_names, facts.ip_addresses) == (("n1",), ("10.0.0.1",))
    assert (facts.email_addresses, facts.uris) == (("a@b.c",), ("spiffe://x",))
    assert facts.public_key == request_facts(pkcs10("other", (), (), key)).public_key


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("***", "PEM block type"),
        ("", "PEM block type"),
        (
            encoded(b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"),
            "cannot be read",
        ),
        (encoded(certificate()), "PEM block type"),
    ],
    ids=["no base64", "empty", "no DER", "a certificate"],
)
def test_what_is_no_request_is_told(text, why):
    assert why in request_fault(text)
    with pytest.raises(UnreadableRequestError, match=why):
        load_request(text)


def test_a_request_signed_by_another_key_is_refused():
    pem = base64.b64decode(pkcs10("x"))
    lines = pem.splitlines()
    der = bytearray(base64.b64decode(b"".join(lines[1:-1])))
    der[-1] ^= 1
    forged = b"\n".join((lines[0], base64.b64encode(bytes(der)), lines[-1]))

    assert "not signed by the key" in request_fault(encoded(forged))


def test_a_signer_answers_with_certificates_and_nothing_else():
    both = certificate() + b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    assert certificate_fault(encoded(certificate() * 2)) == ""
    assert 'found "EC PRIVATE KEY"' in certificate_fault(encoded(both))
    assert "at least one" in certificate_fault(encoded(b"hello"))
    assert "cannot be read" in certificate_fault(encoded(broken))
    assert "base64" in certificate_fault("abc")


def test_a_certificate_says_until_when_it_is_good():
    assert expires_at_s(encoded(certificate())) == NOW_S + 3650 * 86400
    assert expires_at_s(encoded(b"hello")) is None
