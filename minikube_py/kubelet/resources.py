"""Requests and limits as the kernel's numbers: CPU shares and quota, memory, OOM score, cgroup parents, QoS class.

Upstream: kubelet cm/helpers_linux.go, qos/policy.go, apis/core/v1/helper/qos. Shares are milli-CPU * 1024 / 1000, at
least 2 and at most 262144; a quota is for a period of 100 ms, at least 1 ms.
"""

from collections.abc import Mapping
from typing import Literal

from minikube_py.api.quantity import parse_quantity
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
_TIERS: tuple[QosClass, ...] = ("Guaranteed", "Burstable", "BestEffort")


def milli_cpu(amounts: Mapping[str, str]) -> int:
    """Return the CPU in thousandths, 0 when not set."""
    return parse_quantity(amounts["cpu"]).milli if "cpu" in amounts else 0


def memory_bytes(amounts: Mapping[str, str]) -> int:
    """Return the memory in bytes, 0 when not set."""
    return parse_quantity(amounts["memory"]).value if "memory" in amounts else 0


def qos_class(pod: Pod) -> QosClass:
    """Return the pod's class: from the CPU and memory of its init and regular containers."""
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
    request = memory_bytes({**container.limits, **container.requests})
    return min(max(1000 - 1000 * request // capacity_bytes, 3), 999)


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
    """Return the cgroup that all containers of a pod are made in.

    Args:
        pod: the pod.
        root: a cgroup path above `kubepods` (`/` for none); only the cgroupfs driver knows it.
        driver: `cgroupfs` or `systemd`, as the engine says.
    """
    return _cgroup(pod.uid, qos_class(pod), root, driver)


def cgroup_parents(pod_uid: str, root: str, driver: str) -> tuple[str, ...]:
    """Return every cgroup that a pod of this uid may have had: for cleaning up when its spec is not known."""
    return tuple(_cgroup(pod_uid, tier, root, driver) for tier in _TIERS)


def _cgroup(pod_uid: str, quality: QosClass, root: str, driver: str) -> str:
    tier = [] if quality == "Guaranteed" else [quality.lower()]
    if driver == "systemd":
        return "-".join(["kubepods", *tier, f"pod{pod_uid.replace('-', '_')}"]) + ".slice"
    return "/".join([root.rstrip("/"), "kubepods", *tier, f"pod{pod_uid}"])
