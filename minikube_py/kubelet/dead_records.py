"""Which dead containers and sandboxes to remove: the newest dead run of each container stays, for logs and lastState.

Upstream: kuberuntime_gc.go with MaxPerPodContainer 1. Pods without a worker are not touched here unless nothing of
them runs: their containers are stopped by an orphan's worker first.
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


def compute_dead_records(listing: RuntimeListing, active_uids: frozenset[str], keep_max: int) -> DeadRecords:
    """Return what can go: of active pods all but the newest run and `keep_max` dead ones, of others all dead."""
    runs: dict[tuple[str, str], list[ContainerRecord]] = defaultdict(list)
    for container in listing.containers:
        runs[(container.pod.uid, container.name)].append(container)
    containers: list[ContainerRecord] = []
    for (uid, _), records in sorted(runs.items()):
        newest_first = sorted(records, key=lambda c: (c.attempt, c.created_at_s, c.id), reverse=True)
        if uid in active_uids:
            # A live newest run keeps `keep_max` dead ones before it; a dead newest run is what status shows.
            dead = [c for c in newest_first[1:] if _is_dead(c)]
            containers.extend(dead[keep_max:])
        else:
            containers.extend(c for c in newest_first if _is_dead(c))
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
