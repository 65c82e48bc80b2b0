import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from minikube_py.apiserver.pki import (
    CERTIFICATE_LIFETIME,
    CertificateSpec,
    build_ca,
    build_certificate,
    needs_renewal,
    serving_sans,
)

KEY = ec.derive_private_key(12345, ec.SECP256R1())
CA = build_ca("ca", KEY, 1_000_000, 1)
SERVING = CertificateSpec("kube-apiserver", (), ("localhost", "192.0.2.1"))
CERTIFICATE = build_certificate(SERVING, KEY.public_key(), CA, KEY, 1_000_000, 2)


def test_a_fresh_certificate_is_kept():
    assert needs_renewal(CERTIFICATE, SERVING, CA, 1_000_000) == ""


@pytest.mark.parametrize(
    ("spec", "ca", "now_s", "why"),
    [
        (SERVING, CA, 1_000_000 + CERTIFICATE_LIFETIME.total_seconds() - 86_400, "expires"),
        (CertificateSpec("kube-apiserver", (), ("192.0.2.9",)), CA, 1_000_000, "lacks 192.0.2.9"),
        (CertificateSpec("other", (), SERVING.sans), CA, 1_000_000, "another subject"),
        (SERVING, build_ca("other-ca", KEY, 1_000_000, 3), 1_000_000, "another CA"),
    ],
    ids=["old", "address", "subject", "ca"],
)
def test_a_certificate_that_no_longer_fits_is_made_anew(spec, ca, now_s, why):
    assert why in needs_renewal(CERTIFICATE, spec, ca, now_s)


def test_the_api_server_is_reached_under_all_its_names():
    sans = serving_sans("Node1", "192.0.2.1", "10.96.0.1", "cluster.local", ("node1", "api.example"))

    assert sans.count("node1") == 1
    assert {"kubernetes.default.svc.cluster.local", "10.96.0.1", "127.0.0.1", "api.example"} <= set(sans)
