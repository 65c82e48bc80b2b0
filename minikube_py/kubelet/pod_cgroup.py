"""What is written into the cgroups that the agent makes: of each pod, of the QoS classes, of all pods together.

A pod's own cgroup holds what its containers share: an idle container's CPU goes to its neighbours first, pod-level
limits hold for all of them, and a pod that is killed is gone with all its processes' memory counted in one place.

Guaranteed: shares, quota and memory. Burstable: shares; quota and memory where the pod as a whole is limited.
BestEffort: the least shares. The class `burstable` has the shares of all its pods' requests, `besteffort` the least,
`kubepods` the node's processors and the memory that is not reserved.

Upstream: kubelet cm/helpers_linux.go (ResourceConfigForPod), qos_container_manager_linux.go,
node_container_manager_linux.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minikube_py.kubelet.cgroup_files import weight_of_shares
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resources import is_limited, pod_limits, pod_requests, whole
from minikube_py.kubelet.resources import PERIOD_US, SHARES_MIN, cpu_quota_us, cpu_shares, qos_class


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """What a cgroup may use; 0: no limit of its own."""

    shares: int = SHARES_MIN
    quota_us: int = 0
    memory_bytes: int = 0
    processes: int = 0
    huge_pages: tuple[tuple[str, int], ...] = ()
    """(size as files spell it: `2MB`, bytes); every size that the host has is limited, 0 is none."""


@dataclass(frozen=True, slots=True)
class CgroupWrite:
    """One file to write; `controller` is empty in version 2."""

    controller: str
    file: str
    text: str
    optional: bool = False
    """Hosts without this controller are fine."""


def pod_limits_of(pod: Pod, processes: int, *, cpu_cfs_quota: bool, page_sizes: Iterable[int] = ()) -> CgroupLimits:
    """Return the limits of a pod's own cgroup."""
    requests, limits, quality = pod_requests(pod), pod_limits(pod), qos_class(pod)
    shares = SHARES_MIN if quality == "BestEffort" else cpu_shares(whole("cpu", requests.get("cpu", 0)))
    quota = whole("cpu", limits.get("cpu", 0)) if cpu_cfs_quota and is_limited(pod, "cpu") else 0
    memory = whole("memory", limits.get("memory", 0)) if is_limited(pod, "memory") else 0
    return CgroupLimits(
        shares=shares,
        quota_us=0 if quality == "BestEffort" else cpu_quota_us(quota),
        memory_bytes=0 if quality == "BestEffort" else memory,
        processes=processes,
        huge_pages=tuple((_size_text(size), _huge_pages(limits, size)) for size in sorted(page_sizes)),
    )


def _size_text(size: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB")):
        if size % unit == 0:
            return f"{size // unit}{name}"
    return f"{size // 1024}KB"


def _huge_pages(limits: dict[str, int], size: int) -> int:
    name = f"hugepages-{_size_text(size).removesuffix('B')}i"
    return whole(name, limits.get(name, 0))


def burstable_shares(pods: Iterable[Pod]) -> int:
    """Return the shares of the class `burstable`: those of all its pods' requests together."""
    milli = sum(whole("cpu", pod_requests(pod).get("cpu", 0)) for pod in pods if qos_class(pod) == "Burstable")
    return cpu_shares(milli)


def render_limits(limits: CgroupLimits, version: int) -> tuple[CgroupWrite, ...]:
    """Return the files to write, in order."""
    return _render_v2(limits) if version == 2 else _render_v1(limits)


def _render_v1(limits: CgroupLimits) -> tuple[CgroupWrite, ...]:
    writes = [
        CgroupWrite("cpu", "cpu.shares", str(limits.shares)),
        CgroupWrite("cpu", "cpu.cfs_period_us", str(PERIOD_US)),
        CgroupWrite("cpu", "cpu.cfs_quota_us", str(limits.quota_us or -1)),
        CgroupWrite("memory", "memory.limit_in_bytes", str(limits.memory_bytes or -1)),
        CgroupWrite("pids", "pids.max", str(limits.processes or "max"), optional=True),
    ]
    for size, amount in limits.huge_pages:
        writes.append(CgroupWrite("hugetlb", f"hugetlb.{size}.limit_in_bytes", str(amount), optional=True))
    return tuple(writes)


def _render_v2(limits: CgroupLimits) -> tuple[CgroupWrite, ...]:
    writes = [
        CgroupWrite("", "cpu.weight", str(weight_of_shares(limits.shares))),
        CgroupWrite("", "cpu.max", f"{limits.quota_us or 'max'} {PERIOD_US}"),
        CgroupWrite("", "memory.max", str(limits.memory_bytes or "max")),
        CgroupWrite("", "pids.max", str(limits.processes or "max"), optional=True),
    ]
    for size, amount in limits.huge_pages:
        writes.append(CgroupWrite("", f"hugetlb.{size}.max", str(amount), optional=True))
    return tuple(writes)
