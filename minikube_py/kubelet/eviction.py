"""When a node is under pressure, and which thresholds ask for pods now: one round every few seconds.

1. Thresholds that are met by what was observed, and those met before whose minimum reclaim is not reached.
2. Since when: a soft threshold acts only after its grace period.
3. Conditions: true from the first sight, and for a transition period after the last one, so that they do not flap.
4. What acts: only on a measurement that is newer than the one that led to the last eviction.

Upstream: kubelet/eviction/eviction_manager.go (synchronize).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from minikube_py.kubelet.eviction_thresholds import (
    ALLOCATABLE_MEMORY,
    CONDITION_OF,
    IMAGE_FS,
    IMAGE_INODES,
    MEMORY,
    NODE_FS,
    NODE_INODES,
    PIDS,
    Threshold,
)
from minikube_py.kubelet.statistics import NodeSample


@dataclass(frozen=True, slots=True)
class Observation:
    """What is available of a signal, in whole units, and when it was measured (seconds)."""

    available: int
    capacity: int
    at_s: float


Observations = Mapping[str, Observation]


def observe_node(node: NodeSample) -> dict[str, Observation]:
    """Return every signal that the host shows."""
    at_s = node.cgroup.at_s
    working = node.cgroup.working_set_bytes
    found = {
        MEMORY: Observation(max(node.memory_bytes - working, 0), node.memory_bytes, at_s),
        NODE_FS: Observation(node.node_fs.available_bytes, node.node_fs.capacity_bytes, at_s),
        IMAGE_FS: Observation(node.image_fs.available_bytes, node.image_fs.capacity_bytes, at_s),
        PIDS: Observation(node.processes_max - node.processes, node.processes_max, at_s),
    }
    # File systems that make inodes as they need them (btrfs) say 0.
    if node.node_fs.inodes:
        found[NODE_INODES] = Observation(node.node_fs.inodes_free, node.node_fs.inodes, at_s)
    if node.image_fs.inodes:
        found[IMAGE_INODES] = Observation(node.image_fs.inodes_free, node.image_fs.inodes, at_s)
    pods = node.pods_cgroup
    if pods is not None and pods.limit_bytes:
        found[ALLOCATABLE_MEMORY] = Observation(
            max(pods.limit_bytes - pods.working_set_bytes, 0), pods.limit_bytes, at_s
        )
    return found


@dataclass(frozen=True, slots=True)
class EvictionState:
    """What one round leaves to the next."""

    first_seen_s: Mapping[Threshold, float] = field(default_factory=dict)
    condition_seen_s: Mapping[str, float] = field(default_factory=dict)
    met: tuple[Threshold, ...] = ()
    observations: Observations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvictionRound:
    """What is so now."""

    state: EvictionState
    conditions: tuple[str, ...]
    """Node conditions that are true, sorted."""
    acting: tuple[Threshold, ...]
    """Thresholds that ask for something to be reclaimed, the most urgent first."""


def met_thresholds(
    thresholds: Sequence[Threshold], observations: Observations, *, with_reclaim: bool = False
) -> tuple[Threshold, ...]:
    """Return the thresholds that are met, whatever their grace period."""
    return tuple(
        threshold
        for threshold in thresholds
        if (seen := observations.get(threshold.signal)) is not None
        and threshold.is_met(seen.available, seen.capacity, with_reclaim=with_reclaim)
    )


def compute_round(
    state: EvictionState,
    thresholds: Sequence[Threshold],
    observations: Observations,
    now_s: float,
    transition_s: float,
) -> EvictionRound:
    """Return what one more look at the node means."""
    met = list(met_thresholds(thresholds, observations))
    met += [t for t in met_thresholds(state.met, observations, with_reclaim=True) if t not in met]
    first_seen_s = {threshold: state.first_seen_s.get(threshold, now_s) for threshold in met}
    condition_seen_s = {**state.condition_seen_s, **{CONDITION_OF[t.signal]: now_s for t in met}}
    conditions = sorted(name for name, seen_s in condition_seen_s.items() if now_s - seen_s < transition_s)
    current = {CONDITION_OF[t.signal] for t in met}
    ripe = tuple(t for t in met if now_s - first_seen_s[t] >= t.grace_s)
    acting = [t for t in ripe if _is_news(t, observations, state.observations)]
    acting.sort(key=lambda t: t.signal not in (MEMORY, ALLOCATABLE_MEMORY))
    return EvictionRound(
        EvictionState(first_seen_s, condition_seen_s, ripe, observations),
        tuple(sorted(current | set(conditions))),
        tuple(acting),
    )


def _is_news(threshold: Threshold, observations: Observations, before: Observations) -> bool:
    last = before.get(threshold.signal)
    return last is None or observations[threshold.signal].at_s > last.at_s
