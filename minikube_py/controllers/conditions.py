"""Conditions of a status (type, status, reason, message, times), as tuples that are replaced, never changed.

Upstream's rule in all its controllers: a condition that says the same (status and reason) stays as it is, message
and times included; one whose status stays keeps its transition time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, format_time

Conditions = tuple[Obj, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What to say."""

    type: str
    status: str
    reason: str
    message: str


def find_condition(conditions: Sequence[Obj], kind: str) -> Obj | None:
    """Return the condition of that type, or None."""
    return next((condition for condition in conditions if condition.get("type") == kind), None)


def remove_condition(conditions: Sequence[Obj], kind: str) -> Conditions:
    """Return the conditions without those of that type."""
    return tuple(condition for condition in conditions if condition.get("type") != kind)


def set_condition(
    conditions: Sequence[Obj], wanted: Condition, now_s: float, *, update_time: bool = False, force: bool = False
) -> Conditions:
    """Return the conditions with `wanted` in; `update_time`: it has lastUpdateTime; `force`: always renew it."""
    current = find_condition(conditions, wanted.type)
    same_status = current is not None and current.get("status") == wanted.status
    if current is not None and same_status and current.get("reason") == wanted.reason and not force:
        return tuple(conditions)
    now = format_time(now_s)
    since = current.get("lastTransitionTime", now) if current is not None and same_status else now
    condition: Obj = {"type": wanted.type, "status": wanted.status}
    if update_time:
        condition["lastUpdateTime"] = now
    condition |= {"lastTransitionTime": since, "reason": wanted.reason, "message": wanted.message}
    return (*remove_condition(conditions, wanted.type), condition)
