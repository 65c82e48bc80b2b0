"""Limits of a cgroup as systemd knows them: with its driver a slice's limits are set through it, or it undoes them.

systemd writes its own idea of a slice again at every reload, so what it has a property for it is told; it keeps CPU
quotas in steps of a hundredth of a processor, so they are rounded up for it, and the exact number goes into the file
afterwards. What it has no property for (huge pages) stands in files alone.

Upstream: opencontainers/cgroups systemd v1.go, v2.go (genV1ResourcesProperties, genV2ResourcesProperties).
"""

from dataclasses import dataclass

from minikube_py.kubelet.cgroup_files import weight_of_shares
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.kubelet.resources import PERIOD_US

INFINITY = 2**64 - 1
"""systemd's word for no limit."""
_QUOTA_STEP_US = 10_000
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class SliceProperty:
    """One property of a unit, with its D-Bus signature."""

    name: str
    signature: str
    value: bool | int


def slice_properties(limits: CgroupLimits, version: int) -> tuple[SliceProperty, ...]:
    """Return what systemd is told of a slice, on a host with cgroups of this version."""
    accounts = ("CPUAccounting", "MemoryAccounting", "TasksAccounting")
    numbers = {
        "CPUQuotaPerSecUSec": _quota_per_second_us(limits.quota_us) or INFINITY,
        "TasksMax": limits.processes or INFINITY,
    }
    memory = limits.memory_bytes or INFINITY
    if version == 2:
        numbers |= {"CPUWeight": weight_of_shares(limits.shares), "MemoryMax": memory}
    else:
        numbers |= {"CPUShares": limits.shares, "MemoryLimit": memory}
    return (
        *(SliceProperty(name, "b", value=True) for name in accounts),
        *(SliceProperty(name, "t", numbers[name]) for name in sorted(numbers)),
    )


def _quota_per_second_us(quota_us: int) -> int:
    """Return a quota of PERIOD_US as one of a second, in whole steps."""
    exact = quota_us * _SECOND_US // PERIOD_US
    return -(-exact // _QUOTA_STEP_US) * _QUOTA_STEP_US
