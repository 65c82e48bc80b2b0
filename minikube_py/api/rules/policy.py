"""PodDisruptionBudgets: how many pods of a group may be taken away at once.

Upstream: pkg/apis/policy/validation, registry/policy/poddisruptionbudget/strategy.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.rules.conditions import check_conditions
from minikube_py.api.rules.faults import (
    Faults,
    check_not_negative,
    check_number_or_percent,
    invalid,
    items,
    part,
    percent_of,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import make_rules, start_with

DISRUPTION_ALLOWED = "DisruptionAllowed"
ALWAYS_ALLOW = "AlwaysAllow"
IF_HEALTHY_BUDGET = "IfHealthyBudget"


def check(budget: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PodDisruptionBudget."""
    spec = part(budget, "spec")
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield invalid("spec", dict(spec), "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        value = spec.get(field)
        if value is not None:
            yield from check_number_or_percent(f"spec.{field}", value)
            if (percent_of(value) or 0) > 100:
                yield invalid(f"spec.{field}", value, "must not be greater than 100%")
    if spec.get("selector") is not None:
        yield from validate_label_selector(spec["selector"], "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in (ALWAYS_ALLOW, IF_HEALTHY_BUDGET):
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, (ALWAYS_ALLOW, IF_HEALTHY_BUDGET))


def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the faults of a status: no count is negative, conditions say what conditions have to say."""
    del old
    return tuple(_check_status(part(new, "status")))


def _check_status(status: Mapping[str, Any]) -> Faults:
    yield from check_conditions(status, "status")
    for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        yield from check_not_negative(f"status.{field}", status.get(field))


def set_disruption_allowed(status: Obj, now: str) -> None:
    """Let the condition of a budget's status say what its disruptionsAllowed says.

    Upstream: component-helpers/apps/poddisruptionbudget (UpdateDisruptionAllowedCondition).
    """
    allowed = int(status.get("disruptionsAllowed") or 0) > 0
    reason = "SufficientPods" if allowed else "InsufficientPods"
    set_disruption_condition(status, allowed=allowed, reason=reason, message="", now=now)


def set_disruption_condition(status: Obj, *, allowed: bool, reason: str, message: str, now: str) -> None:
    """Put the condition DisruptionAllowed into a status; its transition time moves with its status only."""
    before: Mapping[str, Any] = next(
        (c for c in items(status, "conditions") if c.get("type") == DISRUPTION_ALLOWED), {}
    )
    others = [c for c in items(status, "conditions") if c.get("type") != DISRUPTION_ALLOWED]
    value = "True" if allowed else "False"
    same = before.get("status") == value
    status["conditions"] = [
        *others,
        {
            "type": DISRUPTION_ALLOWED,
            "status": value,
            "observedGeneration": int(status.get("observedGeneration") or 0),
            "lastTransitionTime": before.get("lastTransitionTime", now) if same else now,
            "reason": reason,
            "message": message,
        },
    ]


BUDGET_RULES = make_rules(
    check,
    prepare_create=start_with({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}),
)
