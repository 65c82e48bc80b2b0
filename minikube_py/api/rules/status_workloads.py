"""What a status of a workload may say: counts that can be, and an end that stays an end.

Upstream: pkg/apis/{apps,batch,autoscaling,core}/validation (Validate*StatusUpdate).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.rules.faults import (
    Faults,
    check_not_negative,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)

_REPLICAS = "cannot be greater than status.replicas"
_READY = "cannot be greater than readyReplicas"


def _check_counts(status: Mapping[str, Any], fields: tuple[str, ...]) -> Faults:
    for field in fields:
        yield from check_not_negative(f"status.{field}", status.get(field))


def _check_at_most(status: Mapping[str, Any], fields: tuple[str, ...], limit: str, detail: str) -> Faults:
    for field in fields:
        if (status.get(field) or 0) > (status.get(limit) or 0):
            yield invalid(f"status.{field}", status.get(field) or 0, detail)


def _check_collisions(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Names that were tried in vain stay known."""
    count, before = part(new, "status").get("collisionCount"), part(old, "status").get("collisionCount")
    yield from check_not_negative("status.collisionCount", count)
    if (count or 0) < (before or 0):
        yield invalid("status.collisionCount", count or 0, "cannot be decremented")


def validate_replica_set(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a ReplicaSet or ReplicationController."""
    status = part(new, "status")
    ready = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from _check_counts(status, ("replicas", *ready, "observedGeneration"))
    yield from _check_at_most(status, ready, "replicas", _REPLICAS)
    yield from _check_at_most(status, ("availableReplicas",), "readyReplicas", _READY)


def validate_deployment(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a Deployment."""
    status = part(new, "status")
    some = ("updatedReplicas", "readyReplicas", "availableReplicas")
    yield from _check_counts(status, ("observedGeneration", "replicas", *some, "unavailableReplicas"))
    yield from _check_at_most(status, some, "replicas", _REPLICAS)
    yield from _check_at_most(status, ("availableReplicas",), "readyReplicas", _READY)
    yield from _check_collisions(new, old)


def validate_daemon_set(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a DaemonSet."""
    scheduled = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "updatedNumberScheduled")
    numbers = ("numberReady", "numberAvailable", "numberUnavailable", "observedGeneration")
    yield from _check_counts(part(new, "status"), (*scheduled, *numbers))
    yield from _check_collisions(new, old)


def validate_stateful_set(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a StatefulSet."""
    status = part(new, "status")
    some = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    yield from _check_counts(status, ("replicas", *some, "observedGeneration"))
    yield from _check_at_most(status, some, "replicas", _REPLICAS)
    yield from _check_at_most(status, ("availableReplicas",), "readyReplicas", _READY)
    yield from _check_collisions(new, old)


def validate_autoscaler(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a HorizontalPodAutoscaler."""
    yield from _check_counts(part(new, "status"), ("currentReplicas", "desiredReplicas"))


def validate_job(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of the status of a Job; what was wrong already does not block another change."""
    known = {(fault.field, fault.detail) for fault in _job_faults(old)}
    yield from (fault for fault in _job_faults(new) if (fault.field, fault.detail) not in known)
    yield from _check_job_change(new, old)


def _is(status: Mapping[str, Any], kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in items(status, "conditions"))


def _job_faults(job: Mapping[str, Any]) -> Faults:
    status = part(job, "status")
    yield from _check_counts(status, ("active", "succeeded", "failed", "ready", "terminating"))
    for path, condition in indexed(status, "conditions", "status"):
        if condition.get("status") not in ("True", "False", "Unknown"):
            yield unsupported(f"{path}.status", condition.get("status") or "", ("False", "True", "Unknown"))
    active, ready = status.get("active") or 0, status.get("ready") or 0
    if ready > active:
        yield invalid("status.ready", ready, "cannot set more ready pods than active")
    complete, failed = _is(status, "Complete"), _is(status, "Failed")
    if complete and failed:
        yield invalid("status.conditions", "", "cannot set Complete=True and Failed=true conditions")
    if complete and not status.get("completionTime"):
        yield required("status.completionTime", "completionTime is required for Complete jobs")
    if status.get("completionTime") and not complete:
        detail = "cannot set completionTime when there is no Complete=True condition"
        yield invalid("status.completionTime", status["completionTime"], detail)
    if status.get("completionTime") and (status.get("startTime") or "") > status["completionTime"]:
        yield invalid(
            "status.completionTime", status["completionTime"], "completionTime cannot be set before startTime"
        )
    if complete or failed:
        yield from _check_finished(status)


def _check_finished(status: Mapping[str, Any]) -> Faults:
    for field in ("active", "terminating"):
        if (status.get(field) or 0) > 0:
            yield invalid(f"status.{field}", status[field], f"{field}>0 is invalid for finished job")
    uncounted = part(status, "uncountedTerminatedPods")
    if items(uncounted, "succeeded") or items(uncounted, "failed"):
        detail = "uncountedTerminatedPods needs to be empty for finished job"
        yield invalid("status.uncountedTerminatedPods", dict(uncounted), detail)


def _check_job_change(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """A Job that has ended stays so, and a start is known for as long as the Job runs."""
    status, before = part(new, "status"), part(old, "status")
    for kind in ("Complete", "Failed"):
        if _is(before, kind) and not _is(status, kind):
            yield invalid("status.conditions", "", f"cannot disable the terminal {kind}=True condition")
    for field in ("succeeded", "failed"):
        if (status.get(field) or 0) < (before.get(field) or 0) and not part(new, "spec").get("suspend"):
            if field == "succeeded" and part(new, "spec").get("completionMode") == "Indexed":
                continue
            detail = f"cannot decrease the {field} counter"
            yield invalid(f"status.{field}", status.get(field) or 0, detail)
    if before.get("completionTime") and status.get("completionTime") != before["completionTime"]:
        yield invalid("status.completionTime", status.get("completionTime") or "", "field is immutable")
    if before.get("startTime") and not status.get("startTime") and not part(new, "spec").get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
    terminal = _is(before, "Complete") or _is(before, "Failed")
    if terminal and before.get("startTime") != status.get("startTime"):
        yield forbidden("status.startTime", "startTime cannot be changed once the job has finished")
