"""Which of a host's addresses is its own towards others, when nobody says so.

The address of the way to the others is right, but for one trap: the first network card of a VirtualBox or QEMU
machine is behind a NAT of its own and has 10.0.2.15 on every one of them (k3s#72). Then another card is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

NAT_ADDRESS = "10.0.2.15"
_NAT_NETWORK = IPv4Network("10.0.2.0/24")
_NO_CARDS = ("br-", "cali", "cni", "docker", "flannel", "lo", "mkpy", "podman", "tun", "veth", "virbr", "wg")
"""How names of links begin that lead to containers or tunnels, not to other hosts."""


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An IPv4 address of this host."""

    link: str
    address: str


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """What was chosen, and why, in words for the log; an empty address when the host has none."""

    address: str
    reason: str


def choose_own_address(routed: str, way: str, addresses: Sequence[LinkAddress]) -> OwnAddress:
    """Return this host's own address.

    Args:
        routed: the source address of the way to the others; empty when there is none.
        way: what that way is, in words.
        addresses: all addresses, in the order of the links.
    """
    if routed != NAT_ADDRESS:
        return OwnAddress(routed, f"it is that of {way}")
    others = [entry for entry in addresses if _is_of_a_card(entry)]
    # Those of a private network, where the other machines are, before one to the world.
    others.sort(key=lambda entry: not IPv4Address(entry.address).is_private)
    if not others:
        return OwnAddress(
            routed, f"it is that of {way}, though every VirtualBox machine has it; --node-ip sets another"
        )
    chosen = others[0]
    return OwnAddress(
        chosen.address, f"it is that of {chosen.link}; {way} has {routed}, as on every VirtualBox machine"
    )


def _is_of_a_card(entry: LinkAddress) -> bool:
    address = IPv4Address(entry.address)
    usable = not (address.is_loopback or address.is_link_local or address in _NAT_NETWORK)
    return usable and not entry.link.startswith(_NO_CARDS)
