"""Routes, tunnel, neighbours and far ends in the kernel: what stands, and making it what shall stand.

Everything here runs in the net thread (`Netlink.run`). One pass reads and changes; whatever somebody else deleted or
changed meanwhile, the next pass finds. What goes wrong with one node or with the tunnel stops nothing else.
"""

import errno
import logging
import platform
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any

from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.checksum_offload import has_checksum_offload, switch_off_checksum_offload
from minikube_py.network.io.netlink import MAIN_TABLE, ROUTE_PROTOCOL, LinkError, RtNetlink, refusals, tolerate
from minikube_py.network.peer_paths import (
    Entry,
    FarEnd,
    Neighbour,
    NextHop,
    PathChange,
    PathEntries,
    PeerPaths,
    Put,
    Remove,
    Route,
    Underlay,
    compute_paths,
    diff_entries,
    wanted_entries,
)
from minikube_py.network.peers import Peer
from minikube_py.network.vxlan import FoundTunnel, Tunnel, TunnelStep, breaks_checksums, plan_tunnel

log = logging.getLogger("network")

RTN_UNICAST = 1
RTNH_F_ONLINK = 4
NUD_PERMANENT = 0x80
NUD_PERMANENT_WITHOUT_ARP = 0xC0
NTF_SELF = 2
_REASONS = {
    errno.EOPNOTSUPP: "this kernel has no VXLAN; load the module vxlan, or use --pod-network direct on every node",
    errno.EADDRINUSE: "another program has the UDP port {port}; use another --vxlan-port on every node",
    errno.EEXIST: "another device has the tunnel's number {vni} on the UDP port {port}; use another --vxlan-port",
}


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found out."""

    paths: PeerPaths
    links: frozenset[int]
    """The links whose changes matter."""
    faults: tuple[LinkError, ...]
    """What the kernel refused."""


class PathKernel:
    """The ways to other nodes, as this host's kernel has them."""

    def __init__(self, rt: RtNetlink, config: NetworkConfig) -> None:
        self._rt = rt
        self._ipr: Any = rt.ipr
        self._config = config
        self._faults: list[LinkError] = []

    def sync(self, peers: Sequence[Peer]) -> Pass:
        """Make the ways to these nodes, and those only, stand.

        Raises:
            LinkError: this host has no link with the node's address (yet).
        """
        underlay = self._underlay()
        hops = {peer.address: hop for peer in peers if (hop := self._next_hop(peer.address)) is not None}
        paths = compute_paths(peers, hops, underlay, self._config)
        index = self._ensure_tunnel(paths.tunnel) if paths.tunnel is not None else None
        self._apply(diff_entries(self._entries(index), wanted_entries(paths, index)), index)
        if paths.tunnel is None:
            self._rt.delete_link(self._config.tunnel)
        links = {underlay.link, *(hop.link for hop in hops.values()), *(() if index is None else (index,))}
        return Pass(paths, frozenset(links), tuple(self._faults))

    def remove(self) -> None:
        """Take every way to other nodes away (`minikube-py down`)."""
        self._apply(diff_entries(self._entries(None), PathEntries()), None)
        self._rt.delete_link(self._config.tunnel)
        for fault in self._faults:
            raise fault

    def _underlay(self) -> Underlay:
        for message in self._ipr.addr("dump", family=socket.AF_INET):
            if message.get("address") == self._config.node_ip:
                index = int(message["index"])
                network = IPv4Interface(f"{self._config.node_ip}/{message['prefixlen']}").network
                return Underlay(index, self._mtu_of(index), network)
        raise LinkError(errno.EADDRNOTAVAIL, f"this node's address {self._config.node_ip} is on no link")

    def _mtu_of(self, index: int) -> int:
        return int(self._ipr.link("get", index=index)[0].get("mtu"))

    def _next_hop(self, address: str) -> NextHop | None:
        with tolerate(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL):
            found = self._ipr.route("get", dst=address)[0]
            if found["type"] == RTN_UNICAST:
                index = int(found.get("oif"))
                return NextHop(index, self._mtu_of(index), str(found.get("gateway") or ""))
        return None

    def _ensure_tunnel(self, wanted: Tunnel) -> int | None:
        """Return the device's index, or None when the kernel refuses it."""
        with self._collecting():
            try:
                with refusals():
                    return self._make_tunnel(wanted)
            except LinkError as error:
                reason = _REASONS.get(error.errno or 0, str(error)).format(port=wanted.port, vni=wanted.vni)
                raise LinkError(error.errno, f"no tunnel to other nodes: {reason}") from error
        return None

    def _make_tunnel(self, wanted: Tunnel) -> int:
        found = self._found_tunnel()
        step = plan_tunnel(found, wanted)
        if step is TunnelStep.REPLACE:
            log.warning("link %s is not as it should be, making it anew", wanted.name)
            self._rt.delete_link(wanted.name)
        if step in (TunnelStep.MAKE, TunnelStep.REPLACE):
            self._ipr.link(
                "add",
                ifname=wanted.name,
                kind="vxlan",
                vxlan_id=wanted.vni,
                vxlan_port=wanted.port,
                vxlan_local=wanted.local,
                vxlan_learning=False,
                address=wanted.mac,
                mtu=wanted.mtu,
            )
            found = self._found_tunnel()
        assert found is not None
        if step is not TunnelStep.NOTHING:
            self._ipr.link("set", index=found.index, address=wanted.mac, mtu=wanted.mtu, state="up")
        if breaks_checksums(platform.release()) and has_checksum_offload(wanted.name):
            switch_off_checksum_offload(wanted.name)
        self._rt.reconcile_addresses(found.index, frozenset({(wanted.address, 32)}))
        return found.index

    def _found_tunnel(self) -> FoundTunnel | None:
        link = self._rt.link(self._config.tunnel)
        if link is None:
            return None
        info = self._ipr.link("get", index=link.index)[0].get("linkinfo")
        if info is None or info.get("kind") != "vxlan":
            return FoundTunnel(link.index, None, 0, "", False, link.mac, link.mtu, link.up)
        data = info.get("data")
        return FoundTunnel(
            index=link.index,
            vni=int(data.get("vxlan_id")),
            port=int(data.get("vxlan_port")),
            local=str(data.get("vxlan_local")),
            learning=bool(data.get("vxlan_learning")),
            mac=link.mac,
            mtu=link.mtu,
            up=link.up,
        )

    def _entries(self, tunnel_index: int | None) -> PathEntries:
        routes = frozenset(
            Route(
                f"{message.get('dst')}/{message['dst_len']}",
                str(message.get("gateway")),
                int(message.get("oif")),
                bool(message["flags"] & RTNH_F_ONLINK),
            )
            for message in self._ipr.route("dump", family=socket.AF_INET)
            if message["proto"] == ROUTE_PROTOCOL and message["table"] == MAIN_TABLE and message.get("gateway")
        )
        if tunnel_index is None:
            return PathEntries(routes)
        neighbours = self._ipr.neigh("dump", family=socket.AF_INET, ifindex=tunnel_index)
        far_ends = self._ipr.fdb("dump", ifindex=tunnel_index)
        return PathEntries(
            routes,
            frozenset(
                Neighbour(str(message.get("dst")), str(message.get("lladdr")))
                for message in neighbours
                if message["state"] == NUD_PERMANENT
            ),
            frozenset(FarEnd(str(message.get("lladdr")), str(message.get("dst"))) for message in far_ends),
        )

    def _apply(self, changes: Sequence[PathChange], tunnel_index: int | None) -> None:
        for change in changes:
            with self._collecting():
                match change:
                    case Put():
                        self._put(change.entry, tunnel_index)
                    case Remove():
                        self._remove(change.entry, tunnel_index)

    def _put(self, entry: Entry, tunnel_index: int | None) -> None:
        ipr = self._ipr
        match entry:
            case Route():
                onlink = RTNH_F_ONLINK if entry.onlink else 0
                where = {"gateway": entry.gateway, "oif": entry.link, "flags": onlink}
                ipr.route("replace", dst=entry.destination, proto=ROUTE_PROTOCOL, **where)
            case Neighbour():
                ipr.neigh("replace", dst=entry.address, lladdr=entry.mac, ifindex=tunnel_index, state=NUD_PERMANENT)
            case FarEnd():
                # pyroute2 fills in state and flags for "add" only.
                fixed = {"state": NUD_PERMANENT_WITHOUT_ARP, "flags": NTF_SELF}
                ipr.fdb("replace", ifindex=tunnel_index, lladdr=entry.mac, dst=entry.node_ip, **fixed)

    def _remove(self, entry: Entry, tunnel_index: int | None) -> None:
        ipr = self._ipr
        with tolerate(errno.ESRCH, errno.ENOENT):
            match entry:
                case Route():
                    ipr.route("del", dst=entry.destination, oif=entry.link, proto=ROUTE_PROTOCOL)
                case Neighbour():
                    ipr.neigh("del", dst=entry.address, ifindex=tunnel_index)
                case FarEnd():
                    ipr.fdb("del", ifindex=tunnel_index, lladdr=entry.mac, dst=entry.node_ip)

    @contextmanager
    def _collecting(self) -> Iterator[None]:
        """Keep what the kernel refuses, so that the rest goes on."""
        try:
            with refusals():
                yield
        except LinkError as error:
            self._faults.append(error)
