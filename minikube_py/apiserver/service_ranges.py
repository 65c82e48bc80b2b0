"""From where Services get addresses and node ports, and which free one it is.

Addresses come from every ServiceCIDR that is ready; the range that the server is configured with is one of them.
What nobody asks for by name is taken from the upper part of a range first: the lower part stays free longest, for
those who choose an address or a port themselves.

Upstream: registry/core/service/ipallocator (cidrallocator.go, ipallocator.go) and portallocator.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Protocol

from minikube_py.api.meta import is_deleting

_RANDOM_TRIES_MAX = 16
"""So many random numbers are tried before a range is searched from a random start."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """From where addresses and ports are given."""

    networks: tuple[IPv4Network, ...]
    first_node_port: int
    last_node_port: int
    reserved: frozenset[str] = frozenset()
    """Addresses that are given only when asked for by name (the cluster DNS)."""

    def usable(self, address: IPv4Address) -> bool:
        """Return whether an address may be given: it is in a range, and neither network nor broadcast address."""
        return any(
            address in network and address not in (network.network_address, network.broadcast_address)
            for network in self.networks
        )


class Taken(Protocol):
    """What all other Services hold, those just being written included."""

    def has_ip(self, ip: str) -> bool:
        """Return whether somebody has this address."""
        ...

    def has_port(self, number: int) -> bool:
        """Return whether somebody has this node port."""
        ...


class Rng(Protocol):
    """What allocation needs of random.Random."""

    def randrange(self, stop: int, /) -> int:
        """Return a number from 0 to stop - 1."""
        ...


def ready_networks(service_cidrs: Iterable[Mapping[str, Any]], configured: IPv4Network) -> tuple[IPv4Network, ...]:
    """Return the ranges that addresses may be given from.

    Args:
        service_cidrs: all ServiceCIDRs; one that says nothing about itself is ready.
        configured: the server's own range, which stands until its ServiceCIDR says otherwise.
    """
    ready = {configured: True}
    told: dict[IPv4Network, bool] = {}
    for service_cidr in service_cidrs:
        for text in (service_cidr.get("spec") or {}).get("cidrs") or ():
            if ":" not in text:
                network = IPv4Network(text)
                told[network] = told.get(network, False) or _is_ready(service_cidr)
    ready |= told
    return tuple(sorted(network for network, is_ready in ready.items() if is_ready))


def _is_ready(service_cidr: Mapping[str, Any]) -> bool:
    conditions = (service_cidr.get("status") or {}).get("conditions") or ()
    status = next((condition.get("status") for condition in conditions if condition.get("type") == "Ready"), "True")
    return bool(status == "True") and not is_deleting(service_cidr)


def free_ip(taken: Taken, ranges: Ranges, rng: Rng) -> str:
    """Return a free address; empty: there is none. Large ranges are as much more likely as they are larger."""
    for network in _in_turn(ranges.networks, rng):
        first = int(network.network_address) + 1
        size = max(0, network.num_addresses - 2)
        static = _static_part(network.num_addresses, 256, 16)
        for offset in _offsets(size, static, rng):
            candidate = str(IPv4Address(first + offset))
            if not taken.has_ip(candidate) and candidate not in ranges.reserved:
                return candidate
    return ""


def free_port(taken: Taken, asked: Set[int], ranges: Ranges, rng: Rng) -> int:
    """Return a port that nobody has and the same Service does not ask for elsewhere; 0: there is none."""
    size = ranges.last_node_port - ranges.first_node_port + 1
    for offset in _offsets(size, _static_part(size, 128, 32), rng):
        number = ranges.first_node_port + offset
        if number not in asked and not taken.has_port(number):
            return number
    return 0


def _in_turn(networks: tuple[IPv4Network, ...], rng: Rng) -> Iterator[IPv4Network]:
    left = list(networks)
    while left:
        at = rng.randrange(sum(network.num_addresses for network in left)) if len(left) > 1 else 0
        for index, network in enumerate(left):
            at -= network.num_addresses
            if at < 0:
                yield left.pop(index)
                break


def _static_part(size: int, most: int, step: int) -> int:
    """Return how many numbers at the start are given last (upstream: calculateRangeOffset)."""
    least = 16
    return 0 if size <= least else min(max(least, size // step), most)


def _offsets(size: int, static: int, rng: Rng) -> Iterator[int]:
    """Yield every number below `size`, some more than once: at random first, the first `static` ones last."""
    upper = size - static
    if upper <= 0:
        yield from range(size)
        return
    for _ in range(_RANDOM_TRIES_MAX):
        yield static + rng.randrange(upper)
    start = rng.randrange(upper)
    yield from (static + (start + step) % upper for step in range(upper))
    if static:
        start = rng.randrange(static)
        yield from ((start + step) % static for step in range(static))
