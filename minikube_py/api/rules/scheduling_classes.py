"""PriorityClasses and RuntimeClasses: names that pods use for how urgent they are and what runs them.

Upstream: pkg/apis/scheduling/validation and v1 defaults.go, pkg/apis/node/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, name_of
from minikube_py.api.names import dns_label_faults
from minikube_py.api.rules.container_resources import validate_resources
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    forbidden,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.metadata import validate_labels
from minikube_py.api.rules.rule_sets import default, default_text, make_rules
from minikube_py.api.rules.scheduling import validate_tolerations

USER_PRIORITY_MAX = 1_000_000_000
SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES: Mapping[str, int] = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
"""The classes that every cluster has."""
_PREEMPTION = ("Never", "PreemptLowerPriority")


def set_priority_defaults(priority: Obj) -> None:
    """Fill in a PriorityClass."""
    default_text(priority, "preemptionPolicy", "PreemptLowerPriority")
    default(priority, "value", 0)


def check_priority(priority: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PriorityClass."""
    name, value = name_of(priority), priority.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != value or priority.get("globalDefault"):
            what = f"{name} is not a known system priority class"
            if name in SYSTEM_CLASSES:
                what = f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
            detail = (
                f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {what}"
            )
            yield forbidden("metadata.name", detail)
    elif value > USER_PRIORITY_MAX:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {USER_PRIORITY_MAX}")
    policy = priority.get("preemptionPolicy")
    if policy is not None and policy not in _PREEMPTION:
        yield unsupported("preemptionPolicy", policy, _PREEMPTION)


def check_priority_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing what pods have been sorted by."""
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    yield from check_immutable("preemptionPolicy", new.get("preemptionPolicy"), old.get("preemptionPolicy"))


def check_runtime(runtime: Mapping[str, Any]) -> Faults:
    """Yield the faults of a RuntimeClass."""
    handler = runtime.get("handler") or ""
    if not handler:
        yield required("handler")
    yield from all_invalid("handler", handler, dns_label_faults(handler))
    overhead = part(part(runtime, "overhead"), "podFixed")
    yield from validate_resources({"limits": overhead}, "overhead.podFixed")
    scheduling = part(runtime, "scheduling")
    yield from validate_labels(part(scheduling, "nodeSelector"), "scheduling.nodeSelector")
    yield from validate_tolerations(scheduling, "scheduling")


def check_runtime_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing what runs pods that are there."""
    yield from check_immutable("handler", new.get("handler"), old.get("handler"))


PRIORITY_RULES = make_rules(check_priority, check_priority_update, set_defaults=set_priority_defaults)
RUNTIME_RULES = make_rules(check_runtime, check_runtime_update)
