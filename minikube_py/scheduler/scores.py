"""Which of the nodes that can take a pod is best: weighted scores of 0 to 100, as upstream weighs them.

Spreading is upstream's default: pods of one controller (upstream: of one Service or ReplicaSet) over nodes and
zones, so that one node's loss is not all replicas' loss.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from minikube_py.api.taints import PREFER_NO_SCHEDULE, tolerates, tolerations_of
from minikube_py.scheduler.node_info import NodeInfo, PodInfo
from minikube_py.scheduler.snapshot import Facts, Snapshot

BEST = 100
ZONE = "topology.kubernetes.io/zone"
_IMAGE_SMALL, _IMAGE_LARGE = 23 << 20, 1000 << 20
"""Image sizes (bytes) below and above which more makes no difference (upstream: ImageLocality's thresholds)."""

Scores = list[float]
"""One number for each candidate, in their order."""
Scorer = Callable[[PodInfo, Sequence[NodeInfo], Facts, Snapshot], Scores]


def least_allocated(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes with more CPU and memory left."""
    return [_mean([1 - share for share in _shares(pod, node)]) * BEST for node in nodes]


def balanced_allocation(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes whose CPU and memory would be used to the same extent."""
    scores = []
    for node in nodes:
        shares = _shares(pod, node)
        spread = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
        scores.append((1 - spread) * BEST)
    return scores


def _shares(pod: PodInfo, node: NodeInfo) -> list[float]:
    shares = []
    for name in ("cpu", "memory"):
        capacity = node.allocatable.get(name, 0)
        if capacity > 0:
            wanted = node.score_used.get(name, 0) + pod.score_requests.get(name, 0)
            shares.append(min(1.0, wanted / capacity))
    return shares


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def owner_spread(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes and zones with fewer pods of the same controller, and what ScheduleAnyway constraints ask for."""
    soft = [spread for spread in facts.spreads if not spread.constraint.required]
    if soft:
        return _soft_spread([s.constraint.topology_key for s in soft], [s.counts for s in soft], nodes)
    if not pod.owner_uid:
        return [0.0] * len(nodes)
    zones: Counter[str] = Counter()
    on_node: dict[str, int] = {}
    for node in snapshot.nodes:
        count = sum(other.owner_uid == pod.owner_uid and not other.deleting for other in node.pods)
        on_node[node.name] = count
        zones[node.labels.get(ZONE, "")] += count
    by_node = _fewer_is_better([on_node[node.name] for node in nodes])
    by_zone = _fewer_is_better([zones[node.labels.get(ZONE, "")] for node in nodes])
    return [(a + b) / 2 for a, b in zip(by_node, by_zone, strict=True)]


def _soft_spread(keys: Sequence[str], counts: Sequence[Mapping[str, int]], nodes: Sequence[NodeInfo]) -> Scores:
    """Prefer domains with fewer pods; a node that is in no domain of one of the keys is the last choice."""
    inside = [node for node in nodes if all(key in node.labels for key in keys)]
    costs = [sum(found.get(node.labels[key], 0) for key, found in zip(keys, counts, strict=True)) for node in inside]
    scores = {node.name: value for node, value in zip(inside, _fewer_is_better(costs), strict=True)}
    return [scores.get(node.name, 0.0) for node in nodes]


def taint_preference(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes with fewer PreferNoSchedule taints that the pod does not tolerate."""
    tolerations = [t for t in tolerations_of(pod.obj) if t.get("effect") in (None, "", PREFER_NO_SCHEDULE)]
    return _fewer_is_better(
        [
            sum(
                taint.get("effect") == PREFER_NO_SCHEDULE and not any(tolerates(t, taint) for t in tolerations)
                for taint in node.taints
            )
            for node in nodes
        ]
    )


def node_preference(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes that preferred node affinity weighs most."""
    terms = pod.terms.node_preferred
    return _more_is_better([sum(t.weight for t in terms if t.term.matches(n.name, n.labels)) for n in nodes])


def pod_preference(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes near pods of preferred affinity and far from those of preferred anti-affinity."""
    if not pod.terms.preferred:
        return [0.0] * len(nodes)
    weights: Counter[tuple[str, str]] = Counter()
    for node in snapshot.nodes:
        for other in node.pods:
            for preferred in pod.terms.preferred:
                key = preferred.term.topology_key
                if key in node.labels and snapshot.term_matches(preferred.term, other):
                    weights[key, node.labels[key]] += preferred.weight
    totals = [sum(weights[domain] for domain in node.labels.items() if domain in weights) for node in nodes]
    least = min(totals)
    return _more_is_better([total - least for total in totals])


def image_locality(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> Scores:
    """Prefer nodes that have the pod's images, weighed by how many nodes have them (not to heap pods on one)."""
    wanted = [str(container.get("image", "")) for container in pod.spec.get("containers") or ()]
    total = len(snapshot.nodes)
    have = {image: sum(_size(node.images, image) > 0 for node in snapshot.nodes) for image in wanted}
    if not any(have.values()):
        return [0.0] * len(nodes)
    scores = []
    upper = _IMAGE_LARGE * max(1, len(wanted))
    for node in nodes:
        size = sum(_size(node.images, image) * have[image] / total for image in wanted)
        size = min(max(size, _IMAGE_SMALL), upper)
        scores.append(BEST * (size - _IMAGE_SMALL) / (upper - _IMAGE_SMALL))
    return scores


def _size(images: Mapping[str, int], image: str) -> int:
    name = image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
    return images.get(name, 0)


def _more_is_better(values: Sequence[float]) -> Scores:
    most = max(values, default=0)
    return [BEST * value / most for value in values] if most > 0 else [0.0] * len(values)


def _fewer_is_better(values: Sequence[float]) -> Scores:
    most = max(values, default=0)
    return [BEST * (most - value) / most for value in values] if most > 0 else [float(BEST)] * len(values)


@dataclass(frozen=True, slots=True)
class Weighted:
    """A scorer and how much it counts."""

    scorer: Scorer
    weight: int


SCORERS: tuple[Weighted, ...] = (
    Weighted(taint_preference, 3),
    Weighted(node_preference, 2),
    Weighted(owner_spread, 2),
    Weighted(pod_preference, 2),
    Weighted(least_allocated, 1),
    Weighted(balanced_allocation, 1),
    Weighted(image_locality, 1),
)


def score(pod: PodInfo, nodes: Sequence[NodeInfo], facts: Facts, snapshot: Snapshot) -> list[int]:
    """Return the weighted sum for each candidate."""
    totals = [0] * len(nodes)
    for weighted in SCORERS:
        for at, value in enumerate(weighted.scorer(pod, nodes, facts, snapshot)):
            totals[at] += int(value) * weighted.weight
    return totals
