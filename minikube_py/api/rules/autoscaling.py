"""HorizontalPodAutoscalers: what they get, and when they are right, in the form of autoscaling/v2.

Upstream: pkg/apis/autoscaling/v2 defaults.go, pkg/apis/autoscaling/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import path_segment_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_not_negative,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

DEFAULT_CPU_UTILIZATION = 80
SOURCES: Mapping[str, str] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
"""Metric type -> the field that describes it."""
_TARGET_TYPES = ("AverageValue", "Utilization", "Value")
_SELECT_POLICIES = ("Disabled", "Max", "Min")
_WINDOW_S_MAX = 3600
_PERIOD_S_MAX = 1800
_NAMED = ("containerResource", "resource")


def set_defaults(autoscaler: Obj) -> None:
    """Fill in an autoscaler: without metrics it aims at 80 % of the requested CPU."""
    spec = autoscaler.setdefault("spec", {})
    default(spec, "minReplicas", 1)
    if not spec.get("metrics"):
        spec["metrics"] = [cpu_metric(DEFAULT_CPU_UTILIZATION)]
    if spec.get("behavior") is not None:
        _set_behavior_defaults(spec["behavior"])


def cpu_metric(percent: int) -> Obj:
    """Return the metric that keeps pods at so much of the CPU that they asked for."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _set_behavior_defaults(behavior: Obj) -> None:
    """Fill in how fast it goes: up by 4 pods or 100 % in 15 s, down as far as it likes after 5 minutes."""
    up = behavior.setdefault("scaleUp", {})
    default(up, "stabilizationWindowSeconds", 0)
    default_text(up, "selectPolicy", "Max")
    if not up.get("policies"):
        up["policies"] = [_policy("Pods", 4), _policy("Percent", 100)]
    down = behavior.setdefault("scaleDown", {})
    default_text(down, "selectPolicy", "Max")
    if not down.get("policies"):
        down["policies"] = [_policy("Percent", 100)]


def _policy(kind: str, value: int) -> Obj:
    return {"type": kind, "value": value, "periodSeconds": 15}


def check(autoscaler: Mapping[str, Any]) -> Faults:
    """Yield the faults of an autoscaler."""
    spec = part(autoscaler, "spec")
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if low is not None and low < 1:
        yield invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high < 1:
        yield invalid("spec.maxReplicas", high, "must be greater than 0")
    if low is not None and high < low:
        yield invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    yield from _check_target(part(spec, "scaleTargetRef"), "spec.scaleTargetRef")
    for path, metric in indexed(spec, "metrics", "spec"):
        yield from _check_metric(metric, path)
    for direction in ("scaleUp", "scaleDown"):
        rules = part(spec, "behavior").get(direction)
        if rules is not None:
            yield from _check_scaling(rules, f"spec.behavior.{direction}")


def _check_target(target: Mapping[str, Any], path: str) -> Faults:
    for field in ("kind", "name"):
        text = target.get(field) or ""
        if not text:
            yield required(f"{path}.{field}")
        yield from all_invalid(f"{path}.{field}", text, path_segment_faults(text))


def _check_metric(metric: Mapping[str, Any], path: str) -> Faults:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
        return
    if kind not in SOURCES:
        yield unsupported(f"{path}.type", kind, SOURCES)
        return
    field = SOURCES[kind]
    for other in SOURCES.values():
        if other != field and metric.get(other) is not None:
            yield forbidden(f"{path}.{other}", "must populate the given metric source only")
    source = metric.get(field)
    if source is None:
        yield required(f"{path}.{field}", "must populate information for the given metric source")
        return
    here = f"{path}.{field}"
    if field in _NAMED:
        if not source.get("name"):
            yield required(f"{here}.name", "must specify a resource name")
        if field == "containerResource" and not source.get("container"):
            yield required(f"{here}.container", "must specify a container")
    else:
        yield from _check_identifier(part(source, "metric"), f"{here}.metric")
    if field == "object":
        yield from _check_target(part(source, "describedObject"), f"{here}.describedObject")
    yield from _check_metric_target(part(source, "target"), f"{here}.target", named=field in _NAMED)


def _check_identifier(metric: Mapping[str, Any], path: str) -> Faults:
    name = metric.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    yield from all_invalid(f"{path}.name", name, path_segment_faults(name))
    if metric.get("selector") is not None:
        yield from validate_label_selector(metric["selector"], f"{path}.selector")


def _check_metric_target(target: Mapping[str, Any], path: str, *, named: bool) -> Faults:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    elif kind not in _TARGET_TYPES:
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        amount = target.get(field)
        if amount is not None and parse_quantity(str(amount)).nano <= 0:
            yield invalid(f"{path}.{field}", str(amount), "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(f"{path}.averageUtilization", utilization, "must be greater than 0")
    given = [field for field in ("averageUtilization", "averageValue", "value") if target.get(field) is not None]
    if not given:
        what = "averageUtilization" if named else "averageValue"
        yield required(
            f"{path}.{what}", "must set either a target raw value or a target utilization" if named else ""
        )
    elif named and {"averageUtilization", "averageValue"} <= set(given):
        yield forbidden(f"{path}.averageValue", "may not set both a target raw value and a target utilization")


def _check_scaling(rules: Mapping[str, Any], path: str) -> Faults:
    window = rules.get("stabilizationWindowSeconds")
    yield from check_not_negative(f"{path}.stabilizationWindowSeconds", window)
    if window is not None and window > _WINDOW_S_MAX:
        detail = f"must be less than or equal to {_WINDOW_S_MAX}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, detail)
    chosen = rules.get("selectPolicy")
    if chosen and chosen not in _SELECT_POLICIES:
        yield unsupported(f"{path}.selectPolicy", chosen, _SELECT_POLICIES)
    if not items(rules, "policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    for here, policy in indexed(rules, "policies", path):
        if policy.get("type") not in ("Pods", "Percent"):
            yield unsupported(f"{here}.type", policy.get("type") or "", ("Percent", "Pods"))
        if (policy.get("value") or 0) <= 0:
            yield invalid(f"{here}.value", policy.get("value") or 0, "must be greater than zero")
        period = policy.get("periodSeconds") or 0
        if period <= 0:
            yield invalid(f"{here}.periodSeconds", period, "must be greater than zero")
        elif period > _PERIOD_S_MAX:
            yield invalid(f"{here}.periodSeconds", period, f"must be less than or equal to {_PERIOD_S_MAX}")


AUTOSCALER_RULES = make_rules(
    check, set_defaults=set_defaults, prepare_create=start_with({"desiredReplicas": 0, "currentMetrics": None})
)
