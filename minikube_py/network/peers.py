"""Who the other nodes are, as the pod network needs them: out of Node objects, with what is wrong with these.

A Node object is written by others, so nothing of it is believed that would move packets which are not that node's: a
range outside the cluster's, one that overlaps this node's or that an earlier node (by name) has, this node's own
address. Upstream: flannel's subnet manager on the Kubernetes API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from minikube_py.api.meta import Obj, name_of
from minikube_py.kit.notes import Note
from minikube_py.network.config import NetworkConfig


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node: its name, its address, and the range of its pods."""

    name: str
    address: str
    pod_cidr: str


@dataclass(frozen=True, slots=True)
class PeerList:
    """The other nodes, sorted by name, and what is to be said of those that are left out."""

    peers: tuple[Peer, ...]
    notes: tuple[Note, ...] = ()


def read_peer(node: Obj) -> Peer | None:
    """Return what a Node says of itself; None when it has no range or no IPv4 address yet."""
    pod_cidr = str((node.get("spec") or {}).get("podCIDR") or "")
    for entry in (node.get("status") or {}).get("addresses") or ():
        if entry.get("type") == "InternalIP" and _is_address(str(entry.get("address"))):
            return Peer(name_of(node), str(entry["address"]), pod_cidr) if pod_cidr else None
    return None


def list_peers(nodes: Iterable[Obj], config: NetworkConfig) -> PeerList:
    """Return the nodes beside this one."""
    peers: list[Peer] = []
    notes: list[Note] = []
    taken = _TakenRanges()
    taken.add(IPv4Network(config.pod_cidr), config.node_name)
    found = (read_peer(node) for node in nodes if name_of(node) != config.node_name)
    for peer in sorted((p for p in found if p is not None), key=lambda p: p.name):
        fault = _fault_of(peer, config, taken)
        if fault:
            notes.append(Note("warning", f"node {peer.name} is left out of the pod network: {fault}"))
        else:
            taken.add(IPv4Network(peer.pod_cidr), peer.name)
            peers.append(peer)
    return PeerList(tuple(peers), tuple(notes))


class _TakenRanges:
    """Who has which range, none within another: whether one more overlaps costs the same among thousands."""

    def __init__(self) -> None:
        self._holders: dict[tuple[int, int], tuple[IPv4Network, str]] = {}
        """By address and length of each range that holds a taken one, itself included: the first that it holds."""

    def add(self, taken: IPv4Network, name: str) -> None:
        """Note that a node has a range which overlaps none before."""
        for length in range(taken.prefixlen + 1):
            self._holders.setdefault(_prefix(taken, length), (taken, name))

    def find_overlap(self, wanted: IPv4Network) -> tuple[IPv4Network, str] | None:
        """Return a taken range that overlaps, and who has it."""
        inside = self._holders.get(_prefix(wanted, wanted.prefixlen))
        if inside is not None:
            return inside
        for length in range(wanted.prefixlen):
            found = self._holders.get(_prefix(wanted, length))
            if found is not None and found[0].prefixlen == length:
                return found
        return None


def _prefix(network: IPv4Network, length: int) -> tuple[int, int]:
    return int(network.network_address) >> (32 - length), length


def _fault_of(peer: Peer, config: NetworkConfig, taken: _TakenRanges) -> str:
    try:
        pods = IPv4Network(peer.pod_cidr)
    except ValueError as error:
        return f"spec.podCIDR: {error}"
    if not pods.subnet_of(IPv4Network(config.cluster_cidr)):
        return f"its pod range {pods} is not inside the cluster's, {config.cluster_cidr}"
    if peer.address == config.node_ip:
        return f"it has this node's address, {peer.address}; give each node its own with --node-ip"
    overlapped = taken.find_overlap(pods)
    if overlapped is not None:
        other, name = overlapped
        return f"its pod range {pods} overlaps that of node {name}, {other}"
    return ""


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
