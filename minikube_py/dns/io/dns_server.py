"""The cluster DNS of this node: sockets, copies of the objects, and their lifetime."""

import asyncio
import random
import socket
from contextlib import ExitStack

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
        with ExitStack() as stack:
            # Bound before anything runs, so that a port that is taken is an OSError and not a group of them.
            sockets = [
                tuple(
                    stack.enter_context(listening_socket(kind, address, self._config.port))
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
                )
                for address in self._config.listen_addresses
            ]
            async with asyncio.TaskGroup() as group:
                for datagrams, streams in sockets:
                    await self._serve(datagrams, streams, stack, group)
                await self._view.wait_synced()
                self._responder.is_synced = True
                await asyncio.get_running_loop().create_future()

    async def _serve(
        self, datagrams: socket.socket, streams: socket.socket, stack: ExitStack, group: asyncio.TaskGroup
    ) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: UdpServer(self._responder, group), sock=datagrams)
        stack.callback(transport.close)
        server = await asyncio.start_server(TcpServer(self._config, self._responder).serve, sock=streams)
        stack.callback(server.close)
