import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from minikube_py.apiserver.io.certificates import CertificateError, ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.apiserver.request_headers import front_proxies_of

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


def test_the_front_proxy_has_a_ca_of_its_own_and_is_renewed_before_it_runs_out(tmp_path):
    def front_proxy():
        return x509.load_pem_x509_certificate(pki.front_proxy().certificate.read_bytes())

    pki = ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9)
    trusted = front_proxies_of(pki.front_proxy_ca.certificate_pem.decode())
    first = front_proxy()
    ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9 + 60)
    kept = front_proxy()
    later = ensure_pki(tmp_path / "tls", SERVING, ADMIN, 2e9 + 300 * 86400)
    renewed = front_proxy()

    assert pki.front_proxy_ca.certificate_pem != pki.ca.certificate_pem
    assert later.front_proxy_ca == pki.front_proxy_ca
    assert (kept == first, renewed == first) == (True, False)
    assert all(trusted.believes(each.public_bytes(Encoding.DER)) for each in (first, renewed))
    assert not trusted.believes(x509.load_pem_x509_certificate(pki.admin.certificate_pem).public_bytes(Encoding.DER))
