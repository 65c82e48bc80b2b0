"""The cluster DNS of this node: sockets, copies of the objects, and their lifetime."""

import asyncio
import random
import socket
from contextlib import AsyncExitStack

from minikube_py.client.interface import Informers
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.cluster_view import InformerView
from minikube_py.dns.io.forwarder import Forwarder
from minikube_py.dns.io.responder import Responder
from minikube_py.dns.io.tcp_server import TcpServer
from minikube_py.dns.io.udp_server import UdpServer, listening_socket
from minikube_py.kit.clock import Clock

_ID_MAX = 0xFFFF


class DnsServer:
    """Serves the cluster domain from this node's own copies (upstream: CoreDNS with node-local cache)."""

    def __init__(self, config: DnsConfig, informers: Informers, clock: Clock, rng: random.Random) -> None:
        self._config = config
        self._view = InformerView(informers)
        self._responder = Responder(
            config,
            self._view,
            Forwarder(config, clock, lambda: rng.randint(0, _ID_MAX)),
            lambda: rng.randint(0, _ID_MAX),
        )

    async def run(self) -> None:
        """Serve for ever; before the copies are complete, cluster names are answered SERVFAIL.

        Raises:
            OSError: an address cannot be listened on.
        """
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for address in self._config.listen_addresses:
                await self._listen(address, stack, group)
            await self._view.wait_synced()
            self._responder.is_synced = True
            await asyncio.get_running_loop().create_future()

    async def _listen(self, address: str, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        datagrams = listening_socket(socket.SOCK_DGRAM, address, self._config.port)
        transport, _ = await loop.create_datagram_endpoint(lambda: UdpServer(self._responder, group), sock=datagrams)
        stack.callback(transport.close)
        streams = listening_socket(socket.SOCK_STREAM, address, self._config.port)
        server = await asyncio.start_server(TcpServer(self._config, self._responder).serve, sock=streams)
        stack.callback(server.close)
