"""All nodes with their pods at one moment, and what is counted once for one pod before nodes are looked at.

Upstream: framework.Snapshot and the PreFilter state of podtopologyspread and interpodaffinity.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from minikube_py.api.object_selectors import selects
from minikube_py.api.taints import HARD_EFFECTS, find_untolerated, tolerations_of
from minikube_py.scheduler.node_info import NodeInfo, PodInfo
from minikube_py.scheduler.terms import PodTerm, SpreadConstraint
from minikube_py.scheduler.volumes import NO_STORAGE, NO_VOLUMES, PodVolumes, Storage, read_volumes

Domain = tuple[str, str]
"""Topology key and value."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cluster."""

    nodes: tuple[NodeInfo, ...]
    namespace_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    storage: Storage = NO_STORAGE

    def term_matches(self, term: PodTerm, pod: PodInfo) -> bool:
        """Return whether a term of pod affinity speaks of that pod."""
        return term.matches(pod.key.namespace, pod.labels, self.namespace_labels.get(pod.key.namespace, {}))


@dataclass(frozen=True, slots=True)
class Spread:
    """How the pods that one constraint counts are spread."""

    constraint: SpreadConstraint
    counts: Mapping[str, int]
    """Value of the topology key -> pods, for all eligible domains."""
    least: int
    """Pods of the emptiest domain; 0 while there are fewer domains than there shall be."""
    counts_itself: bool

    def skew(self, value: str) -> int:
        """Return the skew if the pod went to that domain."""
        return self.counts.get(value, 0) + self.counts_itself - self.least


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted for one pod."""

    spreads: tuple[Spread, ...]
    near: Mapping[Domain, int]
    """Pods that match all terms of required affinity, by domain."""
    may_be_first: bool
    """Nobody matches yet and the pod matches its own terms: a group has to start somewhere."""
    far: frozenset[Domain]
    """Domains with a pod that required anti-affinity of the pod forbids."""
    closed: frozenset[Domain]
    """Domains with a pod whose own anti-affinity forbids this one."""
    volumes: PodVolumes = NO_VOLUMES


def count_facts(pod: PodInfo, snapshot: Snapshot) -> Facts:
    """Count what the filters need to know of other nodes."""
    near: Counter[Domain] = Counter()
    far: set[Domain] = set()
    closed: set[Domain] = set()
    for node in snapshot.nodes:
        if node.has_anti_affinity:
            closed |= _closed_by(node, pod, snapshot)
        if not (pod.terms.affinity or pod.terms.anti_affinity):
            continue
        for other in node.pods:
            if pod.terms.affinity and all(snapshot.term_matches(term, other) for term in pod.terms.affinity):
                near.update(_domains(pod.terms.affinity, node))
            matching = [term for term in pod.terms.anti_affinity if snapshot.term_matches(term, other)]
            far.update(_domains(tuple(matching), node))
    return Facts(
        spreads=tuple(_count_spread(pod, c, snapshot) for c in pod.terms.spread),
        near=near,
        may_be_first=not near and all(snapshot.term_matches(term, pod) for term in pod.terms.affinity),
        far=frozenset(far),
        closed=frozenset(closed),
        volumes=read_volumes(pod.obj, pod.key.namespace, snapshot.storage),
    )


def _domains(terms: tuple[PodTerm, ...], node: NodeInfo) -> list[Domain]:
    return [(term.topology_key, node.labels[term.topology_key]) for term in terms if term.topology_key in node.labels]


def _closed_by(node: NodeInfo, pod: PodInfo, snapshot: Snapshot) -> set[Domain]:
    closed: set[Domain] = set()
    for other in node.pods:
        matching = tuple(term for term in other.terms.anti_affinity if snapshot.term_matches(term, pod))
        closed.update(_domains(matching, node))
    return closed


def _count_spread(pod: PodInfo, constraint: SpreadConstraint, snapshot: Snapshot) -> Spread:
    keys = [c.topology_key for c in pod.terms.spread if c.required == constraint.required]
    counts: Counter[str] = Counter()
    for node in snapshot.nodes:
        if any(key not in node.labels for key in keys):
            continue
        if constraint.honor_affinity and not pod.terms.match_node(node.name, node.labels):
            continue
        if constraint.honor_taints and find_untolerated(node.taints, tolerations_of(pod.obj), HARD_EFFECTS):
            continue
        counts[node.labels[constraint.topology_key]] += sum(
            other.key.namespace == pod.key.namespace
            and not other.deleting
            and selects(constraint.selector, other.labels)
            for other in node.pods
        )
    # Once for all nodes: with a domain for each node it would be looked for among as many again.
    least = min(counts.values(), default=0) if len(counts) >= constraint.min_domains else 0
    return Spread(constraint, counts, least, selects(constraint.selector, pod.labels))
