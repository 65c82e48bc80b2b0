"""exec and attach over SPDY/3.1: kubectl before 1.30, and the fallback of newer ones."""

import asyncio
from contextlib import suppress

from aiohttp import web

from minikube_py.api.errors import BadRequestError, ForbiddenError
from minikube_py.api.streams import ContainerRef, ExecOptions, PodStreams
from minikube_py.apiserver.io.remote_session import RemoteSession, run_command
from minikube_py.apiserver.io.spdy_connection import SpdyConnection
from minikube_py.apiserver.remote_command import (
    ERROR,
    RESIZE,
    SPDY_PROTOCOLS,
    STDERR,
    STDIN,
    STDOUT,
    choose_protocol,
    render_end,
)

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


async def serve_spdy(
    request: web.BaseRequest, ref: ContainerRef, options: ExecOptions, streams: PodStreams
) -> web.StreamResponse:
    """Take the connection over and run the command; returns when both have ended.

    Raises:
        ForbiddenError: client and server have no protocol version in common.
        BadRequestError: the client did not open its streams.
    """
    header = "X-Stream-Protocol-Version"
    offered = [p.strip() for value in request.headers.getall(header, []) for p in value.split(",")]
    protocol = choose_protocol(offered, SPDY_PROTOCOLS) if offered else "channel.k8s.io"
    if protocol is None:
        raise ForbiddenError(f"unable to upgrade: none of {offered} is served, these are: {list(SPDY_PROTOCOLS)}")
    response = web.StreamResponse(status=101, reason="Switching Protocols")
    response.headers.update({"Connection": "Upgrade", "Upgrade": "SPDY/3.1"})
    if offered:
        response.headers[header] = protocol
    connection = SpdyConnection(request)
    await response.prepare(request)
    session = RemoteSession(connection.send)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(connection.run(session.take), name=f"exec-input {ref.pod}")
        if not await connection.wait_streams(_wanted(options, protocol), STREAMS_TIMEOUT_S):
            reader.cancel()
            connection.close()
            raise BadRequestError("the client did not open its streams in time")
        command = group.create_task(run_command(session, ref, options, streams), name=f"exec {ref.pod}")
        with suppress(ConnectionError):
            await asyncio.wait({command, reader}, return_when=asyncio.FIRST_COMPLETED)
            session.close()
            if command.done() and not command.cancelled() and command.exception() is None:
                await _say_goodbye(connection, render_end(protocol, command.result()), reader)
        command.cancel()
        reader.cancel()
    connection.close()
    response.force_close()
    return response


async def _say_goodbye(connection: SpdyConnection, end: bytes, reader: "asyncio.Task[None]") -> None:
    """Close the outputs, tell the outcome, and let the client hang up first."""
    await connection.send(STDOUT, b"", fin=True)
    await connection.send(STDERR, b"", fin=True)
    await connection.send(ERROR, end, fin=True)
    await asyncio.wait({reader}, timeout=GOODBYE_TIMEOUT_S)
