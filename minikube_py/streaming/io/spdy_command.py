"""exec and attach over SPDY/3.1: kubectl before 1.30, and the fallback of newer ones."""

import asyncio
import logging
from contextlib import suppress

from aiohttp import web

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.streams import ContainerRef, ExecOptions, PodStreams
from minikube_py.streaming.io.remote_session import RemoteSession, run_command
from minikube_py.streaming.io.spdy_connection import SpdyConnection
from minikube_py.streaming.io.spdy_link import HijackedLink
from minikube_py.streaming.remote_command import (
    ERROR,
    RESIZE,
    SPDY_PROTOCOLS,
    STDERR,
    STDIN,
    STDOUT,
    STREAM_TYPES,
    Input,
    InputEnd,
    Resized,
    choose_protocol,
    parse_resize,
    render_end,
)
from minikube_py.streaming.spdy import Frame, StreamData, StreamOpened, StreamReset

log = logging.getLogger("streaming")

PROTOCOL_HEADER = "X-Stream-Protocol-Version"
STREAMS_TIMEOUT_S = 30.0
"""Upstream's time for the client to open all its streams."""
GOODBYE_TIMEOUT_S = 5.0
"""How long the client has to take the end before the connection is closed on it."""


def _wanted(options: ExecOptions, protocol: str) -> set[int]:
    channels = {ERROR}
    channels |= {STDIN} if options.stdin else set()
    channels |= {STDOUT} if options.stdout else set()
    channels |= {STDERR} if options.stderr and not options.tty else set()
    resizable = protocol.startswith(("v3.", "v4."))
    return channels | ({RESIZE} if options.tty and resizable else set())


def offered_protocols(request: web.BaseRequest) -> list[str]:
    """Return the stream protocols that the client names, in its order."""
    return [p.strip() for value in request.headers.getall(PROTOCOL_HEADER, []) for p in value.split(",")]


async def switch_to_spdy(request: web.BaseRequest, protocol: str) -> tuple[SpdyConnection, web.StreamResponse]:
    """Take the connection over and answer 101."""
    response = web.StreamResponse(status=101, reason="Switching Protocols")
    response.headers.update({"Connection": "Upgrade", "Upgrade": "SPDY/3.1"})
    if protocol:
        response.headers[PROTOCOL_HEADER] = protocol
    connection = SpdyConnection(lambda receiver: HijackedLink(request, receiver))
    await response.prepare(request)
    return connection, response


class CommandStreams:
    """The streams of one exec or attach by what they carry: one for each type, any other is refused."""

    def __init__(self, connection: SpdyConnection) -> None:
        self._connection = connection
        self._types: dict[int, int] = {}
        self._streams: dict[int, int] = {}
        self._opened = asyncio.Event()
        self._ended = False
        self.session = RemoteSession(self.send)

    async def run(self) -> None:
        """Take the client's frames until it is gone."""
        try:
            with suppress(ConnectionError):
                await self._connection.run(self._take)
        finally:
            self._ended = True
            self._opened.set()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case StreamOpened(stream_id, headers, _):
                await self._open(stream_id, STREAM_TYPES.get(headers.get("streamtype", "")))
            case StreamData(stream_id, data, fin):
                await self._data(self._types.get(stream_id, -1), data, fin=fin)
            case StreamReset(stream_id) if self._types.get(stream_id) == STDIN:
                await self.session.take(InputEnd())
            case _:
                pass

    async def _open(self, stream_id: int, channel: int | None) -> None:
        if channel is None or channel in self._streams:
            await self._connection.reset(stream_id)
            return
        self._types[stream_id], self._streams[channel] = channel, stream_id
        await self._connection.accept(stream_id)
        self._opened.set()

    async def _data(self, channel: int, data: bytes, *, fin: bool) -> None:
        if channel == STDIN:
            if data:
                await self.session.take(Input(data))
            if fin:
                await self.session.take(InputEnd())
        elif channel == RESIZE and (size := parse_resize(data)):
            await self.session.take(Resized(size))

    async def wait_opened(self, channels: set[int], timeout_s: float) -> bool:
        """Wait until the client has opened all of `channels`; False when it does not in time or is gone."""
        try:
            async with asyncio.timeout(timeout_s):
                while not channels <= set(self._streams):
                    if self._ended:
                        return False
                    self._opened.clear()
                    await self._opened.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, channel: int, data: bytes) -> None:
        """Send data on a channel; nothing when the client has not opened it."""
        if (stream_id := self._streams.get(channel)) is not None:
            await self._connection.send(stream_id, data)

    async def finish(self, channel: int, data: bytes = b"") -> None:
        """Send the last data of a channel."""
        if (stream_id := self._streams.get(channel)) is not None:
            await self._connection.send(stream_id, data, fin=True)


async def serve_spdy(
    request: web.BaseRequest, ref: ContainerRef, options: ExecOptions, streams: PodStreams
) -> web.StreamResponse:
    """Take the connection over and run the command; returns when both have ended.

    Raises:
        ForbiddenError: client and server have no protocol version in common.
    """
    offered = offered_protocols(request)
    protocol = choose_protocol(offered, SPDY_PROTOCOLS) if offered else "channel.k8s.io"
    if protocol is None:
        raise ForbiddenError(f"unable to upgrade: none of {offered} is served, these are: {list(SPDY_PROTOCOLS)}")
    connection, response = await switch_to_spdy(request, protocol if offered else "")
    client = CommandStreams(connection)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(client.run(), name=f"exec-input {ref.pod}")
        if not await client.wait_opened(_wanted(options, protocol), STREAMS_TIMEOUT_S):
            log.info("exec into %s/%s: the client did not open its streams in time", ref.namespace, ref.pod)
            reader.cancel()
            return await _close(connection, response)
        command = group.create_task(run_command(client.session, ref, options, streams), name=f"exec {ref.pod}")
        with suppress(ConnectionError):
            await asyncio.wait({command, reader}, return_when=asyncio.FIRST_COMPLETED)
            client.session.close()
            if command.done() and not command.cancelled() and command.exception() is None:
                await _say_goodbye(client, render_end(protocol, command.result()), reader)
        command.cancel()
        reader.cancel()
    return await _close(connection, response)


async def _close(connection: SpdyConnection, response: web.StreamResponse) -> web.StreamResponse:
    with suppress(ConnectionError):
        await connection.close()
    response.force_close()
    return response


async def _say_goodbye(client: CommandStreams, end: bytes, reader: "asyncio.Task[None]") -> None:
    """Close the outputs, tell the outcome, and let the client hang up first."""
    await client.finish(STDOUT)
    await client.finish(STDERR)
    await client.finish(ERROR, end)
    await asyncio.wait({reader}, timeout=GOODBYE_TIMEOUT_S)
