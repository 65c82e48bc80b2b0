import pytest

from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_cgroup import (
    CgroupLimits,
    CgroupWrite,
    burstable_shares,
    pod_limits_of,
    render_limits,
)

MIB = 1 << 20


def a_pod(*resources, **spec):
    containers = [{"name": f"c{n}", "image": "i", "resources": r} for n, r in enumerate(resources)]
    return parse_pod(
        {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {"containers": containers, **spec}}
    )


def amounts(cpu=None, memory=None):
    return {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (a_pod({}), CgroupLimits(2, 0, 0, 100)),
        (a_pod({"limits": amounts("1", "64Mi")}), CgroupLimits(1024, 100_000, 64 * MIB, 100)),
        (
            a_pod({"requests": amounts("500m"), "limits": amounts("1", "64Mi")}, {"limits": amounts(None, "32Mi")}),
            CgroupLimits(512, 0, 96 * MIB, 100),
        ),
        (a_pod({"limits": amounts("1", "64Mi")}, {}), CgroupLimits(1024, 0, 0, 100)),
        (
            a_pod({}, {}, resources={"requests": amounts("250m"), "limits": amounts("1", "64Mi")}),
            CgroupLimits(256, 100_000, 64 * MIB, 100),
        ),
        (a_pod({"requests": amounts("1")}, overhead=amounts("1", "8Mi")), CgroupLimits(2048, 0, 0, 100)),
    ],
    ids=["besteffort", "guaranteed", "burstable", "one without limits", "pod level", "overhead"],
)
def test_a_pods_cgroup_has_what_its_containers_have_together(pod, expected):
    assert pod_limits_of(pod, 100, cpu_cfs_quota=True) == expected


def test_no_quota_is_written_where_quotas_are_switched_off():
    assert pod_limits_of(a_pod({"limits": amounts("1", "64Mi")}), 0, cpu_cfs_quota=False).quota_us == 0


def test_every_size_of_huge_pages_is_limited():
    pod = a_pod({"limits": {"hugepages-2Mi": "4Mi", "memory": "1Mi", "cpu": "1"}})

    limits = pod_limits_of(pod, 0, cpu_cfs_quota=True, page_sizes=[1 << 30, 2 * MIB, 64 << 10])
    assert limits.huge_pages == (("64KB", 0), ("2MB", 4 * MIB), ("1GB", 0))


def test_the_burstable_class_has_the_shares_of_its_pods():
    burstable, guaranteed = a_pod({"requests": amounts("500m")}), a_pod({"limits": amounts("1", "64Mi")})

    assert burstable_shares([burstable, burstable, guaranteed, a_pod({})]) == 1024
    assert burstable_shares([]) == 2


LIMITS = CgroupLimits(1024, 50_000, 64 * MIB, 100, (("2MB", 0),))


def test_version_1_has_a_file_for_each_limit():
    assert render_limits(LIMITS, 1) == (
        CgroupWrite("cpu", "cpu.shares", "1024"),
        CgroupWrite("cpu", "cpu.cfs_period_us", "100000"),
        CgroupWrite("cpu", "cpu.cfs_quota_us", "50000"),
        CgroupWrite("memory", "memory.limit_in_bytes", str(64 * MIB)),
        CgroupWrite("pids", "pids.max", "100", optional=True),
        CgroupWrite("hugetlb", "hugetlb.2MB.limit_in_bytes", "0", optional=True),
    )


def test_version_2_has_weights_and_maxima():
    assert [(w.file, w.text) for w in render_limits(LIMITS, 2)] == [
        ("cpu.weight", "39"),
        ("cpu.max", "50000 100000"),
        ("memory.max", str(64 * MIB)),
        ("pids.max", "100"),
        ("hugetlb.2MB.max", "0"),
    ]


def test_no_limit_is_said_so_in_both():
    assert [w.text for w in render_limits(CgroupLimits(), 1)][2:] == ["-1", "-1", "max"]
    assert [w.text for w in render_limits(CgroupLimits(), 2)] == ["1", "max 100000", "max", "max"]
