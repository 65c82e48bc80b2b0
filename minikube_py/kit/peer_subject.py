"""Who a TLS peer says it is: the subject of a certificate that the connection has verified already.

API server and kubelet both take users from client certificates (CN is the name, O the groups) and read them alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerSubject:
    """The subject of a verified client certificate."""

    common_name: str
    organizations: tuple[str, ...]


def subject_of(peer_certificate: Mapping[str, object] | None) -> PeerSubject | None:
    """Return the subject of what `ssl.SSLObject.getpeercert()` gives, None when the client sent no certificate."""
    if not peer_certificate:
        return None
    subject = peer_certificate.get("subject")
    assert isinstance(subject, Sequence)
    pairs = [pair for rdn in subject for pair in rdn]
    names = [value for key, value in pairs if key == "commonName"]
    return PeerSubject(names[0] if names else "", tuple(v for k, v in pairs if k == "organizationName"))
