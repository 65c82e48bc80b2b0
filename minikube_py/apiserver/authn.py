"""Who a request comes from: the client certificate's subject, or a bearer token (upstream: authentication/request).

A certificate signed by our CA names the user (CN) and its groups (O). A bearer token must be one that is known:
an unknown one is an error (401), not an anonymous user, so that a typing mistake does not look like missing rights.
"""

from collections.abc import Mapping
from hmac import compare_digest

from minikube_py.api.errors import UnauthorizedError
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, UserInfo
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
            return UserInfo(subject.common_name, groups)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS  # as upstream: other schemes have nobody who looks at them
        for known, user in self._tokens.items():
            if compare_digest(known.encode(), token.strip().encode()):
                return user
        raise UnauthorizedError("Unauthorized")
