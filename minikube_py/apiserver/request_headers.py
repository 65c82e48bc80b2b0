"""X-Remote-*: how an API server in front tells one behind it who asks, and whom it must be to be believed.

A server in front proves itself by a certificate of the request header CA, whose name must be an allowed one; the
server behind takes the user from the headers then, and from nobody else's. This server is in front of the servers of
APIServices, and takes such requests itself too.

Upstream: client-go transport.SetAuthProxyHeaders, apiserver authentication/request/headerrequest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from minikube_py.apiserver.users import AUTHENTICATED, UserInfo

USER = "X-Remote-User"
UID = "X-Remote-Uid"
GROUP = "X-Remote-Group"
EXTRA_PREFIX = "X-Remote-Extra-"
FRONT_PROXY_NAME = "front-proxy-client"
"""The common name of the certificate with which this server asks others, and the one that it believes."""
_ONE_VALUE = (USER.lower(), UID.lower(), GROUP.lower())
_KEY_SAFE = "!#$&'*+-.^_`|~"
"""What stands unquoted in the name of an extra header beside letters and digits."""

AUTHENTICATION_CONFIG = "extension-apiserver-authentication"
"""The ConfigMap in kube-system that tells servers of APIServices whom to believe."""


def header_text(value: str) -> str:
    """Return a header's value as text that can be written again: a byte that is no UTF-8 becomes U+FFFD.

    Clients may send any byte, which HTTP's parser keeps as half a surrogate: no JSON holds that, no digest takes it.
    """
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_remote_header(name: str) -> bool:
    """Return whether a header says who asks."""
    lower = name.lower()
    return lower in _ONE_VALUE or lower.startswith(EXTRA_PREFIX.lower())


def with_user(headers: Iterable[tuple[str, str]], user: UserInfo) -> list[tuple[str, str]]:
    """Return headers that name `user`, and nobody else whom they named before."""
    kept = [(name, value) for name, value in headers if not is_remote_header(name)]
    kept.append((USER, user.name))
    if user.uid:
        kept.append((UID, user.uid))
    kept += [(GROUP, group) for group in user.groups]
    kept += [(EXTRA_PREFIX + quote(key, safe=_KEY_SAFE), value) for key, values in user.extra for value in values]
    return kept


def user_in(headers: Sequence[tuple[str, str]]) -> UserInfo | None:
    """Return the user that believed headers name, or None when they name none."""
    by_name: dict[str, list[str]] = {}
    for name, value in headers:
        by_name.setdefault(name.lower(), []).append(header_text(value))
    name = next((value for value in by_name.get(USER.lower(), ()) if value), "")
    if not name:
        return None
    prefix = EXTRA_PREFIX.lower()
    extra = tuple(
        (unquote(header[len(prefix) :]), tuple(values))
        for header, values in by_name.items()
        if header.startswith(prefix)
    )
    groups = tuple(dict.fromkeys((*by_name.get(GROUP.lower(), ()), AUTHENTICATED)))
    return UserInfo(name, groups, uid=next(iter(by_name.get(UID.lower(), ())), ""), extra=extra)


@dataclass(frozen=True, slots=True)
class FrontProxies:
    """Whose X-Remote headers are believed."""

    ca: x509.Certificate
    ca_names: tuple[str, ...]
    """The parts of the CA's subject; kept, since every request with a client certificate is compared with them."""
    allowed_names: tuple[str, ...] = (FRONT_PROXY_NAME,)

    def issued(self, peer_certificate: Mapping[str, object] | None) -> bool:
        """Return whether a verified certificate (what `getpeercert()` gives) names the request header CA as issuer.

        Such a certificate is good for the headers only: whoever it names is nobody here by itself.
        """
        if not peer_certificate:
            return False
        issuer = peer_certificate.get("issuer")
        assert isinstance(issuer, Sequence)
        return tuple(value for rdn in issuer for _, value in rdn) == self.ca_names

    def believes(self, certificate_der: bytes) -> bool:
        """Return whether a certificate is signed by the request header CA and has an allowed name."""
        certificate = x509.load_der_x509_certificate(certificate_der)
        try:
            certificate.verify_directly_issued_by(self.ca)
        except (InvalidSignature, ValueError, TypeError):
            return False
        names = [str(a.value) for a in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        return not self.allowed_names or any(name in self.allowed_names for name in names)


def front_proxies_of(ca_pem: str) -> FrontProxies:
    """Return whom to believe, given the request header CA as PEM."""
    ca = x509.load_pem_x509_certificate(ca_pem.encode())
    return FrontProxies(ca, tuple(str(attribute.value) for attribute in ca.subject))


def authentication_data(client_ca_pem: str, request_header_ca_pem: str) -> Mapping[str, str]:
    """Return what the ConfigMap extension-apiserver-authentication says: all values are text, lists as JSON.

    An empty certificate leaves its part out, as upstream does when a server is not configured with it.
    """
    data: dict[str, str] = {}
    if client_ca_pem:
        data["client-ca-file"] = client_ca_pem
    if request_header_ca_pem:
        data |= {
            "requestheader-allowed-names": f'["{FRONT_PROXY_NAME}"]',
            "requestheader-client-ca-file": request_header_ca_pem,
            "requestheader-extra-headers-prefix": f'["{EXTRA_PREFIX}"]',
            "requestheader-group-headers": f'["{GROUP}"]',
            "requestheader-uid-headers": f'["{UID}"]',
            "requestheader-username-headers": f'["{USER}"]',
        }
    return data
