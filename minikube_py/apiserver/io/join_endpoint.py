"""Answers hosts that want to become nodes (apiserver.joining says what is asked and answered).

A use of a token is taken before the request for a certificate is there, and given back when the answer is no: a crash
between the two costs one use, never gives one away. A refused request is removed with its refusal, so that nothing
is left of it.
"""

from collections.abc import Callable
from contextlib import suppress
from hmac import compare_digest

from minikube_py.api.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    MethodNotSupportedError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from minikube_py.api.join_token_secrets import Claim, TokenRecord, record_of, secret_key, secret_of
from minikube_py.api.join_tokens import CA_PATH, CLUSTER_PATH, SERVER_ID, credential_id, digest_of
from minikube_py.api.meta import ObjectKey, resource_version_of, uid_of
from minikube_py.api.resources import NODES, SECRETS, SIGNING_REQUESTS
from minikube_py.apiserver.io.answers import object_answer
from minikube_py.apiserver.joining import (
    PATHS,
    UNKNOWN_TOKEN,
    JoinRequest,
    JoinSettings,
    bootstrap_user,
    is_the_node,
    parse_join,
    request_name,
    signing_request,
)
from minikube_py.apiserver.users import LOOPBACK, UserInfo, node_user
from minikube_py.client.interface import Client, DeleteOptions
from minikube_py.client.io.signing_requests import wait_certificate
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock

JOINS_MAX = 64
"""Hosts that wait for their certificates at one time; a further one is told to ask again."""
ANSWER_TIMEOUT_S = 20.0
"""How long a host waits for its certificate before it is told to ask again."""
CLAIM_TRIES_MAX = JOINS_MAX + 1
"""Others that join by the same token at the same moment make a write of it fail, each of them once."""


class JoinEndpoint:
    """One for an API server."""

    def __init__(self, settings: JoinSettings, client_as: Callable[[UserInfo], Client], clock: Clock) -> None:
        self._settings = settings
        self._client_as = client_as
        self._client = client_as(LOOPBACK)
        self._clock = clock
        self._joining = 0

    async def answer(self, request: ApiRequest) -> ApiResponse:
        """Answer a request of one of joining.PATHS.

        Raises:
            StatusError: the answer is no, or not now.
        """
        if request.method != PATHS[request.path]:
            raise MethodNotSupportedError("the server does not allow this method on the requested resource")
        if request.path == CA_PATH:
            return ApiResponse(200, self._settings.ca_pem, {"content-type": "application/x-pem-file"})
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError("Unauthorized")
        token_id = await self._token_id(credential.strip())
        if request.path == CLUSTER_PATH:
            return object_answer(self._settings.greeting())
        if self._joining >= JOINS_MAX:
            raise TooManyRequestsError("too many hosts join at this moment, please try again later.", retry_after_s=1)
        self._joining += 1
        try:
            return object_answer(
                {"certificate": await self._join(parse_join(request.body, self._settings.ca_pem), token_id)},
                status=201,
            )
        finally:
            self._joining -= 1

    async def _token_id(self, credential: str) -> str:
        """Return the ID of a token that is known."""
        token_id = credential_id(credential)
        if token_id == SERVER_ID:
            known = self._settings.server_token_digest
        else:
            record = (await self._record(token_id))[0] if token_id else None
            known = record.digest if record is not None else ""
        if not compare_digest(known, digest_of(credential)):
            raise UnauthorizedError(UNKNOWN_TOKEN)
        return token_id

    async def _record(self, token_id: str) -> tuple[TokenRecord | None, str]:
        """Return what is remembered of a token, and its resourceVersion."""
        try:
            secret = await self._client.get(SECRETS, secret_key(token_id))
        except NotFoundError:
            return None, ""
        return record_of(secret), str(resource_version_of(secret))

    async def _join(self, join: JoinRequest, token_id: str) -> str:
        name = request_name(join, token_id)
        await self._claim(token_id, Claim(name, join.node_name))
        try:
            return await self._certificate(join, name, token_id)
        except (ForbiddenError, ConflictError):
            await self._release(token_id, name)
            raise

    async def _claim(self, token_id: str, claim: Claim) -> None:
        """Take one use of a token.

        Raises:
            ForbiddenError: it has expired or is used up.
        """
        if token_id == SERVER_ID:
            return
        for _ in range(CLAIM_TRIES_MAX):
            record, version = await self._record(token_id)
            if record is None:
                raise UnauthorizedError(UNKNOWN_TOKEN)
            if refusal := record.refusal(claim.request, self._clock.wall_s()):
                raise ForbiddenError(f"{refusal}: make another one with `minikube-py token create`")
            if await self._written(record, record.claimed(claim), version):
                return
        raise TooManyRequestsError("too many hosts join by this token, please try again later.", retry_after_s=1)

    async def _release(self, token_id: str, name: str) -> None:
        if token_id == SERVER_ID:
            return
        for _ in range(CLAIM_TRIES_MAX):
            record, version = await self._record(token_id)
            if record is None or await self._written(record, record.released(name), version):
                return

    async def _written(self, old: TokenRecord, new: TokenRecord, version: str) -> bool:
        """Write a record unless it changed meanwhile; return whether it stands."""
        if new == old:
            return True
        try:
            await self._client.update(SECRETS, secret_of(new, version))
        except (ConflictError, NotFoundError):
            return False
        return True

    async def _certificate(self, join: JoinRequest, name: str, token_id: str) -> str:
        """Return the certificate for a request, which is made if it is not there.

        Raises:
            ForbiddenError: it was refused, and is gone.
            ConflictError: it was refused for now, and is gone.
            UnavailableError: nobody has decided in time.
        """
        asking = self._client_as(await self._user(join, token_id))
        try:
            request = await asking.create(SIGNING_REQUESTS, signing_request(join, name))
        except AlreadyExistsError:
            request = await self._client.get(SIGNING_REQUESTS, ObjectKey("", name))
        try:
            return await wait_certificate(self._client, request, ANSWER_TIMEOUT_S)
        except (ForbiddenError, ConflictError):
            await self._remove(name, uid_of(request))
            raise

    async def _user(self, join: JoinRequest, token_id: str) -> UserInfo:
        """Return as whom a host asks: as the node if it has shown to be that, else by its token."""
        if join.was_node_at_s is not None:
            with suppress(NotFoundError):
                if is_the_node(join, await self._client.get(NODES, ObjectKey("", join.node_name))):
                    return node_user(join.node_name)
        return bootstrap_user(token_id)

    async def _remove(self, name: str, uid: str) -> None:
        try:
            await self._client.delete(SIGNING_REQUESTS, ObjectKey("", name), DeleteOptions(uid=uid))
        except NotFoundError:
            return
