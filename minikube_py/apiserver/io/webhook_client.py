"""Calls webhooks over HTTPS: admission and conversion.

Connections are kept and shared; trust comes from the caBundle, or from the host. Upstream: apiserver util/webhook.
"""

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import count
from typing import Any

import aiohttp
import orjson

from minikube_py.api.endpoint_slices import SERVICE_NAME_LABEL
from minikube_py.api.errors import InternalError, TooLargeError, UnavailableError
from minikube_py.api.meta import Obj, labels_of
from minikube_py.api.resources import ENDPOINT_SLICES, SERVICES
from minikube_py.api.value_count import OBJECT_VALUES_MAX, check_values
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.answer_bodies import read_bounded
from minikube_py.apiserver.io.byte_turns import asking_outside
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.webhooks import Target, pick_endpoint, service_target, url_target
from minikube_py.apiserver.weight import is_heavy
from minikube_py.store.interface import Store

ANSWER_BYTES_MAX = 16 << 20
"""A longer answer of a webhook is refused."""
ANSWER_VALUES_MAX = 2 * OBJECT_VALUES_MAX
"""One with more values, too: parsing keeps the interpreter to its end."""
SHOWN_BYTES_MAX = 2048
"""So much of an error's body is shown (upstream: the same)."""
_UNKNOWN_AUTHORITY = "certificate signed by unknown authority"
TRUST_MAX = 256
"""TLS contexts that are kept, one for each caBundle."""


class WebhookClient:
    """Finds webhooks and asks them."""

    def __init__(self, store: Store, heavy_work: HeavyWork) -> None:
        self._store = store
        self._heavy_work = heavy_work
        self._turns = count()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def resolve(self, client: Mapping[str, Any], query: str = "") -> Target:
        """Return where the webhook of a clientConfig is.

        Raises:
            UnavailableError: its Service is missing or has no endpoint.
        """
        bundle = str(client.get("caBundle") or "")
        service = client.get("service")
        if service is None:
            return url_target(str(client.get("url") or ""), bundle, query)
        try:
            return service_target(service, self.endpoint_of(service), bundle, query)
        except UnavailableError as error:
            shown = service_target(service, ("", 0), "", query).shown
            raise UnavailableError(f'Post "{shown}": {error.message}') from error

    def endpoint_of(self, service: Mapping[str, Any]) -> tuple[str, int]:
        """Return address and port of an endpoint of a Service reference {namespace, name, port}.

        Raises:
            UnavailableError: it is missing or has no endpoint.
        """
        namespace, name = str(service["namespace"]), str(service["name"])
        entry = self._store.get(SERVICES.storage_key(namespace, name))
        if entry is None:
            raise UnavailableError(f'service "{name}" not found')
        prefix = ENDPOINT_SLICES.storage_key(namespace, "")
        slices = [decode(found) for found in self._store.range(prefix)]
        mine = [found for found in slices if labels_of(found).get(SERVICE_NAME_LABEL) == name]
        return pick_endpoint(decode(entry), mine, int(service.get("port") or 443), next(self._turns))

    async def ask(self, target: Target, question: Mapping[str, Any], timeout_s: float) -> Obj:
        """POST a review and return the answer; meanwhile the turn of what it is asked for is put aside.

        Raises:
            UnavailableError: no answer in time, or no connection.
            InternalError: the answer is none.
        """
        if self._session is None:
            # As Go's client: no cookies, and no bound on connections that would let one webhook wait for another.
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        before = f'Post "{target.shown}"'
        try:
            async with (
                asking_outside(),
                self._session.post(
                    target.url,
                    data=orjson.dumps(question),
                    headers={"Content-Type": "application/json", "Accept": "application/json, */*"},
                    ssl=_trusting(target.ca_pem),
                    server_hostname=target.server_name or None,
                    timeout=aiohttp.ClientTimeout(total=timeout_s),
                    allow_redirects=False,
                ) as response,
            ):
                body = await read_bounded(response, ANSWER_BYTES_MAX)
                status = response.status
        except TimeoutError as error:
            raise UnavailableError(f"{before}: context deadline exceeded") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise UnavailableError(f"{before}: {_why(error)}") from error
        _check(body, status, before)
        return await self._heavy_work.run_if(is_heavy(body), partial(_parse, body, before))


def _why(error: Exception) -> str:
    """Return upstream's words for a connection that could not be had."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        said = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        unknown = "issuer" in said or "self-signed" in said
        return f"tls: failed to verify certificate: x509: {_UNKNOWN_AUTHORITY if unknown else said}"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return f"dial tcp {error.host}:{error.port}: connect: {os.strerror(error.os_error.errno).lower()}"
    return str(error) or "EOF"


def _check(body: bytes, status: int, before: str) -> None:
    """Refuse an error and what is too long."""
    if not 200 <= status < 300:
        said = body[:SHOWN_BYTES_MAX].decode("utf-8", "replace").strip()
        if status >= 500:
            raise InternalError(f'an error on the server ("{said}") has prevented the request from succeeding')
        raise InternalError(f"the server rejected our request for an unknown reason: {status} {said}".rstrip())
    if len(body) > ANSWER_BYTES_MAX:
        raise InternalError(f"{before}: the answer is longer than {ANSWER_BYTES_MAX} bytes")


def _parse(body: bytes, before: str) -> Obj:
    try:
        check_values(body, "the answer", ANSWER_VALUES_MAX)
        answer = orjson.loads(body)
    except TooLargeError as error:
        raise InternalError(f"{before}: {error.message}") from error
    except orjson.JSONDecodeError as error:
        raise InternalError(f"{before}: couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(answer, dict):
        raise InternalError(f"{before}: the answer is no object")
    return answer


@lru_cache(maxsize=TRUST_MAX)
def _trusting(ca_pem: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca_pem or None)
    except ssl.SSLError as error:
        raise UnavailableError(f"unable to load root certificates: {error}") from error
