"""How this node's pods reach those of each other node: by a route, through the tunnel, or not at all.

`auto` takes a route where the other node's address is on the very link that has this node's own, and the tunnel
everywhere else. That test gives the same answer on both ends, where "some link leads there without a gateway" would
not: a host with two network cards would send by a route to one that answers through a tunnel. Every pod gets the
least MTU of all ways, the way to the outside included. Upstream: flannel's vxlan backend with DirectRouting.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from minikube_py.kit.notes import Note
from minikube_py.network.config import NetworkConfig
from minikube_py.network.links import mac_of
from minikube_py.network.peers import Peer
from minikube_py.network.vxlan import OVERHEAD_BYTES, Tunnel, inner_address, this_end

Way = Literal["direct", "vxlan", "none"]


@dataclass(frozen=True, slots=True)
class Underlay:
    """The link that has this node's address, and the network that this address is of."""

    link: int
    mtu: int
    network: IPv4Network


@dataclass(frozen=True, slots=True)
class NextHop:
    """How this host reaches another node's address: by which link, and through which gateway (empty: none)."""

    link: int
    mtu: int
    gateway: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A range of pods behind a gateway on a link; `onlink`: the gateway need not be in a network of the link."""

    destination: str
    gateway: str
    link: int
    onlink: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Neighbour:
    """A far end's address inside the tunnel, and its MAC."""

    address: str
    mac: str


@dataclass(frozen=True, slots=True, order=True)
class FarEnd:
    """A far end's MAC, and the node's address to which packets for it are sent."""

    mac: str
    node_ip: str


Entry = Route | Neighbour | FarEnd


@dataclass(frozen=True, slots=True)
class PathEntries:
    """What stands in the kernel, or shall."""

    routes: frozenset[Route] = frozenset()
    neighbours: frozenset[Neighbour] = frozenset()
    far_ends: frozenset[FarEnd] = frozenset()


@dataclass(frozen=True, slots=True)
class PeerPaths:
    """The ways to all other nodes."""

    direct: tuple[tuple[Peer, int], ...]
    """Nodes reached by a route, each with the link."""
    tunnel: Tunnel | None
    tunnelled: tuple[Peer, ...]
    mtu: int
    """What every pod's link gets."""
    notes: tuple[Note, ...] = ()


def compute_paths(
    peers: Iterable[Peer], hops: Mapping[str, NextHop], underlay: Underlay, config: NetworkConfig
) -> PeerPaths:
    """Return the ways; `hops` has the next hop for each peer's address that this host has a route to."""
    peers = tuple(peers)
    ways = {peer: choose_way(peer, hops.get(peer.address), underlay, config) for peer in peers}
    direct = tuple((peer, hops[peer.address].link) for peer in peers if ways[peer] == "direct")
    tunnelled = tuple(peer for peer in peers if ways[peer] == "vxlan")
    tunnel = None
    mtus = [underlay.mtu, *(hops[peer.address].mtu for peer, _ in direct)]
    if tunnelled or config.pod_network == "vxlan":
        under = [underlay.mtu, *(hops[peer.address].mtu for peer in tunnelled if peer.address in hops)]
        tunnel = this_end(config, min(under) - OVERHEAD_BYTES)
        mtus.append(tunnel.mtu)
    notes = tuple(
        Note("warning", f"no way to the pods of node {peer.name}: {_why_none(peer, hops)}")
        for peer in peers
        if ways[peer] == "none"
    )
    return PeerPaths(direct, tunnel, tunnelled, min(mtus), notes)


def choose_way(peer: Peer, hop: NextHop | None, underlay: Underlay, config: NetworkConfig) -> Way:
    """Return the way to a node; `hop` is None when this host has no route to its address.

    Without a route the answer is the one that holds when there is one again: a link that is down for a moment makes
    no tunnel.
    """
    is_near = hop is not None and not hop.gateway
    if config.pod_network == "direct":
        return "direct" if is_near else "none"
    if config.pod_network == "auto":
        if hop is None and IPv4Address(peer.address) in underlay.network:
            return "none"
        if hop is not None and is_near and hop.link == underlay.link:
            return "direct"
    return "vxlan"


def _why_none(peer: Peer, hops: Mapping[str, NextHop]) -> str:
    if peer.address not in hops:
        return f"this host has no route to its address {peer.address}"
    return f"its address {peer.address} is behind a router; use --pod-network auto or vxlan on every node"


def wanted_entries(paths: PeerPaths, tunnel_index: int | None) -> PathEntries:
    """Return what the kernel shall have; without a tunnel (None) only the routes past it."""
    routes = {Route(peer.pod_cidr, peer.address, link) for peer, link in paths.direct}
    neighbours: set[Neighbour] = set()
    far_ends: set[FarEnd] = set()
    for peer in paths.tunnelled if tunnel_index is not None else ():
        assert tunnel_index is not None
        inside = inner_address(peer.pod_cidr)
        routes.add(Route(peer.pod_cidr, inside, tunnel_index, onlink=True))
        neighbours.add(Neighbour(inside, mac_of(inside)))
        far_ends.add(FarEnd(mac_of(inside), peer.address))
    return PathEntries(frozenset(routes), frozenset(neighbours), frozenset(far_ends))


@dataclass(frozen=True, slots=True)
class Put:
    """Make this entry stand, in the place of one for the same destination, address or MAC."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Remove:
    """Take this entry away."""

    entry: Entry


PathChange = Put | Remove


def diff_entries(found: PathEntries, wanted: PathEntries) -> tuple[PathChange, ...]:
    """Return what makes `found` into `wanted`, in this order: a route never leads to a far end that is not known."""
    kept = {route.destination for route in wanted.routes}
    stale_routes = [route for route in found.routes - wanted.routes if route.destination not in kept]
    return (
        *map(Remove, sorted(stale_routes)),
        *map(Remove, sorted(found.far_ends - wanted.far_ends)),
        *map(Remove, sorted(found.neighbours - wanted.neighbours)),
        *map(Put, sorted(wanted.neighbours - found.neighbours)),
        *map(Put, sorted(wanted.far_ends - found.far_ends)),
        *map(Put, sorted(wanted.routes - found.routes)),
    )


def describe_paths(paths: PeerPaths) -> Mapping[str, str]:
    """Return for each node, by name, how its pods are reached: what the log says when it changes."""
    direct = {peer.name: f"{peer.pod_cidr} by a route via {peer.address}" for peer, _ in paths.direct}
    return direct | {peer.name: f"{peer.pod_cidr} through a tunnel to {peer.address}" for peer in paths.tunnelled}
