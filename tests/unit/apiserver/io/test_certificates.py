import pytest

from minikube_py.apiserver.io.certificates import CertificateError, ensure_pki
from minikube_py.apiserver.pki import CertificateSpec

ADMIN = CertificateSpec("minikube-py-admin", ("system:masters",))
SERVING = CertificateSpec("kube-apiserver", (), ("localhost",))


def test_a_second_start_keeps_every_certificate(tmp_path):
    first = ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9)

    assert ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9 + 60) == first
    assert (tmp_path / "tls" / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_new_address_makes_a_new_serving_certificate_only(tmp_path):
    first = ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9)
    second = ensure_pki(
        tmp_path / "tls", CertificateSpec("kube-apiserver", (), ("localhost", "192.0.2.1")), ADMIN, 2e9
    )

    assert second.serving != first.serving
    assert (second.ca, second.admin) == (first.ca, first.admin)


def test_a_damaged_ca_stops_the_start_and_is_named(tmp_path):
    ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9)
    (tmp_path / "tls" / "ca.crt").write_bytes(b"broken")

    with pytest.raises(CertificateError, match=r"ca\.crt"):
        ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9)


def test_the_server_context_can_be_made(tmp_path):
    assert ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9).server_context().get_ca_certs()
