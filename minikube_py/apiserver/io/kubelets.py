"""The API server's way to the kubelets: where a node's server is, and requests to it with our own client certificate.

One way for every node, the one in this process too: by the address in its status, by HTTPS, both ends known to the
cluster's CA. Upstream: pkg/kubelet/client (ConnectionInfoGetter), registry/core/pod/rest/subresources.go, and
registry/generic/rest (LocationStreamer, GenericHttpResponseChecker).
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from minikube_py.api.errors import BadRequestError, InternalError, NotFoundError, StatusError, UnnamedError, not_found
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES, PODS
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.answer_bodies import read_bounded
from minikube_py.apiserver.io.passed_upgrade import CONNECT_TIMEOUT_S, Onward, dial_failure, pass_upgrade
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.proxying import Location, Target, forwarded_headers, node_location
from minikube_py.kit.io.dead_peers import open_socket

READ_TIMEOUT_S = 10.0
"""How long a kubelet has for a whole document (metrics); streams have no such limit."""
DOCUMENT_BYTES_MAX = 16 << 20
"""A longer document is not taken."""
ERROR_BYTES_MAX = 64 << 10
"""Of a refusal, this much is read for its text."""


class Kubelets:
    """Reaches every node's kubelet."""

    def __init__(self, storage: Storage, tls: ssl.SSLContext | None) -> None:
        """`tls`: our client certificate and whom we trust; None: no kubelet is reached with a certificate (tests)."""
        self._storage = storage
        self._tls = tls or ssl.create_default_context()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close kept connections."""
        if self._session is not None:
            await self._session.close()

    def location(self, pod: Mapping[str, object]) -> Location:
        """Return where the kubelet is that runs a pod.

        Raises:
            BadRequestError: the pod has no node yet.
            NotFoundError: the node is gone.
            StatusError: the node has no address.
        """
        spec, meta = pod.get("spec"), pod["metadata"]
        assert isinstance(meta, Mapping)
        node = str((spec if isinstance(spec, Mapping) else {}).get("nodeName") or "")
        if not node:
            raise BadRequestError(f"pod {meta['name']} does not have a host assigned")
        entry = self._storage.find(NODES, "", node)
        if entry is None:
            # Upstream looks the node up in the name of the resource that was asked for, and says so.
            raise not_found("", PODS.plural, node)
        return node_location(decode(entry), Target("", node, ""))

    async def log(self, location: Location, target: str, key: ObjectKey) -> AsyncGenerator[bytes, None]:
        """Return a container's log as it comes; what the kubelet refuses is raised here, before the first byte.

        Raises:
            StatusError: the kubelet's own words, or why it does not answer.
        """
        url = location.root + target
        try:
            answer = await self._opened().get(URL(url, encoded=True), timeout=_NO_END)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnnamedError(f'Get "{url}": {dial_failure(location, error)}') from error
        if 200 <= answer.status <= 206:
            return _pieces(answer)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                text = (await read_bounded(answer, ERROR_BYTES_MAX))[:ERROR_BYTES_MAX].decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnnamedError(f'Get "{url}": {dial_failure(location, error)}') from error
        finally:
            answer.close()
        raise _refusal(answer.status, text, key)

    async def upgrade(self, request: web.BaseRequest, location: Location, target: str) -> web.StreamResponse:
        """Send a request to upgrade on to a kubelet, and carry bytes both ways.

        Raises:
            StatusError: the kubelet does not answer.
        """
        headers = forwarded_headers(
            request.headers.items(),
            client=request.remote or "",
            host=request.host,
            uri=request.rel_url.raw_path,
            scheme="https" if request.secure else "http",
            upgrade=True,
        )
        try:
            return await pass_upgrade(request, Onward(location, target, headers), self._tls)
        except OSError as error:
            raise UnnamedError(f"error dialing backend: {dial_failure(location, error)}") from error

    async def read(self, node_name: str, path: str) -> str:
        """Return a document of a node's kubelet.

        Raises:
            OSError: it cannot be had now.
        """
        entry = self._storage.find(NODES, "", node_name)
        if entry is None:
            raise OSError(f"node {node_name} is gone")
        try:
            location = node_location(decode(entry), Target("", node_name, ""))
        except StatusError as error:
            raise OSError(error.message) from error
        try:
            limit = aiohttp.ClientTimeout(total=READ_TIMEOUT_S)
            async with self._opened().get(location.root + path, timeout=limit) as answer:
                body = await read_bounded(answer, DOCUMENT_BYTES_MAX)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(dial_failure(location, error)) from error
        text = body.decode(errors="replace")
        if answer.status != 200:
            raise OSError(f"{location.root}{path} answers {answer.status}: {text[:200]}")
        if len(body) > DOCUMENT_BYTES_MAX:
            raise OSError(f"{location.root}{path} has more than {DOCUMENT_BYTES_MAX} bytes")
        return text

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls, socket_factory=open_socket)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


_NO_END = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in answer.content.iter_any():
            yield chunk
    except aiohttp.ClientError as error:
        # The status is out already: all that can be told is that the log is not whole.
        raise ConnectionResetError(str(error)) from error
    finally:
        answer.close()


def _refusal(code: int, text: str, key: ObjectKey) -> StatusError:
    if code == 400:
        return BadRequestError(text)
    if code == 404:
        return NotFoundError(f"the server could not find the requested resource ( pods/log {key.name})")
    return InternalError(f"Internal error occurred: {text}" if code == 500 else f"{code}: {text}")
