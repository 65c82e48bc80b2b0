"""Whom to ask for names outside the cluster, and in which order."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

DNS_PORT = 53
UPSTREAMS_MAX = 8
REST_AFTER_FAILURE_S = 10.0
"""An upstream that did not answer is asked last for that long."""


@dataclass(frozen=True, slots=True, order=True)
class Upstream:
    """A server to ask."""

    address: str
    port: int = DNS_PORT


def parse_resolv_conf(text: str, own_addresses: Collection[str]) -> tuple[Upstream, ...]:
    """Return the name servers of a resolv.conf, at most UPSTREAMS_MAX.

    Our own addresses are left out: the host may use the cluster DNS, and a query must not come back to us.
    """
    servers = (
        line.split()[1] for line in text.splitlines() if line.startswith("nameserver") and len(line.split()) > 1
    )
    return _usable(servers, own_addresses)


def parse_upstreams(texts: Iterable[str], own_addresses: Collection[str]) -> tuple[Upstream, ...]:
    """Return the servers of a setting; what is no IPv4 address is left out."""
    return _usable(texts, own_addresses)


def order_upstreams(
    upstreams: tuple[Upstream, ...], failed_at_s: Mapping[Upstream, float], now_s: float
) -> tuple[Upstream, ...]:
    """Return the order in which to ask: as configured, but those that failed lately last."""
    resting = {u for u in upstreams if now_s - failed_at_s.get(u, -REST_AFTER_FAILURE_S) < REST_AFTER_FAILURE_S}
    return tuple(sorted(upstreams, key=lambda upstream: upstream in resting))


def _usable(texts: Iterable[str], own_addresses: Collection[str]) -> tuple[Upstream, ...]:
    found = (upstream for text in texts if (upstream := _parse(text)) is not None)
    return tuple(dict.fromkeys(u for u in found if u.address not in own_addresses))[:UPSTREAMS_MAX]


def _parse(text: str) -> Upstream | None:
    address, separator, port = text.partition(":")
    try:
        return Upstream(str(IPv4Address(address)), int(port) if separator else DNS_PORT)
    except ValueError:
        return None
