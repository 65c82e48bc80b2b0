"""Asks the API server who a caller of this kubelet is and what it may do; remembers the answers for a while.

A client certificate of the cluster's CA needs no question; a bearer token is a TokenReview, each right a
SubjectAccessReview. Members of system:masters are let through unasked: the API server's answer would be yes, and
its own requests (exec, logs) would else wait for a question to itself.

Upstream: kubelet/server/auth.go, apiserver webhook authentication and authorization with their caches and times.
"""

import hashlib
from collections.abc import Hashable
from typing import Generic, TypeVar

from minikube_py.api.table.reviews import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS
from minikube_py.client.interface import Client
from minikube_py.kit.clock import Clock
from minikube_py.kit.peer_subject import PeerSubject
from minikube_py.kubelet.access import (
    AUTHENTICATED,
    AccessRequest,
    Caller,
    caller_of_review,
    is_allowed,
    subject_access_review,
    token_review,
)

TOKEN_TTL_S = 120.0
"""How long a token stays whose it was (upstream: authentication.webhook.cacheTTL)."""
ALLOWED_TTL_S = 300.0
"""How long a right stays (upstream: authorization.webhook.cacheAuthorizedTTL)."""
DENIED_TTL_S = 30.0
"""How long a refusal stays (upstream: authorization.webhook.cacheUnauthorizedTTL)."""
ANSWERS_MAX = 4096
"""Answers remembered of each kind; the oldest go first."""
_MASTERS = "system:masters"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Answers(Generic[K, V]):
    """Answers with the time until which they hold."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return the answer, None when there is none that still holds."""
        until_s, answer = self._kept.get(key, (0.0, None))
        return answer if self._clock.now_s() < until_s else None

    def put(self, key: K, answer: V, ttl_s: float) -> None:
        """Remember an answer."""
        self._kept.pop(key, None)
        self._kept[key] = (self._clock.now_s() + ttl_s, answer)
        if len(self._kept) > ANSWERS_MAX:
            del self._kept[next(iter(self._kept))]


class DelegatedAccess:
    """One for the kubelet's server."""

    def __init__(self, client: Client, clock: Clock, node_name: str) -> None:
        self._client = client
        self._node_name = node_name
        self._callers: _Answers[bytes, Caller] = _Answers(clock)
        self._rights: _Answers[tuple[Caller, str, str], bool] = _Answers(clock)

    async def caller(self, subject: PeerSubject | None, authorization: str) -> Caller | None:
        """Return who asks; None: nobody that is known (anonymous callers are not served).

        Args:
            subject: the verified client certificate's subject, or None.
            authorization: the Authorization header, or an empty text.

        Raises:
            StatusError: the API server could not be asked.
        """
        if subject is not None and subject.common_name:
            return Caller(subject.common_name, tuple(dict.fromkeys((*subject.organizations, AUTHENTICATED))))
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return None
        digest = hashlib.sha256(token.encode()).digest()  # the token itself is not kept
        known = self._callers.get(digest)
        if known is None:
            known = caller_of_review(await self._client.create(TOKEN_REVIEWS, token_review(token)))
            if known is not None:
                self._callers.put(digest, known, TOKEN_TTL_S)
        return known

    async def allows(self, caller: Caller, request: AccessRequest, subresource: str) -> bool:
        """Return whether `caller` may do what `request` says with one of its subresources.

        Raises:
            StatusError: the API server could not be asked.
        """
        if _MASTERS in caller.groups:
            return True
        key = (caller, request.verb, subresource)
        known = self._rights.get(key)
        if known is None:
            review = subject_access_review(caller, request.verb, subresource, self._node_name)
            known = is_allowed(await self._client.create(SUBJECT_ACCESS_REVIEWS, review))
            self._rights.put(key, known, ALLOWED_TTL_S if known else DENIED_TTL_S)
        return known
