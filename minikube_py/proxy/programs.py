"""From one Service and its endpoints to elements of the kernel's maps.

Each Service compiles by itself to a `Program`; the table is the union of all programs, so a change costs the work of
one Service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minikube_py.proxy.affinity import BY_ADDRESS, BY_NODE_PORT, identity_of
from minikube_py.proxy.chains import ChainSpec, Entry
from minikube_py.proxy.endpoints_map import Endpoint, EndpointsByPort
from minikube_py.proxy.ruleset import (
    CLUSTER_IPS,
    CLUSTER_LIST_OFFSET,
    DROP,
    ENDPOINTS,
    HAIRPIN,
    NO_ENDPOINTS,
    NO_ENDPOINTS_NODE_PORTS,
    NODE_PORT_ENDPOINTS,
    NODE_PORTS,
    REJECT,
    RESTRICTED,
    SERVICES,
    SOURCE_RANGES,
    Data,
    ElementKey,
    Key,
)
from minikube_py.proxy.service_map import ServicePort
from minikube_py.proxy.topology import NodeFacts, Selected, select_endpoints

UdpEntry = tuple[str, int]
"""Where a client sends datagrams: (address, port); the address is empty for a node port."""
Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Program:
    """What one Service, or one pod with host ports, contributes to the table."""

    elements: Mapping[ElementKey, Data]
    udp: Mapping[UdpEntry, frozenset[Target]]
    """For each UDP entry the endpoints whose flows may live on: all that serve, chosen or not."""
    forwards: frozenset[str]
    """Addresses of endpoints that get new connections, those of the last resort excepted."""
    reaches: frozenset[str] = frozenset()
    """Addresses of all endpoints that new connections may go to."""


EMPTY = Program({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class CompileFacts:
    """What all programs depend on besides their Service."""

    node: NodeFacts
    node_local_vips: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One way into a Service port: an address with its port, or a node port."""

    kind: Entry
    address: str | None
    protocol: str
    port: int

    def key(self, *index: int) -> Key:
        head = () if self.address is None else (self.address,)
        return (*head, self.protocol, self.port, *index)

    @property
    def maps(self) -> tuple[str, str, str]:
        """Return the names of the maps of verdicts, endpoints and refusals."""
        if self.kind == "node-port":
            return (NODE_PORTS.name, NODE_PORT_ENDPOINTS.name, NO_ENDPOINTS_NODE_PORTS.name)
        return (SERVICES.name, ENDPOINTS.name, NO_ENDPOINTS.name)


def compile_service(ports: Iterable[ServicePort], endpoints: EndpointsByPort, facts: CompileFacts) -> Program:
    """Return the program of one Service."""
    elements: dict[ElementKey, Data] = {}
    udp: dict[UdpEntry, frozenset[Target]] = {}
    forwards: set[str] = set()
    reaches: set[str] = set()
    for port in ports:
        found = endpoints.get(port.port_name, ())
        selected = select_endpoints(found, facts.node)
        entries = tuple(e for e in _entries(port) if e.address is None or e.address not in facts.node_local_vips)
        for entry in entries:
            elements.update(_entry_elements(port, entry, selected))
        elements.update(_restrictions(port, entries))
        for address in port.cluster_ips:
            if address not in facts.node_local_vips:
                elements[ElementKey(CLUSTER_IPS.name, (address,))] = None
        for endpoint in found:
            if endpoint.is_local and endpoint.serving:
                elements[ElementKey(HAIRPIN.name, (endpoint.address, endpoint.address))] = None
        if port.protocol == "udp":
            serving = frozenset(endpoint.target for endpoint in found if endpoint.serving)
            udp.update({(entry.address or "", entry.port): serving for entry in entries})
        for choice in (selected.cluster, selected.local):
            addresses = [endpoint.address for endpoint in choice.endpoints]
            reaches.update(addresses)
            if not choice.last_resort:
                forwards.update(addresses)
    return Program(elements, udp, frozenset(forwards), frozenset(reaches))


def _entries(port: ServicePort) -> tuple[_Entry, ...]:
    node_ports = (_Entry("node-port", None, port.protocol, port.node_port),) if port.node_port else ()
    return (
        *(_Entry("cluster", address, port.protocol, port.port) for address in port.cluster_ips),
        *(_Entry("external", address, port.protocol, port.port) for address in port.external_ips),
        *node_ports,
    )


def _entry_elements(port: ServicePort, entry: _Entry, selected: Selected) -> dict[ElementKey, Data]:
    internal = entry.kind == "cluster"
    local_only = port.internal_local if internal else port.external_local
    verdicts, _, refusals = entry.maps
    if not selected.has_any:
        return {ElementKey(refusals, entry.key()): REJECT}
    if local_only and not internal:
        return _local_elements(port, entry, selected)
    chosen = (selected.local if local_only else selected.cluster).endpoints
    if not chosen:
        # Some endpoint exists, but the policy leaves none for this node.
        return {ElementKey(refusals, entry.key()): DROP}
    spec = ChainSpec(entry.kind, len(chosen), affinity_s=port.affinity_s)
    return {ElementKey(verdicts, entry.key()): f"goto {spec.name}", **_targets(port, entry, chosen, 0)}


def _restrictions(port: ServicePort, entries: tuple[_Entry, ...]) -> dict[ElementKey, Data]:
    """Return who may come to the load balancer's addresses; node ports and external IPs are open to everybody."""
    if not port.source_ranges:
        return {}
    restricted = [entry for entry in entries if entry.address in port.load_balancer_ips and entry.kind == "external"]
    members: dict[ElementKey, Data] = {ElementKey(RESTRICTED.name, entry.key()): None for entry in restricted}
    for entry in restricted:
        keys = ((*entry.key(), network) for network in port.source_ranges)
        members.update({ElementKey(SOURCE_RANGES.name, key): None for key in keys})
    return members


def _local_elements(port: ServicePort, entry: _Entry, selected: Selected) -> dict[ElementKey, Data]:
    local, everywhere = selected.local.endpoints, selected.cluster.endpoints
    spec = ChainSpec(entry.kind, len(everywhere), local=len(local), affinity_s=port.affinity_s)
    return {
        ElementKey(entry.maps[0], entry.key()): f"goto {spec.name}",
        **_targets(port, entry, local, 0),
        **_targets(port, entry, everywhere, CLUSTER_LIST_OFFSET),
    }


def _targets(
    port: ServicePort, entry: _Entry, endpoints: tuple[Endpoint, ...], offset: int
) -> dict[ElementKey, Data]:
    """Return a list of endpoints, which begins at index `offset`."""
    map_name = entry.maps[1]
    elements: dict[ElementKey, Data] = {
        ElementKey(map_name, entry.key(offset + index)): endpoint.target for index, endpoint in enumerate(endpoints)
    }
    if port.affinity_s:
        maps = BY_NODE_PORT if entry.address is None else BY_ADDRESS
        for index, endpoint in enumerate(endpoints):
            identity = identity_of(endpoint.target, offset)
            elements[ElementKey(maps.choices, entry.key(offset + index))] = identity
            elements[ElementKey(maps.endpoints, entry.key(identity))] = endpoint.target
    return elements
