"""Columns of metrics.k8s.io/v1beta1: usage, and the time over which it was counted.

Upstream: metrics-server pkg/api (ConvertToTable).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minikube_py.api.columns.ages import NAME
from minikube_py.api.quantity import ZERO, parse_quantity
from minikube_py.api.resource import Column


def _sum(usages: Iterable[Mapping[str, str]], resource: str) -> str:
    total = ZERO
    for usage in usages:
        total = total + parse_quantity(usage.get(resource, "0"))
    return str(total)


def _columns(usages_of: Any) -> tuple[Column, ...]:
    def cell(resource: str) -> Any:
        return lambda obj, _: _sum(usages_of(obj), resource)

    return (
        NAME,
        Column("cpu", cell("cpu"), format="quantity", description="Cores in use."),
        Column("memory", cell("memory"), format="quantity", description="The working set."),
        Column("Window", lambda obj, _: obj.get("window"), format="duration", description="Counted over this time."),
    )


NODE_METRICS_COLUMNS = _columns(lambda obj: [obj.get("usage") or {}])
POD_METRICS_COLUMNS = _columns(lambda obj: [c.get("usage") or {} for c in obj.get("containers") or ()])
