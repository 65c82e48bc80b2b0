"""Requests and answers without HTTP: what a Client sends through a Transport.

The API server implements Transport in process (`apiserver.io.local_transport`), `client.io.http_transport` sends it
over HTTPS; `client.io.rest_client.RestClient` turns Client verbs into these values: one suite tests both ways.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from minikube_py.client.interface import WatchEvent


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request; `path` without query; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """One whole answer; failures are answers too (a Status body), not exceptions."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Carries requests to an API server."""

    async def send(self, request: ApiRequest) -> ApiResponse:
        """Send and return the whole answer.

        Raises:
            api.errors.UnavailableError: the server cannot be reached.
        """
        ...

    def stream(self, request: ApiRequest) -> AsyncIterator[WatchEvent]:
        """Send a watch and yield its events; raises the StatusError that the server answered instead."""
        ...
