"""The tunnel to nodes that share no link with this one: one VXLAN device, and what is known of the far ends.

Nothing is learned and nothing is broadcast: the kernel is told which far end each node's range lies behind. A far
end's address inside the tunnel is the first of its node's pod range, and its MAC is made of that address, so Node
objects as they are say everything; no annotation is exchanged, and an address that changes only moves a far end.
Upstream: flannel's vxlan backend.
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network

from minikube_py.network.config import NetworkConfig
from minikube_py.network.links import mac_of

OVERHEAD_BYTES = 50
"""Ethernet inside (14), VXLAN (8), UDP (8) and IPv4 outside (20)."""
_MENDED_KERNELS = ((5, 6, 13), (5, 4, 41), (4, 19, 123), (4, 14, 181))


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The device as it shall be."""

    name: str
    vni: int
    port: int
    local: str
    """This node's address, from which it sends."""
    address: str
    """Its address inside the tunnel, with a prefix of 32."""
    mac: str
    mtu: int


@dataclass(frozen=True, slots=True)
class FoundTunnel:
    """The link of that name as the kernel shows it; `vni` is None when it is no VXLAN device."""

    index: int
    vni: int | None
    port: int
    local: str
    learning: bool
    mac: str
    mtu: int
    up: bool


class TunnelStep(Enum):
    """What the device needs."""

    MAKE = "make"
    REPLACE = "replace"
    SET = "set"
    NOTHING = "nothing"


def this_end(config: NetworkConfig, mtu: int) -> Tunnel:
    """Return this node's device."""
    address = inner_address(config.pod_cidr)
    return Tunnel(config.tunnel, config.vxlan_id, config.vxlan_port, config.node_ip, address, mac_of(address), mtu)


def inner_address(pod_cidr: str) -> str:
    """Return the address inside the tunnel of the node with that range: the range's first, which no pod gets."""
    return str(IPv4Network(pod_cidr).network_address)


def plan_tunnel(found: FoundTunnel | None, wanted: Tunnel) -> TunnelStep:
    """Return what makes the device right; what it was made with cannot be changed, MAC, MTU and state can."""
    if found is None:
        return TunnelStep.MAKE
    if (found.vni, found.port, found.local, found.learning) != (wanted.vni, wanted.port, wanted.local, False):
        return TunnelStep.REPLACE
    if (found.mac, found.mtu, found.up) != (wanted.mac, wanted.mtu, True):
        return TunnelStep.SET
    return TunnelStep.NOTHING


def breaks_checksums(kernel_release: str) -> bool:
    """Return whether this kernel sends wrong UDP checksums for packets that are masqueraded and tunnelled.

    Seen as connections over a Service that take 1, 3 or 63 s. The device's checksum offload is then switched off.
    Mended in 5.7 and in the stable kernels listed; distributions' 3.10 and others never got it (kubernetes#88986).
    """
    numbers = kernel_release.partition("-")[0].split(".")
    version = tuple(int(number) for number in numbers[:3] if number.isdecimal())
    if version >= (5, 7):
        return False
    return not any(version[:2] == mended[:2] and version >= mended for mended in _MENDED_KERNELS)
