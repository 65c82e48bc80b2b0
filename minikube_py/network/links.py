"""How a pod is wired: names, MAC addresses and the marks by which a link is recognised after a restart.

The kernel is the only record of which pod is attached: the host end of each veth pair carries pod uid and address in
its alias, the bridge's alias remembers where round robin stood. Both vanish with the network namespace, exactly when
they lose their meaning. The pod has a /32 with a link route to the gateway, so all its traffic passes the node's IP
layer: un-NAT and policies work whether or not br_netfilter is active (design notes: pod network).
"""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address

HOST_END_PREFIX = "veth"
"""NetworkManager leaves interfaces with this prefix alone."""
POD_END = "eth0"
NAME_BYTES_MAX = 15
_POD_ALIAS = "minikube-py pod"
_BRIDGE_ALIAS = "minikube-py bridge last="


@dataclass(frozen=True, slots=True)
class PodLink:
    """One veth pair: everything that is decided before the kernel is asked."""

    pod_uid: str
    address: str
    host_end: str
    mac: str
    alias: str


@dataclass(frozen=True, slots=True)
class PodLinkRecord:
    """What a host end's alias says."""

    pod_uid: str
    address: str


def plan_pod_link(pod_uid: str, address: str) -> PodLink:
    """Return the link for a pod: the same input always gives the same names."""
    return PodLink(
        pod_uid=pod_uid,
        address=address,
        host_end=host_end_name(pod_uid),
        mac=mac_of(address),
        alias=f"{_POD_ALIAS} {pod_uid} {address}",
    )


def host_end_name(pod_uid: str) -> str:
    """Return the interface name of the host end: 15 bytes, 44 bits of the uid's hash."""
    return HOST_END_PREFIX + sha256(pod_uid.encode()).hexdigest()[: NAME_BYTES_MAX - len(HOST_END_PREFIX)]


def mac_of(address: str) -> str:
    """Return the MAC of an address: fixed, so that a re-used address needs no new ARP entry anywhere."""
    return "0a:58:" + IPv4Address(address).packed.hex(":")


def parse_pod_alias(alias: str | None) -> PodLinkRecord | None:
    """Return what the alias of a host end says, None when it is not ours or half-made."""
    parts = (alias or "").split(" ")
    if len(parts) != 4 or " ".join(parts[:2]) != _POD_ALIAS:
        return None
    return PodLinkRecord(parts[2], parts[3])


def bridge_alias(last_allocated: str) -> str:
    """Return the bridge's alias: where round robin stands."""
    return _BRIDGE_ALIAS + last_allocated


def parse_bridge_alias(alias: str | None) -> str | None:
    """Return where round robin stood, None when the alias is not ours."""
    text = alias or ""
    return text.removeprefix(_BRIDGE_ALIAS) if text.startswith(_BRIDGE_ALIAS) else None
