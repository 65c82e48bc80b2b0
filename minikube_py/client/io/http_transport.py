"""HTTPS to an API server on this or another host (client.wire.Transport), on aiohttp.

Watches have no total time limit: they end when the server ends them. A connection whose other end is gone without
a word is found by the kernel (kit.io.dead_peers); a server that is there and says nothing, by the time since the last
byte (the watch's own timeoutSeconds, and WATCH_SLACK_S).
"""

import ssl
import sys
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import aiohttp
import orjson
from yarl import URL

from minikube_py.api.errors import UnavailableError
from minikube_py.client.interface import WatchEvent
from minikube_py.client.io.rest_client import error_of
from minikube_py.client.lines import LineSplitter, LineTooLongError
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.io.dead_peers import open_socket
from minikube_py.kit.kept_objects import parse_kept

CONNECT_TIMEOUT_S = 10.0
REQUEST_TIMEOUT_S = 75.0
"""More than the server's own 60 s, so that its 504 is heard."""
WATCH_SLACK_S = 30.0
CONNECTIONS_MAX = 256
"""Connections to the server, watches included; further requests wait for one."""


class HttpTransport:
    """One session to one server; an async context manager."""

    def __init__(
        self,
        server_url: str,
        tls: ssl.SSLContext | None,
        *,
        user_agent: str,
        bearer_token: str = "",
        answer_bytes_max: int = sys.maxsize,
    ) -> None:
        """Keep the settings; more than `answer_bytes_max` of a server that nobody knows yet is no answer."""
        self._url = URL(server_url)
        self._tls = tls
        self._answer_bytes_max = answer_bytes_max
        self._headers = {"user-agent": user_agent}
        if bearer_token:
            self._headers["authorization"] = f"Bearer {bearer_token}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._tls or True, socket_factory=open_socket)
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers, auto_decompress=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def send(self, request: ApiRequest) -> ApiResponse:
        """Send and return the whole answer.

        Raises:
            UnavailableError: the server cannot be reached, did not answer in time, or with too much.
        """
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
        try:
            async with self._request(request, timeout) as response:
                return await self._whole(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unavailable(error) from error

    async def stream(self, request: ApiRequest) -> AsyncIterator[WatchEvent]:
        """Send a watch and yield its events.

        Raises:
            StatusError: what the server answered instead.
            UnavailableError: the server cannot be reached, or the stream broke off.
        """
        silence_s = float(request.query.get("timeoutSeconds") or 3600) + WATCH_SLACK_S
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence_s)
        lines = LineSplitter()
        try:
            async with self._request(request, timeout) as response:
                if response.status >= 400:
                    raise error_of(await self._whole(response))
                async for chunk in response.content.iter_any():
                    for line in lines.feed(chunk):
                        yield _event(line)
        except (aiohttp.ClientError, OSError, TimeoutError, LineTooLongError) as error:
            raise self._unavailable(error) from error
        if lines.rest():
            raise UnavailableError(f"the watch of {request.path} broke off within an event")

    def _request(
        self, request: ApiRequest, timeout: aiohttp.ClientTimeout
    ) -> "aiohttp.client._RequestContextManager":
        assert self._session is not None, "use the transport as an async context manager"
        return self._session.request(
            request.method,
            self._url.with_path(request.path).with_query(dict(request.query)),
            headers=dict(request.headers),
            data=request.body or None,
            timeout=timeout,
            allow_redirects=False,
        )

    async def _whole(self, response: aiohttp.ClientResponse) -> ApiResponse:
        parts: list[bytes] = []
        left = self._answer_bytes_max
        async for part in response.content.iter_any():
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise UnavailableError(
                    f"the server at {self._url} answers with more than {self._answer_bytes_max} bytes"
                )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return ApiResponse(response.status, b"".join(parts), headers)

    def _unavailable(self, error: Exception) -> UnavailableError:
        return UnavailableError(f"the API server at {self._url} cannot be reached: {error or type(error).__name__}")


def _event(line: bytes) -> WatchEvent:
    try:
        decoded = parse_kept(line)
        return WatchEvent(decoded["type"], decoded["object"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnavailableError(f"the watch stream carries no watch event: {line[:80]!r}") from error
