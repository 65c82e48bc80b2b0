"""HTTP, TCP and gRPC tries of probes and hooks over real connections (ports.ProbeNetwork).

A new connection each time, certificates not checked, redirects followed on the same host only; failures read as
upstream's. Upstream: pkg/probe/http, pkg/probe/tcp.
"""

import asyncio
import errno
import os
import ssl
from urllib.parse import urljoin, urlsplit

import aiohttp

from minikube_py.kubelet.io.grpc_probe import grpc_check
from minikube_py.kubelet.probes import PLAIN_ANSWER, ProbeOutcome, ProbeResult

BODY_BYTES_MAX = 10 << 10
REDIRECTS_MAX = 10
_NOT_TLS = "WRONG_VERSION_NUMBER"
"""OpenSSL's word for an answer that is no TLS record."""
_DEADLINE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class HostProbeNetwork:
    """Opens what probes ask for."""

    async def http_get(
        self, url: str, headers: tuple[tuple[str, str], ...], timeout_s: float, user_agent: str
    ) -> ProbeOutcome:
        """GET `url` and follow redirects on its host."""
        sent = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent |= dict(headers)
        try:
            async with asyncio.timeout(timeout_s):
                return await _get(url, sent)
        except TimeoutError:
            return _failure(url, _DEADLINE)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ssl.SSLError) and error.os_error.reason == _NOT_TLS:
                return _failure(url, PLAIN_ANSWER)
            return _failure(url, f"dial tcp {urlsplit(url).netloc}: {_dial_words(error.os_error)}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _failure(url, str(error) or type(error).__name__)

    async def tcp_connect(self, host: str, port: int, timeout_s: float) -> ProbeOutcome:
        """Open a connection and close it."""
        where = f"dial tcp {host}:{port}"
        try:
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            return ProbeOutcome(ProbeResult.FAILURE, f"{where}: i/o timeout")
        except OSError as error:
            return ProbeOutcome(ProbeResult.FAILURE, f"{where}: {_dial_words(error)}")
        writer.close()
        return ProbeOutcome(ProbeResult.SUCCESS)

    async def grpc_check(self, host: str, port: int, service: str, timeout_s: float, user_agent: str) -> ProbeOutcome:
        """Ask the gRPC health service about `service`."""
        return await grpc_check(host, port, service, timeout_s, user_agent)


async def _get(url: str, headers: dict[str, str]) -> ProbeOutcome:
    connector = aiohttp.TCPConnector(force_close=True, ssl=False)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        for _ in range(REDIRECTS_MAX):
            async with session.get(url, headers=headers, allow_redirects=False) as response:
                body = await response.content.read(BODY_BYTES_MAX)
                location = response.headers.get("Location")
                if 300 <= response.status < 400 and location:
                    target = urljoin(url, location)
                    if urlsplit(target).hostname != urlsplit(url).hostname:
                        text = body.decode(errors="replace")
                        return ProbeOutcome(
                            ProbeResult.SUCCESS,
                            f"Probe terminated redirects, Response body: {text}",
                            warns=True,
                            answered=True,
                        )
                    url = target
                    continue
                if 200 <= response.status < 400:
                    return ProbeOutcome(ProbeResult.SUCCESS, body.decode(errors="replace"), answered=True)
                why = f"HTTP probe failed with statuscode: {response.status}"
                return ProbeOutcome(ProbeResult.FAILURE, why, answered=True)
    return _failure(url, f"stopped after {REDIRECTS_MAX} redirects")


def _failure(url: str, why: str) -> ProbeOutcome:
    return ProbeOutcome(ProbeResult.FAILURE, f'Get "{url}": {why}')


def _dial_words(error: OSError) -> str:
    if error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET):
        return f"connect: {os.strerror(error.errno).lower()}"
    return f"connect: {error.strerror or error}"
