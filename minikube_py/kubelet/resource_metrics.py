"""/metrics/resource: the few numbers that the metrics API is made of, with the time at which each was measured.

Upstream: kubelet/metrics/collectors/resource_metrics.go.
"""

from collections.abc import Callable, Iterator, Mapping

from minikube_py.kubelet.metric_text import Family, Sample, render_families
from minikube_py.kubelet.statistics import CgroupSample, ContainerSample, PodSample, Snapshot

_NS = 1_000_000_000
Value = Callable[[CgroupSample], float]


def _cpu(sample: CgroupSample) -> float:
    return sample.cpu_ns / _NS


def _memory(sample: CgroupSample) -> float:
    return float(sample.working_set_bytes)


def _swap(sample: CgroupSample) -> float:
    return float(sample.swap_bytes)


def render_resource_metrics(snapshot: Snapshot | None) -> str:
    """Return the metrics; None: nothing could be measured, which is said by scrape_error."""
    families: list[Family] = []
    if snapshot is not None:
        families += _containers(snapshot) + _node(snapshot) + _pods(snapshot)
    failed = [Sample({}, float(snapshot is None))]
    help_text = "[{}] 1 when container metrics could not be had, else 0"
    families.append(Family("resource_scrape_error", help_text.format("STABLE"), "gauge", failed))
    families.append(Family("scrape_error", help_text.format("ALPHA"), "gauge", failed))
    return render_families(families)


def _each(snapshot: Snapshot) -> Iterator[tuple[Mapping[str, str], ContainerSample]]:
    for pod in snapshot.pods:
        for container in pod.containers:
            yield {"container": container.name, **_pod_labels(pod)}, container


def _pod_labels(pod: PodSample) -> Mapping[str, str]:
    return {"namespace": pod.pod.namespace, "pod": pod.pod.name}


def _containers(snapshot: Snapshot) -> list[Family]:
    def samples(value: Value) -> list[Sample]:
        return [Sample(labels, value(c.cgroup), c.cgroup.at_s) for labels, c in _each(snapshot)]

    started = [Sample(labels, c.started_at_s) for labels, c in _each(snapshot) if c.started_at_s > 0]
    return [
        Family("container_cpu_usage_seconds_total", "[STABLE] Core-seconds used so far", "counter", samples(_cpu)),
        Family("container_memory_working_set_bytes", "[STABLE] Working set now", "gauge", samples(_memory)),
        Family("container_start_time_seconds", "[STABLE] Start, in seconds since the epoch", "gauge", started),
        Family("container_swap_usage_bytes", "[ALPHA] Swap used now", "gauge", samples(_swap)),
    ]


def _node(snapshot: Snapshot) -> list[Family]:
    def sample(value: Value) -> list[Sample]:
        node = snapshot.node.cgroup
        return [Sample({}, value(node), node.at_s)]

    return [
        Family("node_cpu_usage_seconds_total", "[STABLE] Core-seconds used by the node", "counter", sample(_cpu)),
        Family("node_memory_working_set_bytes", "[STABLE] Working set of the node now", "gauge", sample(_memory)),
        Family("node_swap_usage_bytes", "[ALPHA] Swap used by the node now", "gauge", sample(_swap)),
    ]


def _pods(snapshot: Snapshot) -> list[Family]:
    def samples(value: Value) -> list[Sample]:
        return [Sample(_pod_labels(pod), value(pod.cgroup), pod.cgroup.at_s) for pod in snapshot.pods]

    return [
        Family("pod_cpu_usage_seconds_total", "[STABLE] Core-seconds used by the pod", "counter", samples(_cpu)),
        Family("pod_memory_working_set_bytes", "[STABLE] Working set of the pod now", "gauge", samples(_memory)),
        Family("pod_swap_usage_bytes", "[ALPHA] Swap used by the pod now", "gauge", samples(_swap)),
    ]
