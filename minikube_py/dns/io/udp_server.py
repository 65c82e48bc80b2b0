"""DNS over UDP: answers of the zone go out in the same turn of the loop, others when the upstream has answered."""

import asyncio
import socket
from typing import cast

from minikube_py.dns.io.responder import Responder
from minikube_py.dns.wire import Query

IP_FREEBIND = 15
"""Bind to an address that is not there yet: the bridge that carries it may come later, or be made anew."""
Address = tuple[str, int]


class UdpServer(asyncio.DatagramProtocol):
    """One listening address."""

    def __init__(self, responder: Responder, group: asyncio.TaskGroup) -> None:
        self._responder = responder
        self._group = group
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        # Not every loop's datagram transport derives from that class.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Answer, or start to ask an upstream (bounded by the forwarder)."""
        answer = self._responder.answer_nowait(data, over_tcp=False)
        if isinstance(answer, Query):
            self._group.create_task(self._answer_later(answer, addr), name="dns-forward")
        elif answer is not None:
            self._send(answer, addr)

    async def _answer_later(self, query: Query, addr: Address) -> None:
        self._send(await self._responder.answer(query, over_tcp=False), addr)

    def _send(self, data: bytes, addr: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


def listening_socket(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    """Return a bound socket.

    Raises:
        OSError: the port is taken, or may not be bound.
    """
    listening = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        listening.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        if kind is socket.SOCK_STREAM:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cluster DNS cannot listen on {address}:{port}: {error.strerror}") from error
    return listening
