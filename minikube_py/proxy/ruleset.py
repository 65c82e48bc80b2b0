"""The kernel program as data: maps and their elements, chains by name, transactions.

Two look-ups decide a packet's way (design notes: two-map layout):

1. a verdict map: (address, protocol, port) -> `goto cluster-3`; there is one such chain for each number of endpoints,
   not one for each Service;
2. a data map: (address, protocol, port, random index below 3) -> (pod address, port), used by that chain's only DNAT.

So the cost of a packet does not depend on the number of Services, and a changed endpoint is one changed element.

Session affinity adds three maps. A memory, (client, address, protocol, port) -> identity of an endpoint, is written
by the chains' own rules and forgotten by the kernel; nothing here knows what stands in it. (address, protocol, port,
identity) -> (pod address, port) says where that is, and only while it is there: a gone endpoint needs no look at the
clients. (address, protocol, port, random index) -> identity chooses for those who come for the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

KeyField = Literal["source", "address", "protocol", "port", "index", "identity", "network"]
DataKind = Literal["verdict", "target", "identity", "memory", "member"]
"""A memory is a map to identities in which only rules write: it has no elements of ours."""
Key: TypeAlias = tuple[str | int, ...]
Data: TypeAlias = str | tuple[str, int] | int | None
"""A verdict (`goto CHAIN` or `drop`), a target (address, port), an identity, or None for the member of a set."""


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One map or set of the table."""

    name: str
    key: tuple[KeyField, ...]
    data: DataKind


SERVICES = MapSpec("services", ("address", "protocol", "port"), "verdict")
ENDPOINTS = MapSpec("endpoints", ("address", "protocol", "port", "index"), "target")
NODE_PORTS = MapSpec("node-ports", ("protocol", "port"), "verdict")
NODE_PORT_ENDPOINTS = MapSpec("node-port-endpoints", ("protocol", "port", "index"), "target")
NO_ENDPOINTS = MapSpec("no-endpoints", ("address", "protocol", "port"), "verdict")
NO_ENDPOINTS_NODE_PORTS = MapSpec("no-endpoints-node-ports", ("protocol", "port"), "verdict")
HAIRPIN = MapSpec("hairpin", ("address", "address"), "member")
CLUSTER_IPS = MapSpec("cluster-ips", ("address",), "member")
RESTRICTED = MapSpec("restricted", ("address", "protocol", "port"), "member")
"""Entries of load balancers that only some sources may use."""
SOURCE_RANGES = MapSpec("source-ranges", ("address", "protocol", "port", "network"), "member")
"""The networks of those sources; networks of one entry never overlap."""
AFFINITY = MapSpec("affinity", ("source", "address", "protocol", "port"), "memory")
AFFINITY_CHOICES = MapSpec("affinity-choices", ("address", "protocol", "port", "index"), "identity")
AFFINITY_ENDPOINTS = MapSpec("affinity-endpoints", ("address", "protocol", "port", "identity"), "target")
NODE_PORT_AFFINITY = MapSpec("node-port-affinity", ("source", "protocol", "port"), "memory")
NODE_PORT_AFFINITY_CHOICES = MapSpec("node-port-affinity-choices", ("protocol", "port", "index"), "identity")
NODE_PORT_AFFINITY_ENDPOINTS = MapSpec("node-port-affinity-endpoints", ("protocol", "port", "identity"), "target")
MAPS: Mapping[str, MapSpec] = {
    spec.name: spec
    for spec in (
        SERVICES,
        ENDPOINTS,
        NODE_PORTS,
        NODE_PORT_ENDPOINTS,
        NO_ENDPOINTS,
        NO_ENDPOINTS_NODE_PORTS,
        HAIRPIN,
        CLUSTER_IPS,
        RESTRICTED,
        SOURCE_RANGES,
        AFFINITY,
        AFFINITY_CHOICES,
        AFFINITY_ENDPOINTS,
        NODE_PORT_AFFINITY,
        NODE_PORT_AFFINITY_CHOICES,
        NODE_PORT_AFFINITY_ENDPOINTS,
    )
}
REJECT_CHAIN = "reject-new"
REJECT = f"goto {REJECT_CHAIN}"
DROP = "drop"
CLUSTER_LIST_OFFSET = 1 << 16
"""Index of the first endpoint of the Cluster list where a Local list stands under the same key."""


@dataclass(frozen=True, slots=True, order=True)
class ElementKey:
    """Where an element stands."""

    map: str
    key: Key


Elements: TypeAlias = Mapping[ElementKey, Data]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A whole table: what the kernel holds, or shall hold."""

    elements: Elements
    chains: frozenset[str]
    """Dispatch chains; the fixed chains of the skeleton are not listed."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Changes that the kernel makes all at once or not at all; deletions come before additions."""

    replace_table: bool = False
    """Begin with an empty table and a fresh skeleton (in the same transaction: nobody sees it empty)."""
    add_chains: tuple[str, ...] = ()
    delete_elements: tuple[ElementKey, ...] = ()
    add_elements: tuple[tuple[ElementKey, Data], ...] = field(default=())
    delete_chains: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing changes."""
        return self == Transaction()


def chain_of(data: Data) -> str | None:
    """Return the dispatch chain that a verdict goes to; None for other data and for the skeleton's own chains."""
    if isinstance(data, str) and data.startswith("goto ") and data != REJECT:
        return data.removeprefix("goto ")
    return None
