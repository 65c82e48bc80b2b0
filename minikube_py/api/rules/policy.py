"""PodDisruptionBudgets: how many pods of a group may be taken away at once.

Upstream: pkg/apis/policy/validation, registry/policy/poddisruptionbudget/strategy.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.rules.faults import (
    Faults,
    check_number_or_percent,
    invalid,
    part,
    percent_of,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import make_rules, start_with

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


BUDGET_RULES = make_rules(
    check,
    prepare_create=start_with({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}),
)
