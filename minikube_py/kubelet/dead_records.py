"""Which dead containers and sandboxes to remove: the newest dead run of each container stays, for logs and lastState.

Pods without a worker are not touched here unless nothing of them runs: their containers are stopped by an orphan's
worker first. Upstream: kuberuntime_gc.go (MinAge, MaxPerPodContainer, MaxContainers).
"""

from collections import defaultdict
from dataclasses import dataclass

from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    RuntimeListing,
    SandboxId,
)


@dataclass(frozen=True, slots=True)
class DeadRecords:
    """What to remove, containers first."""

    containers: tuple[ContainerId, ...]
    sandboxes: tuple[SandboxId, ...]


@dataclass(frozen=True, slots=True)
class DeadPolicy:
    """How many dead runs of active pods stay besides the newest run of each container."""

    keep_max: int = 1
    """For each container."""
    total_max: int = -1
    """On the whole node, the newest of them; -1: no limit."""
    newest_to_go_s: float = float("inf")
    """Wall clock: what was created later stays, of whatever pod."""


def compute_dead_records(listing: RuntimeListing, active_uids: frozenset[str], policy: DeadPolicy) -> DeadRecords:
    """Return what can go: of active pods all but the newest run and some dead ones, of others all dead."""
    runs: dict[tuple[str, str], list[ContainerRecord]] = defaultdict(list)
    for container in listing.containers:
        runs[(container.pod.uid, container.name)].append(container)
    containers: list[ContainerRecord] = []
    kept: list[ContainerRecord] = []
    for (uid, _), records in sorted(runs.items()):
        newest_first = sorted(records, key=lambda c: (c.attempt, c.created_at_s, c.id), reverse=True)
        if uid in active_uids:
            # A live newest run keeps `keep_max` dead ones before it; a dead newest run is what status shows.
            dead = [c for c in newest_first[1:] if _is_dead(c)]
            containers.extend(dead[policy.keep_max :])
            kept.extend(dead[: policy.keep_max])
        else:
            containers.extend(c for c in newest_first if _is_dead(c))
    if policy.total_max >= 0:
        kept.sort(key=lambda c: (c.created_at_s, c.id), reverse=True)
        containers.extend(kept[policy.total_max :])
    containers = [c for c in containers if c.created_at_s <= policy.newest_to_go_s]
    gone = {c.id for c in containers}
    used = {c.sandbox_id for c in listing.containers if c.id not in gone}
    return DeadRecords(tuple(c.id for c in containers), _dead_sandboxes(listing, active_uids, used))


def _is_dead(container: ContainerRecord) -> bool:
    return container.phase is ContainerPhase.EXITED


def _dead_sandboxes(
    listing: RuntimeListing, active_uids: frozenset[str], used: set[SandboxId]
) -> tuple[SandboxId, ...]:
    newest = {}
    for sandbox in sorted(listing.sandboxes, key=lambda s: (s.attempt, s.created_at_s)):
        newest[sandbox.pod.uid] = sandbox.id
    return tuple(
        sandbox.id
        for sandbox in sorted(listing.sandboxes, key=lambda s: (s.pod.uid, s.attempt, s.id))
        if not sandbox.ready
        and sandbox.id not in used
        and not (sandbox.pod.uid in active_uids and newest[sandbox.pod.uid] == sandbox.id)
    )
