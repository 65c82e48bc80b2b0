"""Which certificates a node has, what it asks for, and when it is time for the next one.

    client     system:node:NAME in system:nodes        who the node is to the API server
    serving    the same subject, the node's name and   what the kubelet's server shows
               addresses

Both are renewed after 70 to 90 % of their life, at a moment that differs from node to node, so that nodes that joined
together do not come back together; the serving one also when the node has an address that it does not name.

Upstream: pkg/kubelet/certificate (kubelet.go), client-go util/certificate (nextRotationDeadline).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from minikube_py.api.certificate_requests import general_name
from minikube_py.api.rules.signers import BACKDATE_S, KUBELET_CLIENT, KUBELET_SERVING, NODE_PREFIX, NODES_GROUP

RENEW_EARLIEST, RENEW_LATEST = 0.7, 0.9
"""Shares of a certificate's life."""


@dataclass(frozen=True, slots=True)
class WantedCertificate:
    """A certificate that a node wants."""

    signer: str
    usages: tuple[str, ...]
    node_name: str
    sans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """What stands in a certificate that a node has; times in seconds since the epoch."""

    not_before_s: float
    not_after_s: float
    node_name: str
    sans: frozenset[str]


def wanted_client(node_name: str) -> WantedCertificate:
    """Return what says who the node is."""
    return WantedCertificate(KUBELET_CLIENT, ("digital signature", "client auth"), node_name)


def wanted_serving(node_name: str, addresses: Sequence[str]) -> WantedCertificate:
    """Return what the kubelet's server shows."""
    names = tuple(dict.fromkeys((node_name, *addresses)))
    return WantedCertificate(KUBELET_SERVING, ("digital signature", "server auth"), node_name, names)


def build_request(wanted: WantedCertificate, key_pem: bytes) -> bytes:
    """Return the PKCS#10 request (PEM) for a certificate with this key.

    Raises:
        ValueError: the PEM text holds no key of that kind.
    """
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not an EC key")  # noqa: TRY004 - of what was read, not of a caller
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NODES_GROUP),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{NODE_PREFIX}{wanted.node_name}"),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if wanted.sans:
        names = x509.SubjectAlternativeName([general_name(san) for san in wanted.sans])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def read_certificate(pem: bytes) -> HeldCertificate:
    """Return what stands in the first certificate of a PEM text.

    Raises:
        ValueError: there is none.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        held = x509.SubjectAlternativeName([])
    addresses = (str(address) for address in held.get_values_for_type(x509.IPAddress))
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return HeldCertificate(
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        "".join(names[:1]).removeprefix(NODE_PREFIX),
        frozenset((*held.get_values_for_type(x509.DNSName), *addresses)),
    )


def renew_at_s(held: HeldCertificate, fraction: float) -> float:
    """Return when a certificate is to be renewed; `fraction` in [0, 1) spreads the nodes.

    Its life begins when it was made, not when it says: a short one would be renewed again and again.
    """
    share = RENEW_EARLIEST + (RENEW_LATEST - RENEW_EARLIEST) * fraction
    made_s = min(held.not_before_s + BACKDATE_S, held.not_after_s)
    return made_s + (held.not_after_s - made_s) * share


def is_due(held: HeldCertificate | None, wanted: WantedCertificate, renew_s: float, now_s: float) -> bool:
    """Return whether a node has to ask for `wanted` now, `held` being renewed at `renew_s`."""
    return held is None or now_s >= renew_s or not frozenset(wanted.sans) <= held.sans
