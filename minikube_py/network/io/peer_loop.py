"""Follows the other nodes: each change of a Node, of a link or of our routes leads to a pass over all ways.

Nothing is done before all Nodes are known: a way that stands is never taken away because this agent has just started.
What the kernel refuses is tried again; what somebody else deletes is noticed by the kernel's notifications (routes,
links, addresses) or at the next regular look (what is known of far ends).
"""

import asyncio
import logging
import socket
from collections.abc import Mapping

from minikube_py.api.resources import NODES
from minikube_py.client.interface import Change, Informers
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.netlink_monitor import open_netlink_monitor
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.netlink import ROUTE_PROTOCOL
from minikube_py.network.io.path_kernel import Pass, PathKernel
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.network.link_events import LINK_GROUPS, concerns
from minikube_py.network.peer_paths import describe_paths
from minikube_py.network.peers import list_peers, read_peer

log = logging.getLogger("network")

SETTLE_S = 0.05
"""After a change, for those that come with it; also the least time between two passes."""
RETRY_S = 5.0
DATAGRAM_BYTES_MAX = 1 << 16


class PeerLoop:
    """Keeps the ways to all other nodes' pods right (upstream: flannel's subnet watch)."""

    def __init__(self, config: NetworkConfig, informers: Informers, clock: Clock, network: BridgePodNetwork) -> None:
        self._config = config
        self._clock = clock
        self._network = network
        self._nodes = informers.informer(NODES)
        self._wake = asyncio.Event()
        self._links: frozenset[int] = frozenset()
        self._mtu = 0
        self._described: Mapping[str, str] = {}
        self._said: frozenset[str] = frozenset()
        self._nodes.subscribe(self._on_node)

    async def run(self) -> None:
        """Follow the other nodes for ever."""
        await self._nodes.wait_synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_kernel(), name="network-monitor")
            group.create_task(self._look_regularly(), name="network-look")
            while True:
                pause_s = SETTLE_S if await self._sync() else RETRY_S
                await self._clock.sleep(pause_s)
                if pause_s == SETTLE_S:
                    await self._wake.wait()
                    await self._clock.sleep(SETTLE_S)

    def _on_node(self, change: Change) -> None:
        # Nodes report their condition all the time; only what is read here matters.
        old, new = (read_peer(node) if node is not None else None for node in (change.old, change.new))
        if old != new:
            self._wake.set()

    async def _sync(self) -> bool:
        """Make one pass; return whether everything is as it shall be."""
        self._wake.clear()
        listed = list_peers(self._nodes.list(), self._config)
        try:
            done = await self._network.netlink.run(lambda rt: PathKernel(rt, self._config).sync(listed.peers))
            self._links = done.links
            if done.paths.mtu != self._mtu:
                await self._network.use_mtu(done.paths.mtu)
                self._mtu = done.paths.mtu
        except OSError as error:
            self._say([f"the pod network does not reach other nodes: {error}"])
            return False
        self._tell(done)
        notes = [note.message for note in (*listed.notes, *done.paths.notes)]
        self._say([*notes, *(str(fault) for fault in done.faults)])
        return not done.faults

    def _tell(self, done: Pass) -> None:
        described = describe_paths(done.paths)
        for name, way in described.items():
            if self._described.get(name) != way:
                log.info("pods of node %s: %s", name, way)
        for name in self._described.keys() - described.keys():
            log.info("pods of node %s: no way any more", name)
        self._described = described

    def _say(self, messages: list[str]) -> None:
        """Log each message when it is new, not at every pass."""
        for message in messages:
            if message not in self._said:
                log.warning("%s", message)
        self._said = frozenset(messages)

    async def _look_regularly(self) -> None:
        while True:
            await self._clock.sleep(self._config.repair_interval_s)
            self._wake.set()

    async def _watch_kernel(self) -> None:
        try:
            monitor = open_netlink_monitor(socket.NETLINK_ROUTE, LINK_GROUPS)
        except OSError as error:
            log.warning(
                "cannot watch links, they are looked at every %g s: %s", self._config.repair_interval_s, error
            )
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(monitor, self._read_notifications, monitor)
        try:
            await loop.create_future()
        finally:
            loop.remove_reader(monitor)
            monitor.close()

    def _read_notifications(self, monitor: socket.socket) -> None:
        try:
            while True:
                if concerns(monitor.recv(DATAGRAM_BYTES_MAX), self._links, ROUTE_PROTOCOL):
                    self._wake.set()
        except BlockingIOError:
            return
        except OSError:
            # ENOBUFS: more notifications than the buffer holds.
            self._wake.set()
