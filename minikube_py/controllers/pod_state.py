"""What a pod's status means to controllers: active, ready, available since when.

Upstream: pkg/api/v1/pod and pkg/controller/controller_utils.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minikube_py.api.meta import Obj, is_deleting
from minikube_py.controllers.timestamps import seconds_of


def phase_of(pod: Mapping[str, Any]) -> str:
    """Return status.phase."""
    return str((pod.get("status") or {}).get("phase", ""))


def is_terminal(pod: Mapping[str, Any]) -> bool:
    """Return whether the pod has ended for good."""
    return phase_of(pod) in ("Succeeded", "Failed")


def is_active(pod: Mapping[str, Any]) -> bool:
    """Return whether the pod counts as a replica: not ended, not being deleted."""
    return not is_terminal(pod) and not is_deleting(pod)


def condition_of(obj: Mapping[str, Any], kind: str) -> Obj | None:
    """Return a copy of the condition of that type (of a pod, or of a node), or None."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            return dict(condition)
    return None


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether the Ready condition (of a pod, or of a node) is True."""
    condition = condition_of(pod, "Ready")
    return condition is not None and condition.get("status") == "True"


def ready_since_s(pod: Mapping[str, Any]) -> float:
    """Return when the Ready condition last changed (wall clock, 0 when unknown)."""
    condition = condition_of(pod, "Ready") or {}
    return seconds_of(condition.get("lastTransitionTime"))


def available_at_s(pod: Mapping[str, Any], min_ready_s: float) -> float | None:
    """Return from when on the pod counts as available; None while it is not ready."""
    if not is_ready(pod):
        return None
    return ready_since_s(pod) + min_ready_s if min_ready_s else 0.0


def count_available(pods: Iterable[Mapping[str, Any]], min_ready_s: float, now_s: float) -> tuple[int, float | None]:
    """Return how many pods are available, and in how many seconds the next ready one will be (None: no such)."""
    available, waits = 0, []
    for pod in pods:
        at_s = available_at_s(pod, min_ready_s)
        if at_s is not None and at_s <= now_s:
            available += 1
        elif at_s is not None:
            waits.append(at_s - now_s)
    return available, min(waits, default=None)
