"""Dispatch chains: their names, and the rules that stand in each of them.

A chain is fully described by its name (`cluster-3`, `external-local-1-of-4`, `cluster-affinity-60s-2`): what it looks
up, how many endpoints it chooses from, whether it asks for masquerade. Each ends in `drop`, so that a packet that
sees the old verdict and the new endpoints costs its sender one retransmission and never passes without NAT.

With session affinity three rules stand for one: to the endpoint that the client had before, if it is remembered and
still there; to one by chance, which is remembered; and, when the memory is full, by chance alone.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from minikube_py.proxy.affinity import BY_ADDRESS, BY_NODE_PORT, AffinityMaps
from minikube_py.proxy.ruleset import CLUSTER_LIST_OFFSET, ENDPOINTS, NODE_PORT_ENDPOINTS

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


@dataclass(frozen=True, slots=True)
class Affinity:
    """How clients are remembered: until `timeout_s` after their last new connection."""

    maps: AffinityMaps
    keyed_by_address: bool
    timeout_s: int


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Sends the connection where the client's last one went, if that is remembered and still there; else goes on."""

    affinity: Affinity


@dataclass(frozen=True, slots=True)
class SendAndRemember:
    """Chooses as SendToEndpoint does, and remembers it; goes on when no more clients can be remembered."""

    affinity: Affinity
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Drops the packet."""


Step: TypeAlias = FromPods | FromThisHost | MarkForMasquerade | SendAgain | SendAndRemember | SendToEndpoint | Drop
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
        return (*_send(marks, spec, spec.count, 0), (Drop(),))
    here = _send((), spec, spec.local, 0) if spec.local else ()
    return (
        *_send((FromPods(),), spec, spec.count, CLUSTER_LIST_OFFSET),
        *_send((FromThisHost(), MarkForMasquerade()), spec, spec.count, CLUSTER_LIST_OFFSET),
        *here,
        (Drop(),),
    )


def _send(before: Rule, spec: ChainSpec, count: int, offset: int) -> tuple[Rule, ...]:
    """Return the rules that send what passes `before` to one of a list of endpoints."""
    by_address = spec.entry != "node-port"
    found_in = ENDPOINTS if by_address else NODE_PORT_ENDPOINTS
    ends: tuple[Step, ...] = (SendToEndpoint(found_in.name, by_address, count, offset),)
    if spec.affinity_s:
        affinity = Affinity(BY_ADDRESS if by_address else BY_NODE_PORT, by_address, spec.affinity_s)
        ends = (SendAgain(affinity), SendAndRemember(affinity, count, offset), *ends)
    return tuple((*before, end) for end in ends)
