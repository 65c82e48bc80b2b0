"""Which certificates a master has, and what stands in them (upstream: kubeadm's phases/certs).

One cluster CA signs the API server's serving certificate and the clients' certificates. Keys are EC P-256: small,
fast to make (a first start must take less than a second) and known to every client. This module decides contents;
`io/certificates.py` makes keys and keeps files.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from minikube_py.api.certificate_requests import general_name

CA_LIFETIME = timedelta(days=3650)
CERTIFICATE_LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=120)
"""A certificate with less left is made anew at the next start."""
CLOCK_SKEW = timedelta(minutes=5)
"""Certificates are valid this long before they are made, for clients whose clocks are behind."""


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """What a certificate says: subject, and for servers the names and addresses it is good for."""

    common_name: str
    organizations: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    """DNS names and IP addresses; not empty makes it a server certificate."""


def serving_sans(
    node_name: str, node_ip: str, service_ip: str, cluster_domain: str, extra: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the names and addresses under which clients reach the API server, without repeats."""
    names = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{cluster_domain}",
        "localhost",
        node_name.lower(),
        "127.0.0.1",
        node_ip,
        service_ip,
        *extra,
    )
    return tuple(dict.fromkeys(name for name in names if name))


def kubelet_serving(node_name: str, addresses: tuple[str, ...]) -> CertificateSpec:
    """Return what a kubelet's serving certificate says (upstream: the signer kubernetes.io/kubelet-serving)."""
    return CertificateSpec(
        f"system:node:{node_name}", ("system:nodes",), tuple(dict.fromkeys((node_name, *addresses)))
    )


def _subject(spec: CertificateSpec) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in spec.organizations]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, spec.common_name)])


def build_ca(common_name: str, key: EllipticCurvePrivateKey, now_s: float, serial: int) -> x509.Certificate:
    """Return a self-signed CA certificate."""
    now = datetime.fromtimestamp(now_s, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def build_certificate(
    spec: CertificateSpec,
    public_key: EllipticCurvePublicKey,
    ca: x509.Certificate,
    ca_key: EllipticCurvePrivateKey,
    now_s: float,
    serial: int,
) -> x509.Certificate:
    """Return a certificate for `spec`, signed by the CA."""
    now = datetime.fromtimestamp(now_s, UTC)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if spec.sans else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(spec))
        .issuer_name(ca.subject)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(min(now + CERTIFICATE_LIFETIME, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    if spec.sans:
        names = x509.SubjectAlternativeName([general_name(san) for san in spec.sans])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def needs_renewal(certificate: x509.Certificate, spec: CertificateSpec, ca: x509.Certificate, now_s: float) -> str:
    """Return why `certificate` must be made anew for `spec`, or an empty string when it is still good."""
    now = datetime.fromtimestamp(now_s, UTC)
    if certificate.issuer != ca.subject:
        return "signed by another CA"
    if certificate.not_valid_after_utc - now < RENEW_BEFORE:
        return f"expires {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.subject != _subject(spec):
        return "made for another subject"
    if spec.sans:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        missing = [san for san in spec.sans if general_name(san) not in held]
        if missing:
            return f"lacks {', '.join(missing)}"
    return ""
