"""LimitRanges and ResourceQuotas: what may be asked for in a namespace, by one object and by all together.

Upstream: pkg/apis/core/validation ValidateLimitRange, ValidateResourceQuota; pkg/apis/core/v1 defaults.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import qualified_name_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import (
    NOT_NEGATIVE,
    Faults,
    all_invalid,
    check_immutable,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
)
from minikube_py.api.rules.rule_sets import default, make_rules, start_with

_MAPS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_STANDARD = frozenset(
    {
        "cpu",
        "memory",
        "ephemeral-storage",
        "storage",
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
    }
)
_SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_EXCLUSIVE = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_COUNTS = ("pods", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims")


def set_limit_range_defaults(limit_range: Obj) -> None:
    """Fill in a LimitRange: for containers a limit stands for the maximum, a request for the limit or the minimum."""
    spec = limit_range.setdefault("spec", {})
    default(spec, "limits", [])
    for item in spec["limits"]:
        if item.get("type") != "Container":
            continue
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        for field, amounts in (("default", limits), ("defaultRequest", requests)):
            if amounts:
                item[field] = amounts


def check_limit_range(limit_range: Mapping[str, Any]) -> Faults:
    """Yield the faults of a LimitRange."""
    seen: set[str] = set()
    for path, item in indexed(part(limit_range, "spec"), "limits", "spec"):
        kind = item.get("type") or ""
        if not kind:
            yield required(f"{path}.type")
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if item.get(field):
                    yield forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
        if kind == "PersistentVolumeClaim" and not {"storage"} & {*part(item, "min"), *part(item, "max")}:
            yield required(
                f"{path}.limits", "either minimum or maximum storage value is required, but neither was provided"
            )
        for name in sorted({name for field in _MAPS for name in part(item, field)}):
            yield from _validate_amounts(item, name, path)


def _validate_amounts(item: Mapping[str, Any], name: str, path: str) -> Faults:
    yield from all_invalid(f"{path}.{name}", name, qualified_name_faults(name))
    given = {field: parse_quantity(str(item[field][name])) for field in _MAPS if name in part(item, field)}

    def over(small: str, large: str, blamed: str, what: str) -> Faults:
        if small in given and large in given and given[small].nano > given[large].nano:
            yield invalid(
                f"{path}.{blamed}[{name}]", str(given[blamed]), f"{what.format(given[small], given[large])}"
            )

    yield from over("min", "max", "min", "min value {} is greater than max value {}")
    request = "defaultRequest"
    yield from over("min", request, request, "min value {} is greater than default request value {}")
    yield from over(request, "max", request, "default request value {} is greater than max value {}")
    yield from over(request, "default", request, "default request value {} is greater than default limit value {}")
    yield from over("min", "default", "default", "min value {} is greater than default value {}")
    yield from over("default", "max", "default", "default value {} is greater than max value {}")
    ratio = given.get("maxLimitRequestRatio")
    if ratio is not None and ratio.nano < 10**9:
        yield invalid(f"{path}.maxLimitRequestRatio[{name}]", str(ratio), f"ratio {ratio} is less than 1")


def check_quota(quota: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceQuota."""
    spec = part(quota, "spec")
    for name, amount in sorted(part(spec, "hard").items(), key=lambda pair: pair[0]):
        path, quantity = f"spec.hard[{name}]", parse_quantity(str(amount))
        yield from all_invalid(path, name, qualified_name_faults(name))
        if "/" not in name and name not in _STANDARD and "hugepages-" not in name:
            yield invalid(path, name, "must be a standard resource type or fully qualified")
            yield invalid(path, name, "must be a standard resource for quota")
        if quantity.nano < 0:
            yield invalid(path, str(quantity), NOT_NEGATIVE)
        if (name in _COUNTS or name.startswith("count/")) and quantity.nano % 10**9:
            yield invalid(path, str(quantity), "must be an integer")
    scopes = items(spec, "scopes")
    if any(scope not in _SCOPES for scope in scopes):
        yield invalid("spec.scopes", list(scopes), "unsupported scope")
    for pair in _EXCLUSIVE:
        if set(pair) <= set(scopes):
            yield invalid("spec.scopes", list(scopes), "conflicting scopes")
    yield from _validate_scope_selector(spec)


def _validate_scope_selector(spec: Mapping[str, Any]) -> Faults:
    path = "spec.scopeSelector"
    for here, requirement in indexed(part(spec, "scopeSelector"), "matchExpressions", path):
        operator, values = requirement.get("operator"), items(requirement, "values")
        if requirement.get("scopeName") not in _SCOPES:
            yield invalid(f"{path}.matchExpressions", requirement.get("scopeName") or "", "unsupported scope")
        if operator in ("In", "NotIn") and not values:
            yield required(
                f"{here}.values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
        elif operator in ("Exists", "DoesNotExist") and values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{here}.values", list(values), detail)
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            yield invalid(f"{here}.operator", operator or "", "not a valid selector operator")


def check_quota_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing what a quota counts."""
    for field in ("scopes", "scopeSelector"):
        spec, before = part(new, "spec").get(field), part(old, "spec").get(field)
        if isinstance(spec, list) and isinstance(before, list):
            spec, before = sorted(spec), sorted(before)
        yield from check_immutable(f"spec.{field}", spec, before)


LIMIT_RANGE_RULES = make_rules(check_limit_range, set_defaults=set_limit_range_defaults)
QUOTA_RULES = make_rules(check_quota, check_quota_update, prepare_create=start_with({}))
