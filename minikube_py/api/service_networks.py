"""The ranges that Services have addresses of, for those that see to it that such addresses are found.

A range that is being deleted still counts: Services with addresses of it may be there until the last moment.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, collapse_addresses
from typing import Any


def service_networks(service_cidrs: Iterable[Mapping[str, Any]], configured: str) -> tuple[str, ...]:
    """Return the IPv4 ranges of all ServiceCIDRs, and the cluster's own one, sorted; none overlaps another."""
    texts = {
        text for each in service_cidrs for text in (each.get("spec") or {}).get("cidrs") or () if ":" not in text
    }
    networks = collapse_addresses(map(IPv4Network, (configured, *texts)))
    return tuple(str(network) for network in networks)
