"""The fields of metrics.k8s.io/v1beta1, in the form of schema.py's table: upstream's API server does not serve them.

Upstream: k8s.io/metrics pkg/apis/metrics/v1beta1.
"""

from collections.abc import Mapping
from typing import Any

_PACKAGE = "io.k8s.metrics.pkg.apis.metrics.v1beta1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_TEXT = {"type": "string"}
_USAGE = {"type": "object", "additionalProperties": {"$ref": "io.k8s.apimachinery.pkg.api.resource.Quantity"}}
_KIND = {"apiVersion": _TEXT, "kind": _TEXT}
_MEASURED = {
    **_KIND,
    "metadata": {"$ref": _META + "ObjectMeta"},
    "timestamp": {"$ref": _META + "Time"},
    "window": _TEXT,
}


def _definition(properties: Mapping[str, Any], required: list[str], kind: str = "") -> Mapping[str, Any]:
    gvk = [{"group": "metrics.k8s.io", "kind": kind, "version": "v1beta1"}]
    named = {"x-kubernetes-group-version-kind": gvk} if kind else {}
    return {"type": "object", "properties": properties, "required": required, **named}


def _list_of(kind: str) -> Mapping[str, Any]:
    items = {"type": "array", "items": {"$ref": _PACKAGE + kind}}
    return _definition({**_KIND, "metadata": {"$ref": _META + "ListMeta"}, "items": items}, ["items"], f"{kind}List")


_CONTAINERS = {"type": "array", "items": {"$ref": _PACKAGE + "ContainerMetrics"}}
METRICS_DEFINITIONS: Mapping[str, Any] = {
    _PACKAGE + "ContainerMetrics": _definition({"name": _TEXT, "usage": _USAGE}, ["name", "usage"]),
    _PACKAGE + "NodeMetrics": _definition(
        {**_MEASURED, "usage": _USAGE}, ["timestamp", "window", "usage"], "NodeMetrics"
    ),
    _PACKAGE + "NodeMetricsList": _list_of("NodeMetrics"),
    _PACKAGE + "PodMetrics": _definition(
        {**_MEASURED, "containers": _CONTAINERS}, ["timestamp", "window", "containers"], "PodMetrics"
    ),
    _PACKAGE + "PodMetricsList": _list_of("PodMetrics"),
}
