"""Asking upstream servers: one after the other, each for a limited time, answers checked against the question."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from minikube_py.dns.cache import ResponseCache
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.forward import Upstream, order_upstreams, parse_resolv_conf, parse_upstreams
from minikube_py.dns.wire import Query, answers_query, with_id
from minikube_py.kit.clock import Clock

log = logging.getLogger("dns")
_LENGTH_BYTES = 2


class UpstreamError(Exception):
    """No upstream gave an answer."""


class Forwarder:
    """Forwards queries; keeps short-lived answers."""

    def __init__(self, config: DnsConfig, clock: Clock, new_id: Callable[[], int]) -> None:
        self._config = config
        self._clock = clock
        self._new_id = new_id
        self._cache = ResponseCache(config.cache_max, config.cache_ttl_max_s)
        self._failed_at_s: dict[Upstream, float] = {}
        self._resolv_conf: tuple[float, tuple[Upstream, ...]] = (-1.0, ())
        self._under_way = 0

    async def ask(self, query: Query, *, over_tcp: bool) -> bytes:
        """Return an upstream's response to a client's query, under the query's id.

        Raises:
            UpstreamError: there is no upstream, none answered, or `forward_max` queries are under way.
        """
        now_s = self._clock.now_s()
        kept = self._cache.get(query.cache_key, now_s)
        if kept is not None and (over_tcp or len(kept) <= query.udp_bytes):
            return with_id(kept, query.id)
        if self._under_way >= self._config.forward_max:
            raise UpstreamError(f"{self._under_way} queries under way")
        self._under_way += 1
        try:
            response = await self._ask_in_turn(query.raw, over_tcp=over_tcp)
        finally:
            self._under_way -= 1
        self._cache.put(query.cache_key, response, self._clock.now_s())
        return with_id(response, query.id)

    async def _ask_in_turn(self, raw: bytes, *, over_tcp: bool) -> bytes:
        upstreams = self._upstreams()
        exchange = _exchange_tcp if over_tcp else _exchange_udp
        for upstream in order_upstreams(upstreams, self._failed_at_s, self._clock.now_s()):
            query = with_id(raw, self._new_id())
            try:
                async with asyncio.timeout(self._config.upstream_timeout_s):
                    response = await exchange(upstream, query)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.debug("upstream %s did not answer: %r", upstream.address, error)
                self._failed_at_s[upstream] = self._clock.now_s()
                continue
            self._failed_at_s.pop(upstream, None)
            return response
        raise UpstreamError("no upstream answered" if upstreams else "no upstream is known")

    def _upstreams(self) -> tuple[Upstream, ...]:
        own = self._config.listen_addresses
        if self._config.upstreams:
            return parse_upstreams(self._config.upstreams, own)
        path = Path(self._config.resolv_conf)
        try:
            changed_at = path.stat().st_mtime
            if changed_at != self._resolv_conf[0]:
                self._resolv_conf = (changed_at, parse_resolv_conf(path.read_text(errors="replace"), own))
        except OSError:
            return ()
        return self._resolv_conf[1]


async def _exchange_udp(upstream: Upstream, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    # A socket for each query: its port is random, and the kernel drops what others send.
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _UdpExchange(query, loop.create_future()), remote_addr=(upstream.address, upstream.port)
    )
    try:
        transport.sendto(query)
        return await protocol.response
    finally:
        transport.close()


class _UdpExchange(asyncio.DatagramProtocol):
    """Waits for the datagram that answers the query; others are ignored."""

    def __init__(self, query: bytes, response: asyncio.Future[bytes]) -> None:
        self._query = query
        self.response = response

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.response.done() and answers_query(data, self._query):
            self.response.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(exc)


async def _exchange_tcp(upstream: Upstream, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(upstream.address, upstream.port)
    try:
        writer.write(len(query).to_bytes(_LENGTH_BYTES, "big") + query)
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        response = await reader.readexactly(length)
    finally:
        writer.close()
    if not answers_query(response, query):
        raise ConnectionError(f"{upstream.address} answered another question")
    return response
