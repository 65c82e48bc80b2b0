"""What a Deployment's status says: counts, Available, Progressing, ReplicaFailure.

The reasons and messages are upstream's, since `kubectl rollout status` and people read them.
Upstream: pkg/controller/deployment/progress.go and sync.go (calculateStatus).
"""

from dataclasses import dataclass

from minikube_py.api.meta import Obj, metadata, name_of
from minikube_py.controllers.conditions import (
    Condition,
    Conditions,
    find_condition,
    remove_condition,
    set_condition,
)
from minikube_py.controllers.deployment_scaling import bounds_of
from minikube_py.controllers.deployment_sets import Sets, size_of, status_count
from minikube_py.controllers.timestamps import seconds_of

_NO_DEADLINE = 2**31 - 1


def progress_deadline_s(deployment: Obj) -> float | None:
    """Return spec.progressDeadlineSeconds; None: none (absent, or the largest number)."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds >= _NO_DEADLINE else float(seconds)


def conditions_of(deployment: Obj) -> Conditions:
    """Return status.conditions."""
    return tuple((deployment.get("status") or {}).get("conditions") or ())


def set_progressing(
    conditions: Conditions, status: str, reason: str, message: str, now_s: float, *, force: bool = False
) -> Conditions:
    """Return the conditions with Progressing set."""
    wanted = Condition("Progressing", status, reason, message)
    return set_condition(conditions, wanted, now_s, update_time=True, force=force)


def note_pause(deployment: Obj, conditions: Conditions, now_s: float) -> Conditions:
    """Return the conditions with a pause or its end noted, which also stops the clock of the progress deadline."""
    if progress_deadline_s(deployment) is None:
        return conditions
    current = find_condition(conditions, "Progressing")
    reason = current.get("reason") if current is not None else None
    if reason == "ProgressDeadlineExceeded":
        return conditions
    paused = bool(deployment["spec"].get("paused"))
    if paused and reason != "DeploymentPaused":
        return set_progressing(conditions, "Unknown", "DeploymentPaused", "Deployment is paused", now_s)
    if not paused and reason == "DeploymentPaused":
        return set_progressing(conditions, "Unknown", "DeploymentResumed", "Deployment is resumed", now_s)
    return conditions


def compute_counts(deployment: Obj, sets: Sets, conditions: Conditions, now_s: float) -> Obj:
    """Return the status with its counts and the condition Available (upstream: calculateStatus)."""
    bounds = bounds_of(deployment)
    available = sum(status_count(rs, "availableReplicas") for rs in sets.all)
    counts = {
        "replicas": sum(status_count(rs, "replicas") for rs in sets.all),
        "updatedReplicas": status_count(sets.new, "replicas") if sets.new is not None else 0,
        "readyReplicas": sum(status_count(rs, "readyReplicas") for rs in sets.all),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(size_of(rs) for rs in sets.all) - available),
    }
    enough = available >= bounds.available_min
    wanted = Condition(
        "Available",
        "True" if enough else "False",
        "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    )
    status: Obj = {"observedGeneration": metadata(deployment).get("generation", 0)}
    status |= {field: count for field, count in counts.items() if count}
    terminating = [(rs.get("status") or {}).get("terminatingReplicas") for rs in sets.all]
    if all(count is not None for count in terminating):
        status["terminatingReplicas"] = sum(int(count or 0) for count in terminating)
    if collisions := (deployment.get("status") or {}).get("collisionCount"):
        status["collisionCount"] = collisions
    status["conditions"] = list(set_condition(conditions, wanted, now_s, update_time=True))
    return status


def is_complete(deployment: Obj, status: Obj) -> bool:
    """Return whether all wanted pods are new and available, and no others are left."""
    wanted = int(deployment["spec"].get("replicas", 1))
    numbers = (status.get(field) or 0 for field in ("updatedReplicas", "replicas", "availableReplicas"))
    seen = status.get("observedGeneration") or 0
    return all(number == wanted for number in numbers) and seen >= metadata(deployment).get("generation", 0)


def _has_progressed(old: Obj, new: Obj) -> bool:
    def count(status: Obj, field: str) -> int:
        return int(status.get(field) or 0)

    def outdated(status: Obj) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    return outdated(new) < outdated(old) or any(
        count(new, field) > count(old, field) for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """A status, and in how many seconds the progress deadline has to be looked at again."""

    status: Obj
    check_after_s: float | None


def compute_rollout_status(deployment: Obj, sets: Sets, conditions: Conditions, now_s: float) -> Progress:
    """Return the status of a rollout under way (upstream: syncRolloutStatus)."""
    deadline_s = progress_deadline_s(deployment)
    old = deployment.get("status") or {}
    if deadline_s is None:
        conditions = remove_condition(conditions, "Progressing")
    status = compute_counts(deployment, sets, conditions, now_s)
    conditions = tuple(status["conditions"])
    current = find_condition(conditions, "Progressing")
    done_before = (
        current is not None
        and current.get("reason") == "NewReplicaSetAvailable"
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
    )
    if deadline_s is not None and not done_before:
        conditions = _judge(deployment, sets, (old, status), conditions, now_s)
    status["conditions"] = list(_with_failures(sets, conditions, now_s))
    return Progress(status, _deadline_after_s(deployment, status, now_s))


def _judge(
    deployment: Obj, sets: Sets, statuses: tuple[Obj, Obj], conditions: Conditions, now_s: float
) -> Conditions:
    old, status = statuses
    who = f'Deployment "{name_of(deployment)}"' if sets.new is None else f'ReplicaSet "{name_of(sets.new)}"'
    if is_complete(deployment, status):
        return set_progressing(
            conditions, "True", "NewReplicaSetAvailable", f"{who} has successfully progressed.", now_s
        )
    if _has_progressed(old, status):
        # Renewed each time: the progress deadline counts from lastUpdateTime.
        return set_progressing(conditions, "True", "ReplicaSetUpdated", f"{who} is progressing.", now_s, force=True)
    due_s = _deadline_s(deployment, conditions)
    if due_s is not None and due_s < now_s:
        return set_progressing(
            conditions, "False", "ProgressDeadlineExceeded", f"{who} has timed out progressing.", now_s
        )
    return conditions


def _deadline_s(deployment: Obj, conditions: Conditions) -> float | None:
    """Return when the rollout counts as stuck; None: it is done, or counts as stuck already, or has no deadline."""
    deadline_s = progress_deadline_s(deployment)
    current = find_condition(conditions, "Progressing")
    if deadline_s is None or current is None:
        return None
    if current.get("reason") in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    return seconds_of(current.get("lastUpdateTime")) + deadline_s


def _deadline_after_s(deployment: Obj, status: Obj, now_s: float) -> float | None:
    due_s = _deadline_s(deployment, tuple(status["conditions"]))
    # Times are kept in whole seconds: a second later than due is surely past it.
    return None if due_s is None else max(due_s - now_s, 0.0) + 1.0


def _with_failures(sets: Sets, conditions: Conditions, now_s: float) -> Conditions:
    ordered = (sets.new, *sets.old) if sets.new is not None else sets.old
    for rs in ordered:
        failure = find_condition((rs.get("status") or {}).get("conditions") or (), "ReplicaFailure")
        if failure is not None:
            wanted = Condition("ReplicaFailure", failure["status"], failure["reason"], failure["message"])
            return set_condition(conditions, wanted, now_s, update_time=True)
    return remove_condition(conditions, "ReplicaFailure")
