"""port-forward over the transport that the client asks for: SPDY/3.1, SPDY inside a WebSocket, or WebSocket channels.

Upstream: kubelet cri/streaming/portforward, apiserver util/proxy (TunnelingHandler).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from minikube_py.api.errors import BadRequestError, ForbiddenError
from minikube_py.api.streams import PodRef, PodStreams
from minikube_py.streaming.io.forwarding import ForwardedPort
from minikube_py.streaming.io.spdy_command import offered_protocols, switch_to_spdy
from minikube_py.streaming.io.spdy_connection import SpdyConnection
from minikube_py.streaming.io.spdy_link import WebSocketLink
from minikube_py.streaming.port_forward import (
    SPDY_PROTOCOL,
    TUNNEL_PROTOCOL,
    WEBSOCKET_PROTOCOLS,
    StreamHead,
    channel_head,
    parse_message,
    parse_ports,
    parse_stream_head,
    render_message,
)
from minikube_py.streaming.spdy import Frame, StreamData, StreamOpened, StreamReset

log = logging.getLogger("streaming")

PAIRS_MAX = 1000
"""Connections that one client forwards at a time; streams for further ones are refused."""
PAIR_TIMEOUT_S = 30.0
"""Upstream's time for the second stream of a pair."""
MESSAGE_BYTES_MAX = 4 << 20
CLOSE_TIMEOUT_S = 5.0


async def serve_port_forward(request: web.BaseRequest, ref: PodRef, streams: PodStreams) -> web.StreamResponse:
    """Forward ports of a pod until the client leaves.

    Raises:
        BadRequestError: the client asks for no transport that is served, or for no port.
        ForbiddenError: client and server have no protocol in common.
    """
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade == "websocket":
        return await _serve_websocket(request, ref, streams)
    if upgrade.startswith("spdy/3.1"):
        offered = offered_protocols(request)
        if offered and SPDY_PROTOCOL not in offered:
            raise ForbiddenError(f"unable to upgrade: none of {offered} is served, these are: ['{SPDY_PROTOCOL}']")
        connection, response = await switch_to_spdy(request, SPDY_PROTOCOL if offered else "")
        await _Forwarder(connection, ref, streams).run()
        response.force_close()
        return response
    raise BadRequestError("Upgrade request required")


class _Pair:
    """The two streams of one forwarded connection."""

    def __init__(self, head: StreamHead) -> None:
        self.head = head
        self.streams: dict[str, int] = {}
        self.complete = asyncio.Event()
        self.forwarded: ForwardedPort | None = None


class _Forwarder:
    """All forwarded connections of one client over SPDY."""

    def __init__(self, connection: SpdyConnection, ref: PodRef, streams: PodStreams) -> None:
        self._connection = connection
        self._ref = ref
        self._pod = streams
        self._pairs: dict[str, _Pair] = {}
        self._by_data_stream: dict[int, ForwardedPort] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, *beside: Callable[[], Awaitable[None]]) -> None:
        """Forward until the client is gone; `beside` runs meanwhile (what reads the client's messages)."""
        async with self._group:
            readers = [self._group.create_task(_awaited(work), name="port-forward reader") for work in beside]
            with suppress(ConnectionError):
                await self._connection.run(self._take)
            for task in (*readers, *self._tasks.values()):
                task.cancel()
        with suppress(ConnectionError):
            await self._connection.close()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case StreamOpened(stream_id, headers, _):
                await self._open(stream_id, parse_stream_head(stream_id, headers))
            case StreamData(stream_id, data, fin):
                forwarded = self._by_data_stream.get(stream_id)
                if forwarded is not None and data:
                    await forwarded.take(data)
                if forwarded is not None and fin:
                    forwarded.end_input()
            case StreamReset(stream_id):
                await self._abort(stream_id)
            case _:
                pass

    async def _open(self, stream_id: int, head: StreamHead | None) -> None:
        pair = self._pairs.get(head.request) if head is not None else None
        if head is None or (pair is None and len(self._pairs) >= PAIRS_MAX) or (pair and head.kind in pair.streams):
            await self._connection.reset(stream_id)
            return
        if pair is None:
            pair = self._pairs[head.request] = _Pair(head)
            task = self._group.create_task(self._forward(pair), name=f"port-forward {self._ref.pod}:{head.port}")
            self._tasks[head.request] = task
        pair.streams[head.kind] = stream_id
        if head.kind == "data":
            pair.forwarded = ForwardedPort(head.port, lambda data: self._connection.send(stream_id, data))
            self._by_data_stream[stream_id] = pair.forwarded
        await self._connection.accept(stream_id)
        if len(pair.streams) == 2:
            pair.complete.set()

    async def _abort(self, stream_id: int) -> None:
        """The client gave a connection up."""
        for request, pair in self._pairs.items():
            if stream_id in pair.streams.values():
                self._tasks[request].cancel()
                return

    async def _forward(self, pair: _Pair) -> None:
        try:
            async with asyncio.timeout(PAIR_TIMEOUT_S):
                await pair.complete.wait()
            assert pair.forwarded is not None
            said = await pair.forwarded.carry(self._ref, self._pod)
            if said:
                log.info("port-forward: %s", said.decode())
            await self._connection.send(pair.streams["data"], b"", fin=True)
            await self._connection.send(pair.streams["error"], said, fin=True)
        except TimeoutError:
            for stream_id in pair.streams.values():
                await self._connection.reset(stream_id)
        except ConnectionError:
            log.debug("the client of a port-forward to %s went away", self._ref.pod)
        finally:
            self._by_data_stream.pop(pair.streams.get("data", 0), None)
            del self._pairs[pair.head.request], self._tasks[pair.head.request]


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _serve_websocket(request: web.BaseRequest, ref: PodRef, streams: PodStreams) -> web.StreamResponse:
    offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if p.strip()]
    ports = () if TUNNEL_PROTOCOL in offered else parse_ports(request.query.getall("port", []))
    socket = web.WebSocketResponse(
        protocols=WEBSOCKET_PROTOCOLS, max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_TIMEOUT_S
    )
    await socket.prepare(request)
    if socket.ws_protocol == TUNNEL_PROTOCOL:
        links: list[WebSocketLink] = []

        def link(receiver: SpdyConnection) -> WebSocketLink:
            links.append(WebSocketLink(socket, lambda: receiver))
            return links[0]

        connection = SpdyConnection(link)
        await _Forwarder(connection, ref, streams).run(links[0].read)
    else:
        await _Channels(socket, socket.ws_protocol or WEBSOCKET_PROTOCOLS[1], ref, ports).run(streams)
    return socket


class _Channels:
    """The WebSocket form with two channels for each port."""

    def __init__(self, socket: web.WebSocketResponse, protocol: str, ref: PodRef, ports: Sequence[int]) -> None:
        self._socket = socket
        self._protocol = protocol
        self._ref = ref
        self._forwarded = [ForwardedPort(port, self._sender(2 * at)) for at, port in enumerate(ports)]

    def _sender(self, channel: int) -> Callable[[bytes], Awaitable[None]]:
        async def send(data: bytes) -> None:
            message = render_message(self._protocol, channel, data)
            if "base64" in self._protocol:
                await self._socket.send_str(message.decode())
            else:
                await self._socket.send_bytes(message)

        return send

    async def run(self, streams: PodStreams) -> None:
        """Forward until every pod connection has ended, or the client leaves."""
        async with asyncio.TaskGroup() as group:
            tasks = {group.create_task(self._one(at, streams)) for at in range(len(self._forwarded))}
            reader = group.create_task(self._read(), name=f"port-forward reader {self._ref.pod}")
            forwarding = group.create_task(_all(tasks))
            await asyncio.wait({reader, forwarding}, return_when=asyncio.FIRST_COMPLETED)
            if forwarding.done():
                with suppress(ConnectionError):
                    await self._socket.close(code=WSCloseCode.OK)
            for task in (*tasks, reader, forwarding):
                task.cancel()

    async def _one(self, at: int, streams: PodStreams) -> None:
        forwarded, say = self._forwarded[at], self._sender(2 * at + 1)
        try:
            for channel in (2 * at, 2 * at + 1):
                await self._sender(channel)(channel_head(forwarded.port))
            said = await forwarded.carry(self._ref, streams)
            if said:
                await say(said)
        except ConnectionError:
            log.debug("the client of a port-forward to %s went away", self._ref.pod)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                break
            data = message.data.encode() if isinstance(message.data, str) else message.data
            parsed = parse_message(self._protocol, data)
            if parsed is None or parsed[0] % 2 or parsed[0] // 2 >= len(self._forwarded):
                continue
            if parsed[1]:
                await self._forwarded[parsed[0] // 2].take(parsed[1])


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)
