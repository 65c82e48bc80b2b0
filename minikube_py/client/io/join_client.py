"""Asks a server to let this host in, without trusting it before it has earned it.

    1. GET /cacerts, over TLS that verifies nothing and carries no secret; what comes back counts only if its hash is
       that in the token.
    2. Everything else over TLS that verifies the server by that CA and its name; only now the token is shown.

Upstream: kubeadm's token-based discovery; k3s pkg/clientaccess.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson

from minikube_py.api.errors import (
    ConflictError,
    InternalError,
    StatusError,
    TimeoutStatusError,
    TooManyRequestsError,
    UnavailableError,
)
from minikube_py.api.join_tokens import CA_PATH, CLUSTER_PATH, JOIN_PATH, JoinToken, hash_of_ca
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.rest_client import error_of
from minikube_py.client.join_faults import JoinRefusedError, ServerClock, tls_fault, wrong_ca
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock

_AGAIN = (UnavailableError, TooManyRequestsError, TimeoutStatusError, InternalError, ConflictError)
CA_BYTES_MAX = 256 << 10
"""A server that nobody knows yet may say that much: a chain of certificates and more."""
_JSON = {"content-type": "application/json", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself and its cluster."""

    version: str
    cluster: Mapping[str, Any]
    """The settings that all nodes share."""


class JoinClient:
    """One host and one server; every method may be called again after UnavailableError."""

    def __init__(self, server_url: str, token: JoinToken, clock: Clock, user_agent: str) -> None:
        self._url = server_url
        self._token = token
        self._clock = clock
        self._user_agent = user_agent
        self.server_clock: ServerClock | None = None
        """The server's clock, once it has said what that says."""
        self.ca_pem = b""
        """The CA, once it is known to be the right one."""

    async def trust(self) -> None:
        """Get the CA, and make sure that it is the token's.

        Raises:
            JoinRefusedError: it is another one.
            StatusError: the server cannot be reached, or has not answered as one.
        """
        blind = ssl.create_default_context()
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        asking = HttpTransport(self._url, blind, user_agent=self._user_agent, answer_bytes_max=CA_BYTES_MAX)
        async with asking as transport:
            answer = await transport.send(ApiRequest("GET", CA_PATH))
        if answer.status != 200:
            raise self._failure(error_of(answer))
        self._look_at_clock(answer)
        found = hash_of_ca(answer.body)
        if found != self._token.ca_hash:
            raise JoinRefusedError(wrong_ca(self._url, self._token.ca_hash, found))
        self.ca_pem = answer.body

    def _look_at_clock(self, answer: ApiResponse) -> None:
        try:
            server_s = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return
        self.server_clock = ServerClock(server_s, self._clock.wall_s() - server_s)

    async def greet(self) -> Greeting:
        """Show the token and return what the server says of the cluster.

        Raises:
            JoinRefusedError: the server is not the one that its CA vouches for, or does not take the token.
            StatusError: not now.
        """
        said = await self._ask(ApiRequest("GET", CLUSTER_PATH, {}, _JSON))
        return Greeting(str(said["version"]), said["cluster"])

    async def join(self, request_pem: bytes, was_pem: bytes = b"") -> bytes:
        """Ask for a client certificate by a PKCS#10 request and return it (PEM).

        `was_pem` is the certificate for the same key by which the host was this node, if it was.

        Raises:
            JoinRefusedError: the server says no.
            StatusError: not now.
        """
        asked = {"request": base64.b64encode(request_pem).decode()}
        body = orjson.dumps({**asked, "was": was_pem.decode()} if was_pem else asked)
        said = await self._ask(ApiRequest("POST", JOIN_PATH, {}, _JSON, body))
        return str(said["certificate"]).encode()

    async def _ask(self, request: ApiRequest) -> dict[str, Any]:
        tls = ssl.create_default_context(cadata=self.ca_pem.decode())
        transport = HttpTransport(self._url, tls, user_agent=self._user_agent, bearer_token=self._token.credential)
        try:
            async with transport:
                answer = await transport.send(request)
        except UnavailableError as error:
            if isinstance(error.__cause__, aiohttp.ClientConnectorCertificateError):
                raise JoinRefusedError(self._explain(error.__cause__.certificate_error)) from error
            raise
        if answer.status >= 400:
            raise self._failure(error_of(answer))
        said: dict[str, Any] = orjson.loads(answer.body)
        return said

    def _explain(self, fault: Exception) -> str:
        code, text = getattr(fault, "verify_code", 0), getattr(fault, "verify_message", str(fault))
        return tls_fault(self._url, code, text, self.server_clock)

    def _failure(self, error: StatusError) -> Exception:
        """Return what a server's answer means for the host: not now, or not at all."""
        return error if isinstance(error, _AGAIN) else JoinRefusedError(f"{self._url} refuses: {error.message}")
