"""Certificate requests as clients make them, and a CA to sign them: for tests of everything about certificates."""

import base64
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from minikube_py.api.meta import Obj
from minikube_py.api.rules.signers import KUBELET_CLIENT, NODES_GROUP
from minikube_py.apiserver.pki import build_ca
from minikube_py.controllers.certificate_authority import CertificateAuthority

CLIENT_USAGES = ("digital signature", "client auth")
SERVING_USAGES = ("digital signature", "server auth")


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a key."""
    return ec.generate_private_key(ec.SECP256R1())


def pkcs10(
    common_name: str,
    organizations: Sequence[str] = (NODES_GROUP,),
    sans: Sequence[str] = (),
    key: ec.EllipticCurvePrivateKey | None = None,
) -> str:
    """Return the base64 of a PEM request; a name with @ is an e-mail address, one with :// a URI."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(san) for san in sans]), critical=False)
    signed = builder.sign(key or new_key(), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.PEM)).decode()


def _general(san: str) -> x509.GeneralName:
    if "@" in san:
        return x509.RFC822Name(san)
    if "://" in san:
        return x509.UniformResourceIdentifier(san)
    try:
        return x509.IPAddress(ipaddress.ip_address(san))
    except ValueError:
        return x509.DNSName(san)


def signing_request(
    request: str,
    *,
    signer: str = KUBELET_CLIENT,
    usages: Sequence[str] = CLIENT_USAGES,
    name: str = "csr",
    **spec: object,
) -> Obj:
    """Return a CertificateSigningRequest as it stands in the API, undecided."""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"request": request, "signerName": signer, "usages": list(usages), **spec},
        "status": {},
    }


def decided(request: Obj, kind: str = "Approved", at: str = "2026-01-01T00:00:00Z", **status: object) -> Obj:
    """Return the request with a decision."""
    condition = {"type": kind, "status": "True", "lastUpdateTime": at}
    return {**request, "status": {**status, "conditions": [condition]}}


def an_authority(now_s: float) -> CertificateAuthority:
    """Return a new CA."""
    key = new_key()
    return CertificateAuthority(build_ca("test-ca", key, now_s, 1), key)
