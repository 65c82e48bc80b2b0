import pytest

from minikube_py.kubelet.cgroup_files import (
    files_of,
    parse_cgroup,
    parse_interfaces,
    shares_of_weight,
    weight_of_shares,
    with_host_memory,
)
from minikube_py.kubelet.statistics import CgroupDetail, CgroupSample

V1 = {
    "cpuacct.usage": "1500000000\n",
    "memory.usage_in_bytes": "10000\n",
    "memory.stat": (
        "cache 1\nhierarchical_memory_limit 33554432\ntotal_cache 5000\ntotal_rss 4000\ntotal_swap 6\n"
        "total_pgfault 7\ntotal_pgmajfault 8\ntotal_inactive_file 3000\ntotal_mapped_file 9\n"
    ),
    "pids.current": "3\n",
}
V1_DETAIL = {
    "cpuacct.stat": "user 100\nsystem 50\n",
    "cpu.stat": "nr_periods 10\nnr_throttled 2\nthrottled_time 12345\n",
    "cpu.shares": "102\n",
    "cpu.cfs_quota_us": "10000\n",
    "cpu.cfs_period_us": "100000\n",
    "memory.failcnt": "4\n",
    "memory.max_usage_in_bytes": "20000\n",
    "pids.max": "4096\n",
}
V2 = {
    "cpu.stat": (
        "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n"
        "nr_periods 10\nnr_throttled 2\nthrottled_usec 12\n"
    ),
    "memory.current": "10000\n",
    "memory.stat": "anon 4000\nfile 5000\ninactive_file 3000\nfile_mapped 9\npgfault 7\npgmajfault 8\n",
    "memory.max": "33554432\n",
    "pids.current": "3\n",
}
V2_DETAIL = {
    "cpu.weight": "4\n",
    "cpu.max": "10000 100000\n",
    "memory.events": "low 0\nhigh 0\nmax 4\noom 1\n",
    "memory.peak": "20000\n",
    "memory.swap.current": "6\n",
    "pids.max": "4096\n",
}


def test_version_1_says_what_a_cgroup_uses():
    assert parse_cgroup(1, V1, 9.0) == CgroupSample(
        at_s=9.0,
        cpu_ns=1_500_000_000,
        usage_bytes=10_000,
        working_set_bytes=7_000,
        rss_bytes=4_000,
        cache_bytes=5_000,
        swap_bytes=6,
        page_faults=7,
        major_page_faults=8,
        limit_bytes=33_554_432,
        processes=3,
    )


@pytest.mark.parametrize(
    ("version", "texts", "throttled_ns", "shares"), [(1, V1 | V1_DETAIL, 12345, 102), (2, V2 | V2_DETAIL, 12000, 80)]
)
def test_both_versions_say_the_same_in_detail(version, texts, throttled_ns, shares):
    sample = parse_cgroup(version, texts, 9.0)

    assert (sample.cpu_ns, sample.working_set_bytes, sample.limit_bytes) == (1_500_000_000, 7_000, 33_554_432)
    assert (sample.swap_bytes, sample.page_faults, sample.rss_bytes, sample.processes) == (6, 7, 4_000, 3)
    assert sample.detail == CgroupDetail(
        user_ns=1_000_000_000,
        system_ns=500_000_000,
        periods=10,
        throttled_periods=2,
        throttled_ns=throttled_ns,
        mapped_file_bytes=9,
        failures=4,
        usage_bytes_max=20_000,
        shares=shares,
        quota_us=10_000,
        period_us=100_000,
        processes_max=4096,
    )


def test_no_limit_is_zero_in_both_versions():
    unlimited = V1["memory.stat"].replace("33554432", str((1 << 63) - 4096))

    assert (
        parse_cgroup(
            1, V1 | V1_DETAIL | {"memory.stat": unlimited, "cpu.cfs_quota_us": "-1", "pids.max": "max"}, 0
        ).limit_bytes
        == 0
    )
    sample = parse_cgroup(2, V2 | V2_DETAIL | {"memory.max": "max", "cpu.max": "max 100000", "pids.max": "max"}, 0)
    assert (sample.limit_bytes, sample.detail.quota_us, sample.detail.processes_max) == (0, 0, 0)


def test_a_working_set_is_never_below_nothing():
    assert parse_cgroup(1, V1 | {"memory.usage_in_bytes": "100"}, 0).working_set_bytes == 0


def test_a_cgroup_that_is_gone_says_nothing():
    assert parse_cgroup(1, {}, 0) is None
    assert parse_cgroup(2, {}, 0) is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_detailed_reading_has_the_files_of_a_plain_one(version):
    plain = files_of(version, detailed=False)

    assert files_of(version, detailed=True)[: len(plain)] == plain


@pytest.mark.parametrize(("shares", "weight"), [(2, 1), (1024, 39), (262144, 10000), (0, 1), (999999, 10000)])
def test_shares_become_the_weight_that_runc_makes_of_them(shares, weight):
    assert weight_of_shares(shares) == weight


def test_a_weight_is_turned_back_into_shares():
    assert [shares_of_weight(w) for w in (0, 1, 39, 10000)] == [0, 2, 998, 262144]


def test_interfaces_are_read_without_the_loopback():
    text = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo\n"
        "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
        "  eth0: 100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0\n"
    )

    (eth0,) = parse_interfaces(text)
    assert (eth0.name, eth0.rx_bytes, eth0.rx_packets, eth0.rx_errors, eth0.rx_dropped) == ("eth0", 100, 10, 1, 2)
    assert (eth0.tx_bytes, eth0.tx_packets, eth0.tx_errors, eth0.tx_dropped) == (200, 20, 3, 4)


def test_a_root_without_memory_files_has_the_hosts_memory():
    meminfo = {"MemTotal": 1000, "MemFree": 400, "Inactive(file)": 100, "AnonPages": 50, "Cached": 70}

    sample = with_host_memory(CgroupSample(1.0), meminfo)
    assert (sample.usage_bytes, sample.working_set_bytes, sample.rss_bytes, sample.cache_bytes) == (600, 500, 50, 70)
