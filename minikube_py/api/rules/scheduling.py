"""Rules for what a pod says about where it may run: affinity, tolerations, spreading, gates.

Upstream: pkg/apis/core/validation validateAffinity, ValidateTolerations, validateTopologySpreadConstraints.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import dns_label_faults, dns_subdomain_faults, label_value_faults, qualified_name_faults
from minikube_py.api.rules.faults import (
    POSITIVE,
    Faults,
    all_invalid,
    check_choice,
    duplicate,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import BAD_OPERATOR, validate_label_selector, validate_values

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_WEIGHT_MAX = 100
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def validate_scheduling(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of everything in a pod spec that the scheduler looks at."""
    affinity = part(spec, "affinity")
    yield from _validate_node_affinity(part(affinity, "nodeAffinity"), f"{path}.affinity.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        yield from _validate_pod_affinity(part(affinity, field), f"{path}.affinity.{field}")
    yield from validate_tolerations(spec, path)
    yield from _validate_spread(spec, path)
    seen: set[str] = set()
    for here, gate in indexed(spec, "schedulingGates", path):
        name = gate.get("name") or ""
        yield from all_invalid(here, name, qualified_name_faults(name))
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)


def validate_tolerations(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of tolerations."""
    for here, toleration in indexed(spec, "tolerations", path):
        key, operator = toleration.get("key") or "", toleration.get("operator") or ""
        value, effect = toleration.get("value") or "", toleration.get("effect") or ""
        if key:
            yield from all_invalid(f"{here}.key", key, qualified_name_faults(key))
        elif operator != "Exists":
            detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{here}.operator", operator, detail)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield invalid(f"{here}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator in ("Equal", ""):
            yield from all_invalid(f"{here}.operator", value, label_value_faults(value))
        elif operator == "Exists":
            if value:
                yield invalid(f"{here}.operator", dict(toleration), "value must be empty when `operator` is 'Exists'")
        else:
            yield unsupported(f"{here}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in TAINT_EFFECTS:
            yield unsupported(f"{here}.effect", effect, TAINT_EFFECTS)


def _check_weight(term: Mapping[str, Any], path: str) -> Faults:
    if not 1 <= term.get("weight", 0) <= _WEIGHT_MAX:
        yield invalid(f"{path}.weight", term.get("weight", 0), f"must be in the range 1-{_WEIGHT_MAX}")


def _validate_node_affinity(affinity: Mapping[str, Any], path: str) -> Faults:
    if affinity.get(_REQUIRED) is not None:
        here = f"{path}.{_REQUIRED}"
        if not items(affinity[_REQUIRED], "nodeSelectorTerms"):
            yield required(f"{here}.nodeSelectorTerms", "must have at least one node selector term")
        for term_path, term in indexed(affinity[_REQUIRED], "nodeSelectorTerms", here):
            yield from _validate_node_term(term, term_path)
    for here, term in indexed(affinity, _PREFERRED, path):
        yield from _check_weight(term, here)
        yield from _validate_node_term(part(term, "preference"), f"{here}.preference")


def _validate_node_term(term: Mapping[str, Any], path: str) -> Faults:
    for here, requirement in indexed(term, "matchExpressions", path):
        yield from validate_values(requirement, here, numbers=True)
        key = requirement.get("key") or ""
        yield from all_invalid(f"{here}.key", key, qualified_name_faults(key))
    for here, requirement in indexed(term, "matchFields", path):
        values = items(requirement, "values")
        if requirement.get("operator") not in ("In", "NotIn"):
            yield invalid(f"{here}.operator", requirement.get("operator") or "", BAD_OPERATOR)
        elif len(values) != 1:
            detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{here}.values", detail)
        if requirement.get("key") != "metadata.name":
            yield invalid(f"{here}.key", requirement.get("key") or "", "not a valid field selector key")
        for index, value in enumerate(values):
            yield from all_invalid(f"{here}.values[{index}]", value, dns_subdomain_faults(value))


def _validate_pod_affinity(affinity: Mapping[str, Any], path: str) -> Faults:
    for here, term in indexed(affinity, _REQUIRED, path):
        yield from _validate_pod_term(term, here)
    for here, term in indexed(affinity, _PREFERRED, path):
        yield from _check_weight(term, here)
        yield from _validate_pod_term(part(term, "podAffinityTerm"), f"{here}.podAffinityTerm")


def _validate_pod_term(term: Mapping[str, Any], path: str) -> Faults:
    for field in ("labelSelector", "namespaceSelector"):
        yield from validate_label_selector(part(term, field), f"{path}.{field}")
    for here, namespace in indexed(term, "namespaces", path):
        yield from all_invalid(here, namespace, dns_label_faults(namespace))
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from all_invalid(f"{path}.topologyKey", key, qualified_name_faults(key))


def _validate_spread(spec: Mapping[str, Any], path: str) -> Faults:
    seen: set[tuple[str, str]] = set()
    for here, constraint in indexed(spec, "topologySpreadConstraints", path):
        if constraint.get("maxSkew", 0) <= 0:
            yield invalid(f"{here}.maxSkew", constraint.get("maxSkew", 0), POSITIVE)
        key, action = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        if not key:
            yield required(f"{here}.topologyKey", "can not be empty")
        else:
            yield from all_invalid(f"{here}.topologyKey", key, qualified_name_faults(key))
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            yield unsupported(f"{here}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if (key, action) in seen:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        seen.add((key, action))
        if constraint.get("minDomains") is not None and constraint["minDomains"] <= 0:
            yield invalid(f"{here}.minDomains", constraint["minDomains"], POSITIVE)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(field) is not None:
                yield from check_choice(f"{here}.{field}", constraint[field], ("Honor", "Ignore"))
        yield from validate_label_selector(part(constraint, "labelSelector"), f"{here}.labelSelector")
