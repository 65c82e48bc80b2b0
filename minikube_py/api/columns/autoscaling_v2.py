"""Columns of HorizontalPodAutoscalers, the same for both versions (upstream: printHorizontalPodAutoscaler)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE, UNKNOWN
from minikube_py.api.columns.cells import at
from minikube_py.api.columns.workloads import spec_of, status_of
from minikube_py.api.resource import Column
from minikube_py.api.rules.autoscaling import SOURCES
from minikube_py.api.rules.autoscaling_v1 import to_v2

METRICS_SHOWN_MAX = 2
"""Of metrics only so many are printed; `+ n more...` stands for the rest."""


def _metric(metric: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    field = SOURCES.get(str(metric.get("type")), "")
    target = at(metric, field, "target") or {}
    now = at(current, field, "current") or {}
    named = field in ("resource", "containerResource")
    prefix = f"{at(metric, field, 'name')}: " if named else ""
    if target.get("averageUtilization") is not None:
        used = now.get("averageUtilization")
        shown = UNKNOWN if used is None else f"{used}%"
        return f"{prefix}{shown}/{target['averageUtilization']}%"
    if target.get("averageValue") is not None:
        tail = " (avg)" if field in ("object", "external") else ""
        return f"{prefix}{now.get('averageValue') or UNKNOWN}/{target['averageValue']}{tail}"
    return f"{prefix}{now.get('value') or UNKNOWN}/{target.get('value') or '<auto>'}"


def _targets(autoscaler: Mapping[str, Any], _: float) -> str:
    metrics = spec_of(autoscaler).get("metrics") or ()
    current = status_of(autoscaler).get("currentMetrics") or ()
    if not metrics:
        return NONE
    shown = [
        _metric(metric, current[index] if index < len(current) else {})
        for index, metric in enumerate(metrics[:METRICS_SHOWN_MAX])
    ]
    more = len(metrics) - METRICS_SHOWN_MAX
    return ", ".join(shown) + (f" + {more} more..." if more > 0 else "")


def _reference(autoscaler: Mapping[str, Any], _: float) -> str:
    return f"{at(autoscaler, 'spec', 'scaleTargetRef', 'kind')}/{at(autoscaler, 'spec', 'scaleTargetRef', 'name')}"


def _min_pods(autoscaler: Mapping[str, Any], _: float) -> str:
    low = spec_of(autoscaler).get("minReplicas")
    return "<unset>" if low is None else str(low)


AUTOSCALER_COLUMNS = (
    NAME,
    Column("Reference", _reference, description="What is scaled."),
    Column("Targets", _targets, description="What is aimed at, and how it is now."),
    Column("MinPods", _min_pods, description="Never fewer pods than this."),
    Column("MaxPods", lambda obj, _: spec_of(obj).get("maxReplicas", 0), description="Never more pods than this."),
    Column(
        "Replicas", lambda obj, _: status_of(obj).get("currentReplicas", 0), description="How many pods there are."
    ),
    AGE,
)
AUTOSCALER_V1_COLUMNS = tuple(
    Column(
        column.name,
        lambda obj, now, cell=column.cell: cell(to_v2(obj), now),  # type: ignore[misc]
        type=column.type,
        format=column.format,
        description=column.description,
    )
    for column in AUTOSCALER_COLUMNS
)
