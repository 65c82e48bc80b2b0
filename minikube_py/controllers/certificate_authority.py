"""The cluster's CA as the controllers use it: from a request that was approved to a certificate.

The certificate has the request's subject, names and key, the usages that were approved, and nothing else of what the
request asks for; it is never a CA, and never outlives the CA.

Upstream: pkg/controller/certificates/authority (PermissiveSigningPolicy).
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from minikube_py.api.rules.signers import BACKDATE_S

BACKDATE = timedelta(seconds=BACKDATE_S)
SHORT = timedelta(hours=8)
"""A lifetime below this is not shortened by the back-dating."""
LIFETIME_MIN_S = 600.0

_KEY_USAGES: Mapping[str, str] = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED_USAGES: Mapping[str, x509.ObjectIdentifier] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}


class AuthorityError(Exception):
    """The CA cannot sign; the message says why."""


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A CA with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey | RSAPrivateKey = field(repr=False)

    def sign(
        self,
        request: x509.CertificateSigningRequest,
        usages: Collection[str],
        lifetime_s: float,
        now_s: float,
        serial: int,
    ) -> bytes:
        """Return the certificate for a request, as PEM.

        Raises:
            AuthorityError: the CA has expired.
        """
        now, end = datetime.fromtimestamp(now_s, UTC), self.certificate.not_valid_after_utc
        if now >= end:
            raise AuthorityError(f"refusing to sign with a CA that expired {end:%Y-%m-%d}")
        lifetime = timedelta(seconds=lifetime_s)
        until = now + (lifetime if lifetime < SHORT else lifetime - BACKDATE)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self.certificate.subject)
            .public_key(request.public_key())
            .serial_number(serial)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(min(until, end))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(self._issuer_key(), critical=False)
        )
        for extension, critical in _usage_extensions(usages):
            builder = builder.add_extension(extension, critical)
        try:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            builder = builder.add_extension(names.value, names.critical)
        except x509.ExtensionNotFound:
            pass
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _issuer_key(self) -> x509.AuthorityKeyIdentifier:
        try:
            known = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known.value)


def load_authority(certificate_pem: bytes, key_pem: bytes) -> CertificateAuthority:
    """Return the CA in two PEM texts.

    Raises:
        ValueError: they are not a certificate and a key that can sign.
    """
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
        raise TypeError("the CA's key is neither RSA nor EC")
    return CertificateAuthority(x509.load_pem_x509_certificate(certificate_pem), key)


def _usage_extensions(usages: Collection[str]) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """Return (extension, critical) for the usages of a request."""
    simple = {_KEY_USAGES[usage] for usage in usages if usage in _KEY_USAGES}
    extended = [_EXTENDED_USAGES[usage] for usage in _EXTENDED_USAGES if usage in usages]
    found: list[tuple[x509.ExtensionType, bool]] = []
    if simple:
        agrees = "key_agreement" in simple
        bits = {name: name in simple for name in sorted(set(_KEY_USAGES.values()))}
        bits["encipher_only"] = agrees and bits["encipher_only"]
        bits["decipher_only"] = agrees and bits["decipher_only"]
        found.append((x509.KeyUsage(**bits), True))
    if extended:
        found.append((x509.ExtendedKeyUsage(dict.fromkeys(extended)), False))
    return tuple(found)


def serial_of(uid: str, request: str) -> int:
    """Return a serial number for the certificate of a request object: positive, 127 bits, the same each time."""
    return int.from_bytes(hashlib.sha256(f"{uid} {request}".encode()).digest()[:16]) >> 1 or 1


def lifetime_s(asked_s: float | None, longest_s: float) -> float:
    """Return how long a certificate is valid: as asked for, between ten minutes and what is configured."""
    return longest_s if asked_s is None else min(max(asked_s, LIFETIME_MIN_S), longest_s)
