"""The health ports of Services, each a small HTTP server of the proxy (upstream: pkg/proxy/healthcheck)."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from minikube_py.api.endpoint_slices import service_index, service_key_of
from minikube_py.api.meta import ObjectKey, key_of
from minikube_py.api.resources import ENDPOINT_SLICES, SERVICES
from minikube_py.client.interface import Change, Informers
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.health_checks import HealthCheck, health_check_of, render_answer

log = logging.getLogger("proxy")
REQUEST_BYTES_MAX = 8192
REQUEST_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 64
"""Requests answered at a time over all ports; a load balancer asks every few seconds."""
RETRY_INTERVAL_S = 10.0
_BY_SERVICE = "proxy-health/service"


class HealthCheckServer:
    """Opens and closes health ports as Services come and go."""

    def __init__(
        self, config: ProxyConfig, informers: Informers, clock: Clock, proxy_is_healthy: Callable[[], bool]
    ) -> None:
        self._config = config
        self._clock = clock
        self._proxy_is_healthy = proxy_is_healthy
        self._services = informers.informer(SERVICES)
        self._slices = informers.informer(ENDPOINT_SLICES)
        self._checks: Mapping[int, HealthCheck] = {}
        self._asking: set[ObjectKey] = set()
        self._servers: dict[int, asyncio.Server] = {}
        self._connections = asyncio.Semaphore(CONNECTIONS_MAX)
        self._wake = asyncio.Event()
        self._slices.add_index(_BY_SERVICE, service_index)
        self._services.subscribe(self._on_service)
        self._slices.subscribe(self._on_slice)

    async def run(self) -> None:
        """Answer for ever."""
        for informer in (self._services, self._slices):
            await informer.wait_synced()
        try:
            while True:
                self._wake.clear()
                self._checks = self._find_checks()
                if await self._open_and_close():
                    await self._wake.wait()
                else:
                    await wait_event_or_sleep(self._wake, self._clock, RETRY_INTERVAL_S)
        finally:
            for server in self._servers.values():
                server.close()

    def _find_checks(self) -> dict[int, HealthCheck]:
        found: dict[int, HealthCheck] = {}
        for key in sorted(self._asking):
            service = self._services.get(key)
            if service is not None:
                endpoints = merge_slices(self._slices.by_index(_BY_SERVICE, str(key)), self._config.node_name)
                check = health_check_of(service, endpoints)
                if check is not None:
                    found.setdefault(check.port, check)
        return found

    async def _open_and_close(self) -> bool:
        """Return whether every port is open."""
        for port in self._servers.keys() - self._checks.keys():
            self._servers.pop(port).close()
        for port in sorted(self._checks.keys() - self._servers.keys()):
            try:
                self._servers[port] = await asyncio.start_server(
                    self._answer, "0.0.0.0", port, limit=REQUEST_BYTES_MAX, reuse_address=True
                )
            except OSError as error:
                check = self._checks[port]
                log.warning("health port %d of %s/%s: %s", port, check.namespace, check.service, error)
        return self._servers.keys() == self._checks.keys()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Whatever is asked, the answer is the same; a client that says nothing is cut off.
            with suppress(TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
                async with asyncio.timeout(REQUEST_TIMEOUT_S), self._connections:
                    await reader.readuntil(b"\r\n\r\n")
                    check = self._checks.get(writer.get_extra_info("sockname")[1])
                    if check is not None:
                        writer.write(render_answer(check, proxy_is_healthy=self._proxy_is_healthy()))
                        await writer.drain()
        finally:
            writer.close()

    def _on_service(self, change: Change) -> None:
        key = key_of(change.latest)
        asks = bool((change.new or {}).get("spec", {}).get("healthCheckNodePort"))
        if asks or key in self._asking:
            (self._asking.add if asks else self._asking.discard)(key)
            self._wake.set()

    def _on_slice(self, change: Change) -> None:
        if any(obj is not None and service_key_of(obj) in self._asking for obj in (change.old, change.new)):
            self._wake.set()
