"""One decision: pod and cluster in, a node or the reasons why there is none out.

Upstream: schedule_one.go and framework.FitError; the message is upstream's, word for word as far as people and tools
read it: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. no new claims to deallocate,
preemption: ...`. (The claims are those of dynamic resource allocation, of which there are none here.)
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minikube_py.api.persistent_volumes import NodeFacts
from minikube_py.scheduler.filters import Refusal, refuse
from minikube_py.scheduler.node_info import NodeInfo, PodInfo
from minikube_py.scheduler.scores import score
from minikube_py.scheduler.snapshot import Facts, Snapshot, count_facts
from minikube_py.scheduler.volumes import NOTHING_TO_BIND_FIRST, VolumeDecision, decide_volumes

CANDIDATES_MIN = 100
NO_NODES = "no nodes available to schedule pods"
_AFTER_FILTERS = "no new claims to deallocate, preemption: "


@dataclass(frozen=True, slots=True)
class Bind:
    """Put the pod on this node."""

    node_name: str
    volumes: VolumeDecision = NOTHING_TO_BIND_FIRST
    """What is bound and provisioned there first."""


@dataclass(frozen=True, slots=True)
class Unschedulable:
    """No node can take the pod now."""

    message: str


def count_candidates_max(nodes: int) -> int:
    """Return how many possible nodes are enough to choose among (upstream: percentageOfNodesToScore, adaptive).

    All of them up to 100 nodes, then a share that shrinks from half of them to 5 %, and never fewer than 100.
    """
    if nodes <= CANDIDATES_MIN:
        return nodes
    percentage = max(5, 50 - nodes // 125)
    return max(CANDIDATES_MIN, nodes * percentage // 100)


def schedule(pod: PodInfo, snapshot: Snapshot, pick_below: Callable[[int], int]) -> Bind | Unschedulable:
    """Choose a node for the pod; `pick_below(n)` returns a random number below n, for nodes that are equally good."""
    if not snapshot.nodes:
        return Unschedulable(NO_NODES)
    facts = count_facts(pod, snapshot)
    if facts.volumes.fault:
        return Unschedulable(_render_fault(pod, facts.volumes.fault, snapshot))
    refusals: dict[str, Refusal] = {}
    candidates: list[NodeInfo] = []
    enough = count_candidates_max(len(snapshot.nodes))
    # Whoever is not looked at today is first tomorrow: the round starts anywhere.
    start = pick_below(len(snapshot.nodes)) if enough < len(snapshot.nodes) else 0
    for node in (*snapshot.nodes[start:], *snapshot.nodes[:start]):
        if len(candidates) == enough:
            break
        refusal = refuse(pod, node, facts)
        if refusal is None:
            candidates.append(node)
        else:
            refusals[node.name] = refusal
    if not candidates:
        return Unschedulable(render_message(pod, refusals))
    if len(candidates) == 1:
        return _bind(candidates[0], facts)
    scores = score(pod, candidates, facts, snapshot)
    best = max(scores)
    equals = [node for node, total in zip(candidates, scores, strict=True) if total == best]
    return _bind(equals[pick_below(len(equals))], facts)


def _bind(node: NodeInfo, facts: Facts) -> Bind:
    decision = decide_volumes(facts.volumes, NodeFacts(node.name, node.labels))
    assert decision is not None, "the filter has found volumes there"
    return Bind(node.name, decision)


def _render_fault(pod: PodInfo, fault: str, snapshot: Snapshot) -> str:
    """Return the message about what rules all nodes out, whatever they are."""
    everywhere = {node.name: Refusal((fault,), hopeless=True) for node in snapshot.nodes}
    return f"0/{len(everywhere)} nodes are available: {fault}. {_render_preemption(pod, everywhere)}"


def render_message(pod: PodInfo, refusals: Mapping[str, Refusal]) -> str:
    """Return the text of the condition PodScheduled and of the Event FailedScheduling."""
    total = len(refusals)
    reasons = Counter(reason for refusal in refusals.values() for reason in refusal.reasons)
    counted = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{total} nodes are available: {', '.join(counted)}. {_render_preemption(pod, refusals)}"


def _render_preemption(pod: PodInfo, refusals: Mapping[str, Refusal]) -> str:
    if pod.spec.get("preemptionPolicy") == "Never":
        return f"{_AFTER_FILTERS}not eligible due to preemptionPolicy=Never."
    hopeless = sum(refusal.hopeless for refusal in refusals.values())
    parts = []
    if hopeless < len(refusals):
        parts.append(f"{len(refusals) - hopeless} No preemption victims found for incoming pod")
    if hopeless:
        parts.append(f"{hopeless} Preemption is not helpful for scheduling")
    return f"{_AFTER_FILTERS}0/{len(refusals)} nodes are available: {', '.join(sorted(parts))}."
