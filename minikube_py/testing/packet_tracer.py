"""Where a new connection would go: the compiled table, interpreted as the kernel would.

A test reads like a sentence: a packet from this pod to that cluster IP is sent to one of these endpoints, with its
source address kept. The hooks are those of `proxy.skeleton`, the chains' rules those of `proxy.chains`; the node tier
asks the same questions of the real kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from minikube_py.proxy.chains import (
    Drop,
    FromPods,
    FromThisHost,
    MarkForMasquerade,
    Rule,
    SendAgain,
    SendAndRemember,
    SendToEndpoint,
    Step,
    chain_rules,
    parse_chain_name,
)
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import (
    CLUSTER_IPS,
    HAIRPIN,
    NO_ENDPOINTS,
    NO_ENDPOINTS_NODE_PORTS,
    NODE_PORTS,
    REJECT,
    RESTRICTED,
    SERVICES,
    SOURCE_RANGES,
    Data,
    ElementKey,
    Key,
    Ruleset,
    chain_of,
)

Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection."""

    source: str
    destination: str
    port: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Way:
    """What becomes of it."""

    end: Literal["sent", "untouched", "rejected", "dropped"]
    targets: frozenset[Target] = frozenset()
    """Where it may go, when it is sent to an endpoint."""
    masqueraded_for: frozenset[Target] = frozenset()
    """The targets that see an address of this node instead of the source."""
    has_gaps: bool = False
    """Whether some random index leads to no endpoint (the packet would be dropped)."""


@dataclass(frozen=True, slots=True)
class Tracer:
    """One node: its table, its settings, its addresses."""

    ruleset: Ruleset
    config: ProxyConfig
    node_addresses: frozenset[str] = frozenset()

    def trace(self, packet: Packet) -> Way:
        """Return what becomes of a packet."""
        if packet.destination in self.config.node_local_vips:
            return Way("untouched")
        if not self._may_enter(packet):
            return self._refuse(packet)
        verdict, is_node_port = self._dispatch(packet)
        chain = chain_of(verdict)
        if chain is None:
            return self._refuse(packet)
        spec = parse_chain_name(chain)
        assert spec is not None
        assert chain in self.ruleset.chains, f"goto a chain that does not exist: {chain}"
        marked = not is_node_port and self._is_cluster_ip(packet.destination)
        marked = marked and not self._in(packet.source, self.config.cluster_cidr)
        for rule in chain_rules(spec):
            way = self._follow(rule, packet, marked)
            if way is not None:
                return way
        raise AssertionError(f"{chain} has no end")

    def _may_enter(self, packet: Packet) -> bool:
        entry: Key = (packet.destination, packet.protocol, packet.port)
        if not self._stands(RESTRICTED.name, entry):
            return True
        ranges = (k.key for k in self.ruleset.elements if k.map == SOURCE_RANGES.name and k.key[:3] == entry)
        return any(self._in(packet.source, str(key[3])) for key in ranges)

    def _stands(self, map_name: str, key: Key) -> bool:
        return ElementKey(map_name, key) in self.ruleset.elements

    def _dispatch(self, packet: Packet) -> tuple[Data, bool]:
        verdict = self._find(SERVICES.name, (packet.destination, packet.protocol, packet.port))
        if verdict is not None:
            return verdict, False
        if packet.destination in self.node_addresses:
            return self._find(NODE_PORTS.name, (packet.protocol, packet.port)), True
        return None, False

    def _follow(self, rule: Rule, packet: Packet, marked: bool) -> Way | None:
        *conditions, end = rule
        if not all(self._passes(step, packet) for step in conditions):
            return None
        marked = marked or MarkForMasquerade() in conditions
        if isinstance(end, SendAgain):
            return None  # a client that comes for the first time
        if isinstance(end, SendAndRemember):
            return self._send_and_remember(end, packet, marked)
        if isinstance(end, SendToEndpoint):
            return self._send(end, packet, marked)
        assert end == Drop(), f"a rule ends in {end}"
        return Way("dropped")

    def _passes(self, step: Step, packet: Packet) -> bool:
        if isinstance(step, FromPods):
            return self._in(packet.source, self.config.cluster_cidr)
        if isinstance(step, FromThisHost):
            return packet.source in self.node_addresses
        assert step == MarkForMasquerade(), f"{step} is no condition"
        return True

    def _send(self, step: SendToEndpoint, packet: Packet, marked: bool) -> Way:
        head: Key = (packet.destination,) if step.keyed_by_address else ()
        indices = range(step.offset, step.offset + step.count)
        keys = [(*head, packet.protocol, packet.port, index) for index in indices]
        return self._sent([self._find(step.map, key) for key in keys], packet, marked)

    def _send_and_remember(self, step: SendAndRemember, packet: Packet, marked: bool) -> Way | None:
        maps = step.affinity.maps
        head: Key = (packet.destination,) if step.affinity.keyed_by_address else ()
        entry = (*head, packet.protocol, packet.port)
        chosen = [self._find(maps.choices, (*entry, step.offset + index)) for index in range(step.count)]
        found = [self._find(maps.endpoints, (*entry, n)) for n in chosen if isinstance(n, int)]
        complete = len(found) == step.count and None not in found
        # Who finds nothing goes on to the next rule, which chooses from the same list.
        return self._sent(found, packet, marked) if complete else None

    def _sent(self, found: Sequence[Data], packet: Packet, marked: bool) -> Way:
        targets = frozenset(data for data in found if isinstance(data, tuple))
        masqueraded = targets if marked else frozenset(t for t in targets if self._is_hairpin(packet.source, t[0]))
        return Way("sent", targets, masqueraded, has_gaps=None in found)

    def _is_hairpin(self, source: str, address: str) -> bool:
        return source == address and ElementKey(HAIRPIN.name, (source, address)) in self.ruleset.elements

    def _refuse(self, packet: Packet) -> Way:
        verdict = self._find(NO_ENDPOINTS.name, (packet.destination, packet.protocol, packet.port))
        if verdict is None and self._stands(RESTRICTED.name, (packet.destination, packet.protocol, packet.port)):
            return Way("dropped")
        if verdict is None and self._stands(CLUSTER_IPS.name, (packet.destination,)):
            verdict = REJECT
        if verdict is None and self._is_cluster_ip(packet.destination):
            return Way("dropped")
        if verdict is None and packet.destination in self.node_addresses:
            verdict = self._find(NO_ENDPOINTS_NODE_PORTS.name, (packet.protocol, packet.port))
        if verdict is None:
            return Way("untouched")
        return Way("rejected") if verdict == REJECT else Way("dropped")

    def _find(self, map_name: str, key: Key) -> Data:
        return self.ruleset.elements.get(ElementKey(map_name, key))

    def _is_cluster_ip(self, address: str) -> bool:
        return any(self._in(address, network) for network in self.config.cluster_ip_ranges)

    @staticmethod
    def _in(address: str, network: str) -> bool:
        return IPv4Address(address) in IPv4Network(network)
