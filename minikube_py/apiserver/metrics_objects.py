"""NodeMetrics and PodMetrics as objects, with times in upstream's spelling.

Upstream: metrics-server pkg/api, k8s.io/metrics v1beta1.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, format_time, key_of, labels_of, name_of, namespace_of
from minikube_py.api.quantity import Quantity
from minikube_py.apiserver.metrics_points import History, Usage, node_usage, pod_usage

_NS = 1_000_000_000
_API_VERSION = "metrics.k8s.io/v1beta1"


def node_metrics(node: Mapping[str, Any], history: History, wall_s: float) -> Obj | None:
    """Return the NodeMetrics of a Node, None when they are not known (yet)."""
    usage = node_usage(history, name_of(node))
    if usage is None:
        return None
    metadata: Obj = {"name": name_of(node), "creationTimestamp": format_time(wall_s)}
    if labels_of(node):
        metadata["labels"] = dict(labels_of(node))
    times = {"timestamp": format_time(usage.at_s), "window": format_duration(usage.window_s)}
    kind = {"kind": "NodeMetrics", "apiVersion": _API_VERSION}
    return {**kind, "metadata": metadata, **times, "usage": _amounts(usage)}


def pod_metrics(pod: Mapping[str, Any], history: History, wall_s: float) -> Obj | None:
    """Return the PodMetrics of a running Pod, None when it does not run or they are not known (yet)."""
    usages = pod_usage(history, key_of(pod))
    if usages is None or (pod.get("status") or {}).get("phase") != "Running":
        return None
    metadata: Obj = {
        "name": name_of(pod),
        "namespace": namespace_of(pod),
        "creationTimestamp": format_time(wall_s),
    }
    if labels_of(pod):
        metadata["labels"] = dict(labels_of(pod))
    earliest = min(usages.values(), key=lambda usage: usage.at_s)
    return {
        "kind": "PodMetrics",
        "apiVersion": _API_VERSION,
        "metadata": metadata,
        "timestamp": format_time(earliest.at_s),
        "window": format_duration(earliest.window_s),
        "containers": [{"name": name, "usage": _amounts(usage)} for name, usage in usages.items()],
    }


def _amounts(usage: Usage) -> Obj:
    memory = Quantity(usage.memory_bytes * _NS, "BinarySI")
    return {"cpu": str(Quantity(usage.nano_cores)), "memory": str(memory)}


def format_duration(seconds: float) -> str:
    """Return a duration as Go prints it: `15.03s`, `1m0.5s`, `2h0m1s`; rounded to milliseconds."""
    milli = round(seconds * 1000)
    if milli < 1000:
        return f"{milli}ms" if milli else "0s"
    minutes, rest = divmod(milli, 60_000)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if not minutes:
        return text
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
