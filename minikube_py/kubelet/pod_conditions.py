"""The conditions that the kubelet owns in a pod's status, and how transition times are kept.

Upstream: kubelet/status/generate.go. Conditions of others (readiness gates, DisruptionTarget) are not touched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resize import IN_PROGRESS, PENDING

RESIZE_TYPES = (PENDING, IN_PROGRESS)
OWNED = (*RESIZE_TYPES, "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
"""The types that the kubelet writes, in the order in which they stand in the status."""


def pod_conditions(
    pod: Pod,
    phase: str,
    init_statuses: Sequence[Mapping[str, Any]],
    statuses: Sequence[Mapping[str, Any]],
    *,
    sandbox_ready: bool,
    others: Sequence[Mapping[str, Any]],
) -> list[Obj]:
    """Return the owned conditions without times: type, status and, where they are not plain, reason and message."""
    containers_ready = _containers_ready(pod, phase, init_statuses, statuses)
    return [
        _condition("PodReadyToStartContainers", is_true=sandbox_ready),
        _initialized(pod, phase, init_statuses, statuses),
        _ready(pod, containers_ready, others),
        containers_ready,
        _condition("PodScheduled", is_true=True),
    ]


def resize_conditions(pending_reason: str, pending_message: str, *, in_progress: bool, error: str) -> list[Obj]:
    """Return the conditions of a resize that waits, or is being done; none of them when there is none."""
    found: list[Obj] = []
    if pending_reason:
        found.append(_condition(PENDING, is_true=True, reason=pending_reason, message=pending_message))
    if in_progress:
        found.append(_condition(IN_PROGRESS, is_true=True, reason="Error" if error else "", message=error))
    return found


def _condition(type: str, *, is_true: bool, reason: str = "", message: str = "") -> Obj:
    condition: Obj = {"type": type, "status": "True" if is_true else "False"}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _initialized(
    pod: Pod,
    phase: str,
    init_statuses: Sequence[Mapping[str, Any]],
    statuses: Sequence[Mapping[str, Any]],
) -> Obj:
    if phase == "Succeeded":
        return _condition("Initialized", is_true=True, reason="PodCompleted")
    sidecars = {c.name for c in pod.init_containers if c.is_sidecar}
    # Once a regular container was made, initialization is over for good.
    started = any("containerID" in entry for entry in statuses)
    incomplete = [
        entry["name"]
        for entry in init_statuses
        if not (entry.get("started") if entry["name"] in sidecars else entry.get("ready"))
    ]
    if incomplete and not started:
        message = f"containers with incomplete status: [{' '.join(incomplete)}]"
        return _condition("Initialized", is_true=False, reason="ContainersNotInitialized", message=message)
    return _condition("Initialized", is_true=True)


def _containers_ready(
    pod: Pod,
    phase: str,
    init_statuses: Sequence[Mapping[str, Any]],
    statuses: Sequence[Mapping[str, Any]],
) -> Obj:
    if phase == "Succeeded":
        return _condition("ContainersReady", is_true=False, reason="PodCompleted")
    if phase == "Failed":
        return _condition("ContainersReady", is_true=False, reason="PodFailed")
    sidecars = {c.name for c in pod.init_containers if c.is_sidecar}
    relevant = [entry for entry in init_statuses if entry["name"] in sidecars]
    relevant.extend(statuses)
    unready = [entry["name"] for entry in relevant if not entry.get("ready")]
    if unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        return _condition("ContainersReady", is_true=False, reason="ContainersNotReady", message=message)
    return _condition("ContainersReady", is_true=True)


def _ready(pod: Pod, containers_ready: Obj, others: Sequence[Mapping[str, Any]]) -> Obj:
    if containers_ready["status"] != "True":
        return {**containers_ready, "type": "Ready"}
    by_type = {c["type"]: c for c in others}
    faults: list[str] = []
    for gate in pod.readiness_gates:
        condition = by_type.get(gate)
        if condition is None:
            faults.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif condition.get("status") != "True":
            faults.append(f'the status of pod readiness gate "{gate}" is not "True", but {condition.get("status")}')
    if faults:
        return _condition("Ready", is_true=False, reason="ReadinessGatesNotReady", message=", ".join(faults))
    return _condition("Ready", is_true=True)


def with_times(
    conditions: Sequence[Obj], previous: Sequence[Mapping[str, Any]], now: str, generation: int
) -> list[Obj]:
    """Return the conditions with transition times: the old time while the status is the old one, else `now`."""
    before = {c["type"]: c for c in previous}
    result: list[Obj] = []
    for condition in conditions:
        old = before.get(condition["type"])
        unchanged = old is not None and old.get("status") == condition["status"]
        since = old.get("lastTransitionTime") if old is not None and unchanged else now
        full: Obj = {"type": condition["type"]}
        if generation:
            full["observedGeneration"] = generation
        full |= {"status": condition["status"], "lastProbeTime": None, "lastTransitionTime": since or now}
        full |= {k: condition[k] for k in ("reason", "message") if k in condition}
        result.append(full)
    return result
