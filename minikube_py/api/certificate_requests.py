"""What stands in a PKCS#10 certificate request or in a certificate: facts as plain values, for rules to judge.

Nothing else in the rules knows X.509. Upstream: pkg/apis/certificates (ParseCSR), crypto/x509.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
_REQUEST, _CERTIFICATE = b"CERTIFICATE REQUEST", b"CERTIFICATE"
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


class UnreadableRequestError(Exception):
    """The text holds no certificate request, or none that can be trusted; the message says why."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a request asks for."""

    common_name: str
    organizations: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    public_key: bytes = b""
    """DER; whoever has the same one is the same asker."""


@dataclass(frozen=True, slots=True)
class IssuedFacts:
    """What stands in a certificate that a CA has signed."""

    common_name: str
    organizations: tuple[str, ...]
    public_key: bytes
    """DER, as in RequestFacts."""
    not_before_s: float
    """Seconds since the epoch."""


def issued_facts(pem: str, ca_pem: bytes) -> IssuedFacts | None:
    """Return what stands in a certificate of this CA, whether or not it is valid now; None: it is none."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_pem))
        return IssuedFacts(
            common_name="".join(_texts(certificate.subject, NameOID.COMMON_NAME)),
            organizations=_texts(certificate.subject, NameOID.ORGANIZATION_NAME),
            public_key=certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            not_before_s=certificate.not_valid_before_utc.timestamp(),
        )
    except (*_UNREADABLE, InvalidSignature, TypeError):
        return None


def load_request(encoded: str) -> x509.CertificateSigningRequest:
    """Return the request in the base64 of a PEM text, its signature checked.

    Raises:
        UnreadableRequestError: there is none.
    """
    try:
        pem = base64.b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise UnreadableRequestError("PEM block type must be CERTIFICATE REQUEST") from error
    block = _BLOCK.search(pem)
    if block is None or block[1] != _REQUEST:
        raise UnreadableRequestError("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = x509.load_pem_x509_csr(block[0])
        signed = request.is_signature_valid
    except (*_UNREADABLE, InvalidSignature) as error:
        raise UnreadableRequestError(f"the certificate request cannot be read: {error}") from error
    if not signed:
        raise UnreadableRequestError("the certificate request is not signed by the key that it is for")
    return request


def request_facts(encoded: str) -> RequestFacts:
    """Return what the request in the base64 of a PEM text asks for.

    Raises:
        UnreadableRequestError: there is none.
    """
    request = load_request(encoded)
    try:
        names = _alternative_names(request)
        return RequestFacts(
            common_name=_texts(request.subject, NameOID.COMMON_NAME)[-1:][0] if request.subject else "",
            organizations=_texts(request.subject, NameOID.ORGANIZATION_NAME),
            dns_names=tuple(names.get_values_for_type(x509.DNSName)),
            ip_addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
            email_addresses=tuple(names.get_values_for_type(x509.RFC822Name)),
            uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
            public_key=request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
    except (*_UNREADABLE, IndexError, x509.DuplicateExtension) as error:
        raise UnreadableRequestError(f"the certificate request cannot be read: {error}") from error


def general_name(text: str) -> x509.GeneralName:
    """Return an address or a DNS name as certificates have it."""
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _texts(name: x509.Name, kind: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(attribute.value) for attribute in name.get_attributes_for_oid(kind))


def _alternative_names(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName:
    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def request_fault(encoded: str) -> str:
    """Return why a text is no certificate request, empty when it is one."""
    try:
        request_facts(encoded)
    except UnreadableRequestError as error:
        return str(error)
    return ""


def certificate_fault(encoded: str) -> str:
    """Return why a text cannot be what a signer answers, empty when it is one certificate or more."""
    try:
        pem = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return "illegal base64 data"
    blocks: Iterable[tuple[bytes, bytes]] = _BLOCK.findall(pem)
    count = 0
    for kind, _ in blocks:
        count += 1
        if kind != _CERTIFICATE:
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind.decode()}"'
    if not count:
        return "must contain at least one CERTIFICATE PEM block"
    try:
        x509.load_pem_x509_certificates(pem)
    except _UNREADABLE as error:
        return f"the certificate cannot be read: {error}"
    return ""


def expires_at_s(encoded: str) -> float | None:
    """Return until when (seconds since the epoch) the first certificate in a text is valid; None: it is none."""
    try:
        certificate = x509.load_pem_x509_certificates(base64.b64decode(encoded))[0]
    except (*_UNREADABLE, binascii.Error):
        return None
    return certificate.not_valid_after_utc.timestamp()
