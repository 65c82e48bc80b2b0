"""What becomes of the pods when the host shuts down: who goes first, how long each has, and what is said of it.

Two groups, one after the other: first the ordinary pods, which have the grace period less the critical pods' part;
then the critical ones. Upstream: kubelet/nodeshutdown (managerImpl), kubelet/nodeshutdown/systemd.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minikube_py.kubelet.eviction_ranking import is_critical
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_status import PodFailure

NODE_FAULT = "node is shutting down"
"""Why the node is not Ready meanwhile."""
TERMINATED = PodFailure("Terminated", "Pod was terminated in response to imminent node shutdown.", disruption=True)
"""What the status of a pod says that had to go."""
NOT_TAKEN = PodFailure("NodeShutdown", "Pod was rejected as the node is shutting down.", rejected=True)
"""What the status of a pod says that came too late."""


@dataclass(frozen=True, slots=True)
class ShutdownGroup:
    """Pods that go at the same time."""

    pods: tuple[Pod, ...]
    grace_s: float
    """How long they have, and how long is waited for them."""


def shutdown_groups(pods: Iterable[Pod], grace_s: float, critical_s: float) -> tuple[ShutdownGroup, ...]:
    """Return who goes when."""
    sides: dict[bool, list[Pod]] = {False: [], True: []}
    for pod in pods:
        sides[is_critical(pod)].append(pod)
    critical_s = min(critical_s, grace_s)
    return (ShutdownGroup(tuple(sides[False]), grace_s - critical_s), ShutdownGroup(tuple(sides[True]), critical_s))


def grace_of(pod: Pod, group: ShutdownGroup) -> float:
    """Return how long one pod has: its own grace period where the group's is not shorter."""
    return min(pod.termination_grace_s, group.grace_s)


def delay_override(grace_s: float) -> str:
    """Return the file that makes logind wait that long for us."""
    return f"[Login]\nInhibitDelayMaxSec={grace_s:.0f}\n"
