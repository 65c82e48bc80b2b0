"""Talking to an etcd cluster over gRPC: several endpoints, TLS, one connection at a time, the next when it fails.

The stubs are aetcd's; its own client is not used (one host only, drops headers, splits revisions in watches).
A call is sent only over a connection that stands, so "cannot connect" is known to have changed nothing; any other
failure of a write leaves open whether it took place (EtcdError.unknown).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from aetcd import rpc
from grpc import aio

log = logging.getLogger("store")

CONNECT_TIMEOUT_S = 3.0
CALL_TIMEOUT_S = 10.0
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 5000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
_HAS_LEADER = (("hasleader", "true"),)
"""A watch at a member without a leader ends, so that it is opened at another."""


class EtcdError(Exception):
    """etcd cannot be reached, or refused; `unknown`: a write may have taken place all the same."""

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class EtcdEndpoints:
    """Where the cluster is, and the files' contents for TLS."""

    urls: tuple[str, ...]
    """`http://HOST:PORT` or `https://HOST:PORT`."""
    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class EtcdClient:
    """One cluster."""

    def __init__(self, endpoints: EtcdEndpoints) -> None:
        self._endpoints = endpoints
        self._at = 0
        self._channels: dict[str, Any] = {}
        """One for each endpoint that was used; gRPC connects it again by itself."""

    @property
    def endpoint(self) -> str:
        """The endpoint in use."""
        return self._endpoints.urls[self._at]

    async def range(self, request: Any) -> Any:
        """Send a RangeRequest; return the RangeResponse."""
        return await self._call(lambda channel: rpc.KVStub(channel).Range, request)

    async def txn(self, request: Any) -> Any:
        """Send a TxnRequest; return the TxnResponse."""
        return await self._call(lambda channel: rpc.KVStub(channel).Txn, request)

    async def compact(self, revision: int) -> None:
        """Let the cluster forget its history up to `revision`; fine when it has."""
        try:
            await self._call(lambda channel: rpc.KVStub(channel).Compact, rpc.CompactionRequest(revision=revision))
        except EtcdError as error:
            if "compacted" not in str(error):
                raise

    async def watch(self, request: Any) -> AsyncIterator[Any]:
        """Open a watch with a WatchCreateRequest; yield its WatchResponses until it ends.

        Raises:
            EtcdError: the connection was lost; open it again, perhaps elsewhere.
        """
        url, channel = await self._connected()

        async def requests() -> AsyncIterator[Any]:
            yield rpc.WatchRequest(create_request=request)
            await asyncio.Event().wait()

        try:
            async for response in rpc.WatchStub(channel).Watch(requests(), metadata=_HAS_LEADER):
                yield response
        except aio.AioRpcError as error:
            self._turn_away(url)
            raise _told(url, error, unknown=False) from error

    async def close(self) -> None:
        """Close the connection."""
        while self._channels:
            await self._channels.popitem()[1].close()

    async def _call(self, method: Callable[[Any], Any], request: Any) -> Any:
        url, channel = await self._connected()
        try:
            return await method(channel)(request, timeout=CALL_TIMEOUT_S)
        except aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                self._turn_away(url)
                raise _told(url, error, unknown=True) from error
            raise _told(url, error, unknown=False) from error

    async def _connected(self) -> tuple[str, Any]:
        """Return a connection that stands, trying each endpoint.

        Raises:
            EtcdError: none can be reached.
        """
        for _ in self._endpoints.urls:
            url = self.endpoint
            if url not in self._channels:
                self._channels[url] = self._open(url)
            channel = self._channels[url]
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await channel.channel_ready()
            except TimeoutError:
                self._turn_away(url)
            else:
                return url, channel
        raise EtcdError(f"no etcd endpoint can be reached: {', '.join(self._endpoints.urls)}")

    def _turn_away(self, url: str) -> None:
        """Use the next endpoint from now on, unless somebody turned away from this one already."""
        if self.endpoint != url:
            return
        log.warning("etcd endpoint %s fails; turning to the next", self.endpoint)
        self._at = (self._at + 1) % len(self._endpoints.urls)

    def _open(self, url: str) -> Any:
        scheme, _, target = url.partition("://")
        if scheme == "https":
            ends = self._endpoints
            credentials = grpc.ssl_channel_credentials(ends.ca, ends.key, ends.certificate)
            return aio.secure_channel(target, credentials, options=_OPTIONS)
        return aio.insecure_channel(target, options=_OPTIONS)


def _told(endpoint: str, error: aio.AioRpcError, *, unknown: bool) -> EtcdError:
    return EtcdError(f"etcd at {endpoint}: {error.details() or error.code().name}", unknown=unknown)
