"""Join tokens: what a host shows to become a node, and how it knows that it shows it to the right server.

    K10<sha256 of the CA's PEM file>::server:PASSWORD     the cluster's own, in DATA/server/token of its masters
    K10<sha256 of the CA's PEM file>::ID.SECRET           made by `minikube-py token create`

What stands behind `::` is the credential: sent only after the server has shown a certificate of the CA whose hash
stands in front. A text without that hash is no token here: whoever answers first could take the credential.

The form is that of k3s (pkg/clientaccess; `sha256sum DATA/server/tls/ca.crt` gives the hash); ID.SECRET is that of
kubeadm (cluster-bootstrap/token/util).
"""

import hashlib
import re
from dataclasses import dataclass, field

PREFIX = "K10"
SERVER_ID = "server"
"""Stands for the ID in the cluster's own token."""
BOOTSTRAP_USER_PREFIX = "system:bootstrap:"
BOOTSTRAPPERS_GROUP = "system:bootstrappers"
ID_LENGTH, SECRET_LENGTH = 6, 16
CA_PATH = "/cacerts"
CLUSTER_PATH = "/v1-minikube-py/cluster"
JOIN_PATH = "/v1-minikube-py/join"
"""Where a server is asked (apiserver.joining says what)."""

_WHOLE = re.compile(rf"{PREFIX}(?P<hash>[0-9a-f]{{64}})::(?P<credential>\S+)")
_CREDENTIAL = re.compile(rf"(?P<server>{SERVER_ID}):\S+|(?P<id>[a-z0-9]{{{ID_LENGTH}}})\.[a-z0-9]{{{SECRET_LENGTH}}}")


class TokenFormatError(Exception):
    """A text is no join token; the message says why and never holds the text."""


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token in its parts."""

    ca_hash: str
    id: str
    """Names the token; `server` for the cluster's own."""
    credential: str = field(repr=False)
    """What the server is shown: the ID and the secret."""

    def render(self) -> str:
        """Return the token as people hand it on."""
        return f"{PREFIX}{self.ca_hash}::{self.credential}"


def parse_token(text: str) -> JoinToken:
    """Return the parts of a token.

    Raises:
        TokenFormatError: it is none.
    """
    whole = _WHOLE.fullmatch(text.strip())
    if whole is None:
        raise TokenFormatError(
            "the token does not begin with K10 and the hash of the cluster's CA: use all of what "
            "`minikube-py token create` printed, or of the file DATA/server/token of a master"
        )
    token_id = credential_id(whole["credential"])
    if not token_id:
        raise TokenFormatError("the token holds neither ID.SECRET nor server:PASSWORD behind its `::`")
    return JoinToken(whole["hash"], token_id, whole["credential"])


def credential_id(credential: str) -> str:
    """Return the ID in a credential, empty when it has not the form of one."""
    match = _CREDENTIAL.fullmatch(credential)
    return (match["server"] or match["id"]) if match else ""


def server_token(password: str, ca_pem: bytes) -> JoinToken:
    """Return the cluster's own token for a password.

    Raises:
        TokenFormatError: the password cannot stand in a token.
    """
    credential = f"{SERVER_ID}:{password}"
    if not _CREDENTIAL.fullmatch(credential):
        raise TokenFormatError("a token holds no spaces")
    return JoinToken(hash_of_ca(ca_pem), SERVER_ID, credential)


def hash_of_ca(ca_pem: bytes) -> str:
    """Return the hash of a CA as it stands in tokens."""
    return hashlib.sha256(ca_pem).hexdigest()


def digest_of(credential: str) -> str:
    """Return what a cluster keeps of a credential; no way leads back, since secrets are long and random."""
    return hashlib.sha256(credential.encode(errors="replace")).hexdigest()
