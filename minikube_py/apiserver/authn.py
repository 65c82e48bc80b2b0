"""Who a request comes from: the client certificate's subject, or a bearer token (upstream: authentication/request).

A certificate signed by our CA names the user (CN) and its groups (O). A bearer token must be one that is known:
an unknown one is an error (401), not an anonymous user, so that a typing mistake does not look like missing rights.
"""

from collections.abc import Mapping
from hmac import compare_digest

from minikube_py.api.errors import UnauthorizedError
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, CREDENTIAL_ID, UserInfo
from minikube_py.kit.peer_subject import PeerSubject


class Authenticator:
    """Decides who asks; tokens are compared in constant time."""

    def __init__(self, tokens: Mapping[str, UserInfo]) -> None:
        self._tokens = dict(tokens)

    def authenticate(self, subject: PeerSubject | None, authorization: str) -> UserInfo:
        """Return the user of a request.

        Args:
            subject: the verified client certificate's subject, or None.
            authorization: the Authorization header, or an empty string.

        Raises:
            UnauthorizedError: credentials were sent and are not valid.
        """
        if subject is not None and subject.common_name:
            groups = tuple(dict.fromkeys((*subject.organizations, AUTHENTICATED)))
            return UserInfo(subject.common_name, groups, extra=_credential_id(subject))
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS  # as upstream: other schemes have nobody who looks at them
        for known, user in self._tokens.items():
            if compare_digest(known.encode(), token.strip().encode()):
                return user
        raise UnauthorizedError("Unauthorized")


def _credential_id(subject: PeerSubject) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Say which certificate it was, so that what is done with a stolen one can be told from the rest."""
    if not subject.certificate_sha256:
        return ()
    return ((CREDENTIAL_ID, (f"X509SHA256={subject.certificate_sha256}",)),)
