"""Who a TLS peer says it is: the subject of a certificate that the connection has verified already.

API server and kubelet both take users from client certificates (CN is the name, O the groups) and read them alike.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerSubject:
    """The subject of a verified client certificate."""

    common_name: str
    organizations: tuple[str, ...]
    certificate_sha256: str = ""
    """The digest of the whole certificate, in hexadecimal; empty: nobody asked for it."""


def subject_of(peer_certificate: Mapping[str, object] | None, der: bytes = b"") -> PeerSubject | None:
    """Return the subject of a verified certificate.

    Args:
        peer_certificate: what `ssl.SSLObject.getpeercert()` gives; empty when the client sent no certificate.
        der: the same certificate as bytes, for its digest.
    """
    if not peer_certificate:
        return None
    subject = peer_certificate.get("subject")
    assert isinstance(subject, Sequence)
    pairs = [pair for rdn in subject for pair in rdn]
    names = [value for key, value in pairs if key == "commonName"]
    organizations = tuple(value for key, value in pairs if key == "organizationName")
    digest = hashlib.sha256(der).hexdigest() if der else ""
    return PeerSubject(names[0] if names else "", organizations, digest)
