"""HorizontalPodAutoscalers as autoscaling/v1 shows them: only the CPU target is a field, the rest are annotations.

Stored is the form of v2. What v1 has no field for is carried in annotations that hold JSON, in v1's own spelling, so
that a client of v1 that reads and writes back loses nothing:

    autoscaling.alpha.kubernetes.io/metrics          spec.metrics but for the CPU target
    autoscaling.alpha.kubernetes.io/behavior         spec.behavior
    autoscaling.alpha.kubernetes.io/current-metrics  status.currentMetrics but for the CPU
    autoscaling.alpha.kubernetes.io/conditions       status.conditions

Upstream: pkg/apis/autoscaling/v1 conversion.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.meta import Obj, annotations_of, copy_object
from minikube_py.api.rules.autoscaling import DEFAULT_CPU_UTILIZATION, SOURCES, cpu_metric
from minikube_py.api.rules.faults import part
from minikube_py.api.rules.rule_sets import default

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS = _PREFIX + "metrics"
BEHAVIOR = _PREFIX + "behavior"
CURRENT_METRICS = _PREFIX + "current-metrics"
CONDITIONS = _PREFIX + "conditions"
_ANNOTATIONS = (METRICS, BEHAVIOR, CURRENT_METRICS, CONDITIONS)


def set_defaults(autoscaler: Obj) -> None:
    """Fill in an autoscaler of v1."""
    spec = autoscaler.setdefault("spec", {})
    default(spec, "minReplicas", 1)
    if spec.get("targetCPUUtilizationPercentage") is None and METRICS not in annotations_of(autoscaler):
        spec["targetCPUUtilizationPercentage"] = DEFAULT_CPU_UTILIZATION


def to_v2(autoscaler: Mapping[str, Any]) -> Obj:
    """Return the stored form of an object of v1."""
    obj = copy_object(autoscaler)
    annotations = dict(annotations_of(obj))
    held = {name: _parse(annotations.pop(name)) for name in _ANNOTATIONS if name in annotations}
    _put(obj.setdefault("metadata", {}), "annotations", annotations)
    spec = obj.setdefault("spec", {})
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [_metric_to_v2(metric) for metric in held.get(METRICS) or () if isinstance(metric, dict)]
    if percent is not None:
        metrics.insert(0, cpu_metric(percent))
    _put(spec, "metrics", metrics)
    if isinstance(held.get(BEHAVIOR), dict):
        spec["behavior"] = held[BEHAVIOR]
    status = obj.get("status")
    if status is not None:
        used = status.pop("currentCPUUtilizationPercentage", None)
        current = [_status_to_v2(metric) for metric in held.get(CURRENT_METRICS) or () if isinstance(metric, dict)]
        if used is not None:
            current.insert(
                0, {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": used}}}
            )
        status["currentMetrics"] = current or None
        if isinstance(held.get(CONDITIONS), list):
            status["conditions"] = held[CONDITIONS]
        if not status.get("currentReplicas"):
            status.pop("currentReplicas", None)
    return {**obj, "apiVersion": "autoscaling/v2"}


def from_v2(autoscaler: Mapping[str, Any]) -> Obj:
    """Return a stored object as v1 shows it."""
    obj = copy_object(autoscaler)
    spec = obj.setdefault("spec", {})
    annotations = dict(annotations_of(obj))
    metrics = list(spec.pop("metrics", None) or ())
    at = next((index for index, metric in enumerate(metrics) if _is_cpu_target(metric)), None)
    if at is not None:
        spec["targetCPUUtilizationPercentage"] = metrics.pop(at)["resource"]["target"]["averageUtilization"]
    _annotate(annotations, METRICS, [_metric_to_v1(metric) for metric in metrics])
    _annotate(annotations, BEHAVIOR, spec.pop("behavior", None))
    status = obj.get("status")
    if status is not None:
        current = list(status.pop("currentMetrics", None) or ())
        at = next((index for index, metric in enumerate(current) if _is_cpu_use(metric)), None)
        if at is not None:
            used = current.pop(at)["resource"]["current"]["averageUtilization"]
            status["currentCPUUtilizationPercentage"] = used
        _annotate(annotations, CURRENT_METRICS, [_status_to_v1(metric) for metric in current])
        _annotate(annotations, CONDITIONS, status.pop("conditions", None))
        default(status, "currentReplicas", 0)
        default(status, "desiredReplicas", 0)
    _put(obj.setdefault("metadata", {}), "annotations", annotations)
    return {**obj, "apiVersion": "autoscaling/v1"}


def _put(obj: Obj, field: str, value: Any) -> None:
    if value:
        obj[field] = value
    else:
        obj.pop(field, None)


def _annotate(annotations: dict[str, str], name: str, value: Any) -> None:
    if value:
        annotations[name] = orjson.dumps(value).decode()


def _parse(text: str) -> Any:
    """Return what an annotation holds; one that is no JSON is dropped, as upstream does."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_cpu_target(metric: Mapping[str, Any]) -> bool:
    target = part(part(metric, "resource"), "target")
    return part(metric, "resource").get("name") == "cpu" and target.get("averageUtilization") is not None


def _is_cpu_use(metric: Mapping[str, Any]) -> bool:
    current = part(part(metric, "resource"), "current")
    return part(metric, "resource").get("name") == "cpu" and current.get("averageUtilization") is not None


def _moved(source: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> Obj:
    return {new: source[old] for old, new in names if source.get(old) is not None}


_TARGETS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "resource": (("averageUtilization", "targetAverageUtilization"), ("averageValue", "targetAverageValue")),
    "containerResource": (("averageUtilization", "targetAverageUtilization"), ("averageValue", "targetAverageValue")),
    "pods": (("averageValue", "targetAverageValue"),),
    "object": (("value", "targetValue"), ("averageValue", "averageValue")),
    "external": (("value", "targetValue"), ("averageValue", "targetAverageValue")),
}
_CURRENT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "resource": (("averageUtilization", "currentAverageUtilization"), ("averageValue", "currentAverageValue")),
    "containerResource": (
        ("averageUtilization", "currentAverageUtilization"),
        ("averageValue", "currentAverageValue"),
    ),
    "pods": (("averageValue", "currentAverageValue"),),
    "object": (("value", "currentValue"), ("averageValue", "averageValue")),
    "external": (("value", "currentValue"), ("averageValue", "currentAverageValue")),
}
"""Field of a metric -> what its amounts are called in v2 and in v1."""


def _to_v1(metric: Mapping[str, Any], amounts_field: str, table: Mapping[str, tuple[tuple[str, str], ...]]) -> Obj:
    field = SOURCES.get(str(metric.get("type")), "")
    source = part(metric, field)
    shown = _moved(part(source, amounts_field), table.get(field, ()))
    shown |= _moved(source, (("name", "name"), ("container", "container"), ("describedObject", "target")))
    selector = "metricSelector" if field == "external" else "selector"
    shown |= _moved(part(source, "metric"), (("name", "metricName"), ("selector", selector)))
    return {"type": metric.get("type"), field: shown}


def _metric_to_v1(metric: Mapping[str, Any]) -> Obj:
    return _to_v1(metric, "target", _TARGETS)


def _status_to_v1(metric: Mapping[str, Any]) -> Obj:
    return _to_v1(metric, "current", _CURRENT)


def _to_v2(metric: Mapping[str, Any], amounts_field: str, table: Mapping[str, tuple[tuple[str, str], ...]]) -> Obj:
    field = SOURCES.get(str(metric.get("type")), "")
    shown = part(metric, field)
    amounts = _moved(shown, [(new, old) for old, new in table.get(field, ())])
    source = _moved(shown, (("name", "name"), ("container", "container"), ("target", "describedObject")))
    selector = "metricSelector" if field == "external" else "selector"
    identifier = _moved(shown, (("metricName", "name"), (selector, "selector")))
    _put(source, "metric", identifier)
    return {"type": metric.get("type"), field: {**source, amounts_field: amounts}}


def _metric_to_v2(metric: Mapping[str, Any]) -> Obj:
    converted = _to_v2(metric, "target", _TARGETS)
    target = converted[SOURCES.get(str(metric.get("type")), "")]["target"]
    kinds = (("averageUtilization", "Utilization"), ("averageValue", "AverageValue"), ("value", "Value"))
    target["type"] = next((kind for field, kind in kinds if field in target), "Value")
    return converted


def _status_to_v2(metric: Mapping[str, Any]) -> Obj:
    return _to_v2(metric, "current", _CURRENT)
