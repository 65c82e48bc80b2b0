import pytest

from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.kubelet.slice_properties import INFINITY, slice_properties

ACCOUNTS = {"CPUAccounting": True, "MemoryAccounting": True, "TasksAccounting": True}


def told(limits, version):
    properties = slice_properties(limits, version)
    assert all(p.signature == ("b" if isinstance(p.value, bool) else "t") for p in properties)
    return {p.name: p.value for p in properties}


def test_each_version_has_its_own_words():
    limits = CgroupLimits(1024, 50_000, 64 << 20, 100)
    both = {**ACCOUNTS, "CPUQuotaPerSecUSec": 500_000, "TasksMax": 100}

    assert told(limits, 1) == {**both, "CPUShares": 1024, "MemoryLimit": 64 << 20}
    assert told(limits, 2) == {**both, "CPUWeight": 39, "MemoryMax": 64 << 20}


def test_a_limit_that_is_none_is_told_so_that_an_earlier_one_goes():
    free = told(CgroupLimits(), 2)

    assert (free["CPUQuotaPerSecUSec"], free["MemoryMax"], free["TasksMax"]) == (INFINITY,) * 3
    assert free["CPUWeight"] == 1


@pytest.mark.parametrize(("quota_us", "per_second_us"), [(1_000, 10_000), (1_001, 20_000), (150_000, 1_500_000)])
def test_a_quota_is_rounded_up_to_what_systemd_can_keep(quota_us, per_second_us):
    assert told(CgroupLimits(quota_us=quota_us), 1)["CPUQuotaPerSecUSec"] == per_second_us
