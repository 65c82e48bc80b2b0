"""Who asks, told by headers, and who is believed."""

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from minikube_py.apiserver.pki import CertificateSpec, build_ca, build_certificate
from minikube_py.apiserver.request_headers import (
    authentication_data,
    front_proxies_of,
    header_text,
    user_in,
    with_user,
)
from minikube_py.apiserver.users import UserInfo

ALICE = UserInfo("alice", ("team", "system:authenticated"), uid="7", extra=(("example.com/scope s", ("a", "b")),))


def test_headers_name_the_user_and_nobody_whom_the_client_named():
    claimed = [("X-Remote-User", "root"), ("x-remote-group", "g"), ("X-REMOTE-EXTRA-X", "y"), ("x-remote-uid", "0")]
    headers = with_user([*claimed, ("Accept", "a")], ALICE)

    assert headers == [
        ("Accept", "a"),
        ("X-Remote-User", "alice"),
        ("X-Remote-Uid", "7"),
        ("X-Remote-Group", "team"),
        ("X-Remote-Group", "system:authenticated"),
        ("X-Remote-Extra-example.com%2Fscope%20s", "a"),
        ("X-Remote-Extra-example.com%2Fscope%20s", "b"),
    ]


def test_what_one_side_writes_the_other_reads():
    assert user_in(with_user([], ALICE)) == ALICE


def test_without_a_name_there_is_nobody():
    assert user_in([("X-Remote-Group", "g")]) is None
    assert user_in([("X-Remote-User", "")]) is None


@pytest.fixture(scope="module")
def signed():
    """Return certificates by (CA, common name), and the CA that is to be believed."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("good", "twin")}
    cas = {name: build_ca("front", key, 0.0, 1) for name, key in keys.items()}  # the twin has the same name
    leaf = ec.generate_private_key(ec.SECP256R1()).public_key()

    def sign(ca, name):
        made = build_certificate(CertificateSpec(name), leaf, cas[ca], keys[ca], 0.0, 2)
        return made.public_bytes(serialization.Encoding.DER)

    return sign, front_proxies_of(cas["good"].public_bytes(serialization.Encoding.PEM).decode())


@pytest.mark.parametrize(
    ("ca", "name", "believed"),
    [("good", "front-proxy-client", True), ("good", "admin", False), ("twin", "front-proxy-client", False)],
)
def test_only_the_ca_and_an_allowed_name_are_believed(signed, ca, name, believed):
    sign, proxies = signed

    assert proxies.believes(sign(ca, name)) is believed


def test_the_issuer_is_known_by_its_name(signed):
    _, proxies = signed

    assert proxies.issued({"issuer": ((("commonName", "front"),),)})
    assert not proxies.issued({"issuer": ((("commonName", "other"),),)})
    assert not proxies.issued(None)


def test_what_is_not_configured_is_not_told():
    assert authentication_data("", "") == {}
    assert set(authentication_data("ca", "")) == {"client-ca-file"}
    assert orjson.loads(authentication_data("ca", "front")["requestheader-allowed-names"]) == ["front-proxy-client"]


@pytest.mark.parametrize(
    ("raw", "text"), [(b"plain", "plain"), ("é".encode(), "é"), (b"\xff", "\ufffd"), (b"a\xffb", "a\ufffdb")]
)
def test_a_header_becomes_text_whatever_its_bytes(raw, text):
    assert header_text(raw.decode("utf-8", "surrogateescape")) == text
