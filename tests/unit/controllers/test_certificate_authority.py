"""What stands in a certificate that the cluster's CA gives."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from minikube_py.api.certificate_requests import load_request
from minikube_py.controllers.certificate_authority import AuthorityError, lifetime_s, load_authority, serial_of
from minikube_py.testing.signing_requests import an_authority, pkcs10

NOW_S = 1_700_000_000.0
NOW = datetime.fromtimestamp(NOW_S, UTC)
AUTHORITY = an_authority(NOW_S)
DAY_S = 86400.0


def signed(usages=("digital signature", "client auth"), valid_s=DAY_S, now_s=NOW_S, **request):
    pem = AUTHORITY.sign(load_request(pkcs10("system:node:n1", **request)), usages, valid_s, now_s, 42)
    return x509.load_pem_x509_certificate(pem)


def test_subject_key_and_names_are_the_requests_and_the_rest_is_the_cas():
    certificate = signed(sans=("n1", "10.0.0.1"))

    certificate.verify_directly_issued_by(AUTHORITY.certificate)
    assert certificate.subject.rfc4514_string() == "CN=system:node:n1,O=system:nodes"
    assert certificate.serial_number == 42
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["n1"]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    known = AUTHORITY.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer.key_identifier == known.digest


def test_the_usages_are_those_asked_for_and_no_others():
    certificate = signed(("digital signature", "key encipherment", "server auth"))

    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_use_twice_named_stands_once():
    extended = signed(("email protection", "s/mime")).extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert list(extended.value) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


@pytest.mark.parametrize(
    ("valid_s", "until"),
    [(600.0, timedelta(minutes=10)), (DAY_S, timedelta(hours=23, minutes=55)), (1e9, timedelta(days=3650))],
    ids=["short", "long", "longer than the CA"],
)
def test_it_begins_five_minutes_ago_and_never_outlives_the_ca(valid_s, until):
    certificate = signed(valid_s=valid_s)

    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == NOW + until


def test_a_ca_that_has_expired_signs_nothing():
    with pytest.raises(AuthorityError, match="expired"):
        signed(now_s=NOW_S + 3651 * DAY_S)


def test_it_is_loaded_from_what_is_on_disk():
    key_pem = AUTHORITY.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    loaded = load_authority(AUTHORITY.certificate.public_bytes(Encoding.PEM), key_pem)

    assert loaded.certificate == AUTHORITY.certificate
    assert "key" not in repr(loaded).replace("key_", "")
    with pytest.raises(ValueError, match=r"."):
        load_authority(b"x", key_pem)


def test_serial_numbers_are_positive_and_fit_and_repeat():
    assert serial_of("u", "r") == serial_of("u", "r") != serial_of("u2", "r")
    assert 0 < serial_of("u", "r") < 2**127


@pytest.mark.parametrize(("asked", "given"), [(None, 9e5), (1e6, 9e5), (3600.0, 3600.0), (60.0, 600.0)])
def test_a_lifetime_is_as_asked_within_bounds(asked, given):
    assert lifetime_s(asked, 9e5) == given
