"""Settings of the pod network: every name and number that the kernel will see derives from here.

Several agents may run on one machine, each in a network namespace of its own; inside one namespace two agents would
need different bridge and table names, which is why neither is a constant elsewhere.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

BackEnd = Literal["nftables", "iptables"]
PodNetworkMode = Literal["auto", "direct", "vxlan"]


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """What this node's part of the pod network looks like (upstream: a CNI configuration)."""

    pod_cidr: str = "10.244.0.0/24"
    """This node's slice (Node.spec.podCIDR); the first address is the gateway on the bridge."""
    cluster_cidr: str = "10.244.0.0/16"
    """All pods of the cluster: traffic inside it keeps its source address."""
    service_cidr: str = "10.96.0.0/16"
    """Cluster IPs: routed to the bridge, so that a host without a default route can reach Services too."""
    local_addresses: tuple[str, ...] = ("10.96.0.10",)
    """Further addresses bound on the bridge as /32: the cluster DNS address."""
    node_name: str = ""
    """This node's name; the other Nodes are its peers."""
    node_ip: str = ""
    """This node's address: the link that has it leads to the other nodes."""
    pod_network: PodNetworkMode = "auto"
    """How pods of other nodes are reached (upstream: flannel's backend)."""
    vxlan_port: int = 8472
    """The tunnel's UDP port: what Linux and flannel take (IANA's 4789 is Docker's own overlay's on many hosts)."""
    vxlan_id: int = 107
    """The tunnel's number: not flannel's 1, so that a left-over of it is no hindrance."""
    tunnel: str = "mkpy-vxlan"
    """The tunnel device's name, at most 15 bytes."""
    bridge: str = "mkpy0"
    """The bridge's name, at most 15 bytes."""
    mtu: int = 1500
    """MTU in bytes of bridge, veth pairs and pods' eth0 until the ways to the other nodes are known."""
    back_end: BackEnd = "nftables"
    """What the egress masquerade is made with; the other one's is taken away."""
    table: str = "minikube-py-network"
    """The nftables table (family ip) that holds the egress masquerade."""
    repair_interval_s: float = 30.0
    """How often foreign changes of links, sysctls and firewall rules are looked for and mended."""
    quarantine_s: float = 60.0
    """How long a freed address rests, so that no stale connection or ARP entry reaches a new pod."""

    @property
    def gateway(self) -> str:
        """Return the bridge's own address: the first of the pod CIDR."""
        return str(IPv4Network(self.pod_cidr)[1])

    @property
    def prefix_length(self) -> int:
        """Return the length of the pod CIDR's prefix."""
        return IPv4Network(self.pod_cidr).prefixlen
