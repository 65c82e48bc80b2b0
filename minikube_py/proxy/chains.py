"""Dispatch chains: their names, and the rules that stand in each of them.

A chain is fully described by its name (`cluster-3`, `external-local-1-of-4`, `cluster-affinity-60s-2`): what it looks
up, how many endpoints it chooses from, whether it asks for masquerade. Each ends in `drop`, so that a packet that
sees the old verdict and the new endpoints costs its sender one retransmission and never passes without NAT.

In nftables session affinity is a hash of the client's address instead of a random number: no state, so nothing to
lose at a restart; clients move only when the number of endpoints changes. iptables has no such hash, and remembers
clients for `affinity_s` (`iptables_rules`).
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from minikube_py.proxy.ruleset import CLUSTER_LIST_OFFSET, ENDPOINTS, NODE_PORT_ENDPOINTS

AFFINITY_SEED = 0x6D6B7079
"""Seed of the hash: fixed, so that a client keeps its endpoint over restarts and on every node."""
Entry = Literal["cluster", "external", "node-port"]
_NAME = re.compile(r"(cluster|external|node-port)(?:-affinity-(\d+)s)?(?:-local-(\d+)-of)?-(\d+)")


@dataclass(frozen=True, slots=True)
class FromPods:
    """Goes on only when the source is a pod of the cluster."""


@dataclass(frozen=True, slots=True)
class FromThisHost:
    """Goes on only when the source is an address of this host."""


@dataclass(frozen=True, slots=True)
class MarkForMasquerade:
    """Asks postrouting to masquerade."""


@dataclass(frozen=True, slots=True)
class SendToEndpoint:
    """Chooses one of `count` elements of `map`, from index `offset` on, and sends the connection there (DNAT)."""

    map: str
    keyed_by_address: bool
    count: int
    offset: int
    affinity: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """Drops the packet."""


Step: TypeAlias = FromPods | FromThisHost | MarkForMasquerade | SendToEndpoint | Drop
Rule: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """What a dispatch chain does.

    `local` None: choose among `count` endpoints. Otherwise the Local policy: clients from outside get one of `local`
    endpoints of this node with their address kept, pods and this host one of all `count`.
    """

    entry: Entry
    count: int
    local: int | None = None
    affinity_s: int = 0
    """How long a client that was silent keeps its endpoint; 0: no session affinity."""

    @property
    def name(self) -> str:
        """Return the chain's name."""
        affinity = f"-affinity-{self.affinity_s}s" if self.affinity_s else ""
        local = "" if self.local is None else f"-local-{self.local}-of"
        return f"{self.entry}{affinity}{local}-{self.count}"


def parse_chain_name(name: str) -> ChainSpec | None:
    """Return what a chain of that name does, None when it is no dispatch chain."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    entry, affinity, local, count = match.groups()
    kinds: dict[str, Entry] = {"cluster": "cluster", "external": "external", "node-port": "node-port"}
    return ChainSpec(kinds[entry], int(count), None if local is None else int(local), int(affinity or 0))


def chain_rules(spec: ChainSpec) -> tuple[Rule, ...]:
    """Return the rules of a dispatch chain."""
    if spec.local is None:
        marks: Rule = () if spec.entry == "cluster" else (MarkForMasquerade(),)
        return ((*marks, _send(spec, spec.count, 0)), (Drop(),))
    everywhere = _send(spec, spec.count, CLUSTER_LIST_OFFSET)
    here: tuple[Rule, ...] = ((_send(spec, spec.local, 0),),) if spec.local else ()
    return ((FromPods(), everywhere), (FromThisHost(), MarkForMasquerade(), everywhere), *here, (Drop(),))


def _send(spec: ChainSpec, count: int, offset: int) -> SendToEndpoint:
    by_address = spec.entry != "node-port"
    found_in = ENDPOINTS if by_address else NODE_PORT_ENDPOINTS
    return SendToEndpoint(found_in.name, by_address, count, offset, spec.affinity_s > 0)
