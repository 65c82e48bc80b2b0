"""Which files of a cgroup are read, and what they say, for both versions of the interface.

Working set is the use of memory less what the kernel can drop at once (inactive file pages), never below 0: what
eviction and `kubectl top` mean by memory. In version 1 the hierarchy's totals are taken, since a pod's cgroup holds
those of its containers; its root has no files for CPU shares and limits, that of version 2 has none for memory
either, so a host's own numbers come from /proc there.

Upstream: cadvisor container/libcontainer/handler.go.
"""

from collections.abc import Mapping
from dataclasses import replace

from minikube_py.kubelet.statistics import CgroupDetail, CgroupSample, InterfaceCounters

Files = tuple[tuple[str, str], ...]
"""(controller, file name)."""

_TICK_NS = 10_000_000
"""USER_HZ is 100 on every Linux that runs containers."""
_NO_LIMIT = 1 << 62
"""Version 1 says 2^63 less a page for no limit."""

V1_FILES: Files = (
    ("cpuacct", "cpuacct.usage"),
    ("memory", "memory.usage_in_bytes"),
    ("memory", "memory.stat"),
    ("pids", "pids.current"),
)
V1_DETAIL: Files = (
    ("cpuacct", "cpuacct.stat"),
    ("cpu", "cpu.stat"),
    ("cpu", "cpu.shares"),
    ("cpu", "cpu.cfs_quota_us"),
    ("cpu", "cpu.cfs_period_us"),
    ("memory", "memory.failcnt"),
    ("memory", "memory.max_usage_in_bytes"),
    ("pids", "pids.max"),
)
V2_FILES: Files = (
    ("", "cpu.stat"),
    ("", "memory.current"),
    ("", "memory.stat"),
    ("", "memory.max"),
    ("", "pids.current"),
)
V2_DETAIL: Files = (
    ("", "cpu.weight"),
    ("", "cpu.max"),
    ("", "memory.events"),
    ("", "memory.peak"),
    ("", "memory.swap.current"),
    ("", "pids.max"),
)


def files_of(version: int, *, detailed: bool) -> Files:
    """Return which files to read in a version of the interface."""
    basic, more = (V2_FILES, V2_DETAIL) if version == 2 else (V1_FILES, V1_DETAIL)
    return basic + more if detailed else basic


def parse_cgroup(version: int, texts: Mapping[str, str], at_s: float) -> CgroupSample | None:
    """Return what the files (name -> text; those that could not be read are left out) say, None without any."""
    if not texts:
        return None
    return _parse_v2(texts, at_s) if version == 2 else _parse_v1(texts, at_s)


def _number(texts: Mapping[str, str], name: str) -> int:
    text = texts.get(name, "").strip()
    return int(text) if text.lstrip("-").isdigit() else 0


def _table(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _parse_v1(texts: Mapping[str, str], at_s: float) -> CgroupSample:
    stat = _table(texts.get("memory.stat", ""))
    usage = _number(texts, "memory.usage_in_bytes")
    limit = stat.get("hierarchical_memory_limit", 0)
    sample = CgroupSample(
        at_s=at_s,
        cpu_ns=_number(texts, "cpuacct.usage"),
        usage_bytes=usage,
        working_set_bytes=max(usage - stat.get("total_inactive_file", 0), 0),
        rss_bytes=stat.get("total_rss", 0),
        cache_bytes=stat.get("total_cache", 0),
        swap_bytes=stat.get("total_swap", 0),
        page_faults=stat.get("total_pgfault", 0),
        major_page_faults=stat.get("total_pgmajfault", 0),
        limit_bytes=limit if limit < _NO_LIMIT else 0,
        processes=_number(texts, "pids.current"),
    )
    if "cpu.shares" not in texts:
        return sample
    ticks, throttling = _table(texts.get("cpuacct.stat", "")), _table(texts.get("cpu.stat", ""))
    return replace(
        sample,
        detail=CgroupDetail(
            user_ns=ticks.get("user", 0) * _TICK_NS,
            system_ns=ticks.get("system", 0) * _TICK_NS,
            periods=throttling.get("nr_periods", 0),
            throttled_periods=throttling.get("nr_throttled", 0),
            throttled_ns=throttling.get("throttled_time", 0),
            mapped_file_bytes=stat.get("total_mapped_file", 0),
            failures=_number(texts, "memory.failcnt"),
            usage_bytes_max=_number(texts, "memory.max_usage_in_bytes"),
            shares=_number(texts, "cpu.shares"),
            quota_us=max(_number(texts, "cpu.cfs_quota_us"), 0),
            period_us=_number(texts, "cpu.cfs_period_us"),
            processes_max=_number(texts, "pids.max"),
        ),
    )


def shares_of_weight(weight: int) -> int:
    """Return the CPU shares that runc turns into this weight of version 2."""
    return 2 + (weight - 1) * 262142 // 9999 if weight > 0 else 0


def weight_of_shares(shares: int) -> int:
    """Return version 2's weight for CPU shares (upstream: cgroups.ConvertCPUSharesToCgroupV2Value)."""
    return 1 + (min(max(shares, 2), 262144) - 2) * 9999 // 262142


def _parse_v2(texts: Mapping[str, str], at_s: float) -> CgroupSample:
    memory, cpu = _table(texts.get("memory.stat", "")), _table(texts.get("cpu.stat", ""))
    usage = _number(texts, "memory.current")
    sample = CgroupSample(
        at_s=at_s,
        cpu_ns=cpu.get("usage_usec", 0) * 1000,
        usage_bytes=usage,
        working_set_bytes=max(usage - memory.get("inactive_file", 0), 0),
        rss_bytes=memory.get("anon", 0),
        cache_bytes=memory.get("file", 0),
        swap_bytes=_number(texts, "memory.swap.current"),
        page_faults=memory.get("pgfault", 0),
        major_page_faults=memory.get("pgmajfault", 0),
        limit_bytes=_number(texts, "memory.max"),
        processes=_number(texts, "pids.current"),
    )
    if "cpu.weight" not in texts:
        return sample
    quota, _, period = texts.get("cpu.max", "").strip().partition(" ")
    return replace(
        sample,
        detail=CgroupDetail(
            user_ns=cpu.get("user_usec", 0) * 1000,
            system_ns=cpu.get("system_usec", 0) * 1000,
            periods=cpu.get("nr_periods", 0),
            throttled_periods=cpu.get("nr_throttled", 0),
            throttled_ns=cpu.get("throttled_usec", 0) * 1000,
            mapped_file_bytes=memory.get("file_mapped", 0),
            failures=_table(texts.get("memory.events", "")).get("max", 0),
            usage_bytes_max=_number(texts, "memory.peak"),
            shares=shares_of_weight(_number(texts, "cpu.weight")),
            quota_us=int(quota) if quota.isdigit() else 0,
            period_us=int(period) if period.isdigit() else 0,
            processes_max=_number(texts, "pids.max"),
        ),
    )


def parse_interfaces(text: str) -> tuple[InterfaceCounters, ...]:
    """Return the counters of /proc/PID/net/dev in the file's order, without the loopback."""
    found = []
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        numbers = [int(number) for number in rest.split() if number.isdigit()]
        if colon and len(numbers) >= 16 and name.strip() != "lo":
            found.append(InterfaceCounters(name.strip(), *numbers[:4], *numbers[8:12]))
    return tuple(found)


def with_host_memory(sample: CgroupSample, meminfo: Mapping[str, int]) -> CgroupSample:
    """Return a host's sample with the memory of /proc/meminfo (bytes by name), for roots without memory files."""
    usage = meminfo.get("MemTotal", 0) - meminfo.get("MemFree", 0)
    return replace(
        sample,
        usage_bytes=usage,
        working_set_bytes=max(usage - meminfo.get("Inactive(file)", 0), 0),
        rss_bytes=meminfo.get("AnonPages", 0),
        cache_bytes=meminfo.get("Cached", 0),
        swap_bytes=meminfo.get("SwapTotal", 0) - meminfo.get("SwapFree", 0),
    )
