"""exec and attach over WebSocket: kubectl since 1.30, the Python clients, browsers."""

import asyncio
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from minikube_py.api.streams import ContainerRef, ExecOptions, PodStreams
from minikube_py.streaming.io.remote_session import RemoteSession, run_command
from minikube_py.streaming.remote_command import (
    ERROR,
    WEBSOCKET_PROTOCOLS,
    parse_websocket_message,
    render_end,
    render_websocket_message,
)

MESSAGE_BYTES_MAX = 4 << 20
"""A longer message of the client ends the connection."""
CLOSE_TIMEOUT_S = 5.0
"""How long the client has to answer our close."""


async def serve_websocket(
    request: web.BaseRequest, ref: ContainerRef, options: ExecOptions, streams: PodStreams
) -> web.WebSocketResponse:
    """Run the command over the WebSocket that the client asks for; returns when both have ended."""
    socket = web.WebSocketResponse(
        protocols=WEBSOCKET_PROTOCOLS, max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_TIMEOUT_S
    )
    await socket.prepare(request)
    protocol = socket.ws_protocol or "channel.k8s.io"

    async def send(channel: int, data: bytes) -> None:
        message = render_websocket_message(protocol, channel, data)
        if "base64" in protocol:
            await socket.send_str(message.decode())
        else:
            await socket.send_bytes(message)

    session = RemoteSession(send)
    async with asyncio.TaskGroup() as group:
        command = group.create_task(run_command(session, ref, options, streams), name=f"exec {ref.pod}")
        reader = group.create_task(_read(socket, protocol, session, command), name=f"exec-input {ref.pod}")
        with suppress(ConnectionError):
            await asyncio.wait({command})
            if not command.cancelled() and command.exception() is None:
                end = render_end(protocol, command.result())
                if end:
                    await send(ERROR, end)
                await socket.close(code=WSCloseCode.OK)
        reader.cancel()
    return socket


async def _read(
    socket: web.WebSocketResponse, protocol: str, session: RemoteSession, command: "asyncio.Task[object]"
) -> None:
    """Pass on what the client sends; a client that leaves ends the command's streams."""
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await session.take(parse_websocket_message(protocol, message.data))
        elif message.type is WSMsgType.TEXT:
            await session.take(parse_websocket_message(protocol, message.data.encode()))
    session.close()
    if not command.done():
        command.cancel()
