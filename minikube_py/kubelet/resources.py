"""Requests and limits as the kernel's numbers: CPU shares and quota, memory, OOM score, cgroup parents, QoS class.

Upstream: kubelet cm/helpers_linux.go, qos/policy.go, apis/core/v1/helper/qos. Shares are milli-CPU * 1024 / 1000, at
least 2 and at most 262144; a quota is for a period of 100 ms, at least 1 ms.
"""

from collections.abc import Mapping
from typing import Literal

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.cgroup_names import TIERS, pod_cgroup
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerResources
from minikube_py.kubelet.pod import Pod

QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]

SHARES_MIN = 2
SHARES_MAX = 262_144
PERIOD_US = 100_000
QUOTA_US_MIN = 1_000
CRITICAL_PRIORITY = 2_000_001_000
"""system-node-critical: such pods get the OOM score of Guaranteed ones."""
_SUPPORTED = ("cpu", "memory")


def milli_cpu(amounts: Mapping[str, str]) -> int:
    """Return the CPU in thousandths, 0 when not set."""
    return parse_quantity(amounts["cpu"]).milli if "cpu" in amounts else 0


def memory_bytes(amounts: Mapping[str, str]) -> int:
    """Return the memory in bytes, 0 when not set."""
    return parse_quantity(amounts["memory"]).value if "memory" in amounts else 0


def qos_class(pod: Pod) -> QosClass:
    """Return the pod's class: from the CPU and memory of the pod, or else of its init and regular containers."""
    if pod.requests or pod.limits:
        return _pod_level_class(pod)
    limits_everywhere = True
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    for container in pod.init_containers + pod.containers:
        limited = _add_nonzero(limits, container.limits)
        _add_nonzero(requests, {**container.limits, **container.requests})
        limits_everywhere = limits_everywhere and len(limited) == len(_SUPPORTED)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if limits_everywhere and requests == limits else "Burstable"


def _pod_level_class(pod: Pod) -> QosClass:
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    limited = _add_nonzero(limits, pod.limits)
    _add_nonzero(requests, {**pod.limits, **pod.requests})
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if len(limited) == len(_SUPPORTED) and requests == limits else "Burstable"


def _add_nonzero(total: dict[str, int], amounts: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for name in _SUPPORTED:
        nano = parse_quantity(amounts[name]).nano if name in amounts else 0
        if nano > 0:
            found.add(name)
            total[name] = total.get(name, 0) + nano
    return found


def cpu_shares(milli: int) -> int:
    """Return the shares for a CPU request in thousandths."""
    return min(max(milli * 1024 // 1000, SHARES_MIN), SHARES_MAX)


def cpu_quota_us(milli: int) -> int:
    """Return the quota for a CPU limit in thousandths; 0 for no limit."""
    return max(milli * PERIOD_US // 1000, QUOTA_US_MIN) if milli else 0


def oom_score_adj(pod: Pod, container: Container, capacity_bytes: int) -> int:
    """Return how willingly the kernel should kill this container when memory runs out."""
    quality = qos_class(pod)
    if quality == "Guaranteed" or pod.priority >= CRITICAL_PRIORITY:
        return -997
    if quality == "BestEffort" or capacity_bytes <= 0:
        return 1000
    request = _memory_request(container) + _spare_request(pod)
    if container.is_sidecar and pod.containers:
        # A sidecar must not go before the containers that it serves.
        request = max(request, min(_memory_request(c) for c in pod.containers) + _spare_request(pod))
    return min(max(1000 - 1000 * request // capacity_bytes, 3), 999)


def _memory_request(container: Container) -> int:
    return memory_bytes({**container.limits, **container.requests})


def _spare_request(pod: Pod) -> int:
    """Return each container's part of what the pod requests beyond its containers' own requests."""
    own = memory_bytes({**pod.limits, **pod.requests})
    members = [c for c in pod.init_containers if c.is_sidecar] + list(pod.containers)
    if not own or not members:
        return 0
    return max(own - sum(_memory_request(c) for c in members), 0) // len(members)


def container_resources(
    pod: Pod, container: Container, capacity_bytes: int, *, cpu_cfs_quota: bool
) -> ContainerResources:
    """Return the runtime's numbers for one container."""
    request = milli_cpu(container.requests) if "cpu" in container.requests else milli_cpu(container.limits)
    return ContainerResources(
        cpu_shares=cpu_shares(request),
        cpu_quota_us=cpu_quota_us(milli_cpu(container.limits)) if cpu_cfs_quota else 0,
        cpu_period_us=PERIOD_US,
        memory_limit_bytes=memory_bytes(container.limits),
        oom_score_adj=oom_score_adj(pod, container, capacity_bytes),
    )


def cgroup_parent(pod: Pod, root: str, driver: str) -> str:
    """Return the cgroup that all containers of a pod are made in, as the engine takes it."""
    return pod_cgroup(pod.uid, qos_class(pod), root, driver)


def cgroup_parents(pod_uid: str, root: str, driver: str) -> tuple[str, ...]:
    """Return every cgroup that a pod of this uid may have had: for cleaning up when its spec is not known."""
    return tuple(pod_cgroup(pod_uid, tier, root, driver) for tier in TIERS)
