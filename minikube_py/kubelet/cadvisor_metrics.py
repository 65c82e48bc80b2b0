"""/metrics/cadvisor: the families that dashboards and alerts are written for, from the same samples as the others.

Every cgroup is one row: containers, their pods (label container empty), all pods together (`/kubepods`) and the host
(`/`). CPU per processor is not read: `cpu="total"`, as cadvisor has it on version 2.

Upstream: cadvisor metrics/prometheus.go, with the kubelet's label set.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from minikube_py.kubelet.metric_text import Family, Sample, render_families
from minikube_py.kubelet.statistics import (
    CgroupSample,
    ContainerSample,
    DiskUsage,
    FileSystem,
    InterfaceCounters,
    PodSample,
    Snapshot,
)

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What the host is, for the machine_* families and cadvisor_version_info."""

    cpus: int
    memory_bytes: int
    boot_id: str
    machine_id: str
    system_uuid: str
    kernel: str
    os_image: str
    docker_version: str


@dataclass(frozen=True, slots=True)
class _Row:
    labels: Mapping[str, str]
    cgroup: CgroupSample
    started_at_s: float
    interfaces: tuple[InterfaceCounters, ...] = ()
    file_system: FileSystem | None = None
    used: DiskUsage | None = None


_CounterOrGauge = Literal["counter", "gauge"]
_PLAIN: tuple[tuple[str, _CounterOrGauge, str, Callable[[CgroupSample], float]], ...] = (
    ("container_cpu_user_seconds_total", "counter", "CPU time in user mode", lambda s: s.detail.user_ns / _NS),
    ("container_cpu_system_seconds_total", "counter", "CPU time in the kernel", lambda s: s.detail.system_ns / _NS),
    ("container_memory_cache", "gauge", "Page cache in bytes", lambda s: s.cache_bytes),
    ("container_memory_failcnt", "counter", "How often the limit was hit", lambda s: s.detail.failures),
    ("container_memory_mapped_file", "gauge", "Mapped files in bytes", lambda s: s.detail.mapped_file_bytes),
    ("container_memory_max_usage_bytes", "gauge", "Greatest use in bytes", lambda s: s.detail.usage_bytes_max),
    ("container_memory_rss", "gauge", "Anonymous memory in bytes", lambda s: s.rss_bytes),
    ("container_memory_swap", "gauge", "Swap in bytes", lambda s: s.swap_bytes),
    ("container_memory_usage_bytes", "gauge", "Use in bytes, cache included", lambda s: s.usage_bytes),
    ("container_memory_working_set_bytes", "gauge", "Working set in bytes", lambda s: s.working_set_bytes),
    ("container_processes", "gauge", "Processes", lambda s: s.processes),
    ("container_threads", "gauge", "Threads", lambda s: s.processes),
    ("container_threads_max", "gauge", "Threads allowed, 0 for no limit", lambda s: s.detail.processes_max),
    ("container_spec_cpu_period", "gauge", "CFS period in microseconds", lambda s: s.detail.period_us),
    ("container_spec_cpu_shares", "gauge", "CPU shares", lambda s: s.detail.shares),
    ("container_spec_memory_limit_bytes", "gauge", "Memory limit, 0 for none", lambda s: s.limit_bytes),
    ("container_last_seen", "gauge", "When it was last measured", lambda s: int(s.at_s)),
)
_LIMITED: tuple[tuple[str, _CounterOrGauge, str, Callable[[CgroupSample], float]], ...] = (
    ("container_cpu_cfs_periods_total", "counter", "Periods so far", lambda s: s.detail.periods),
    ("container_cpu_cfs_throttled_periods_total", "counter", "Throttled ones", lambda s: s.detail.throttled_periods),
    ("container_cpu_cfs_throttled_seconds_total", "counter", "Time throttled", lambda s: s.detail.throttled_ns / _NS),
    ("container_spec_cpu_quota", "gauge", "CFS quota in microseconds", lambda s: s.detail.quota_us),
)
"""Only where there is a quota."""
_NETWORK: tuple[tuple[str, Callable[[InterfaceCounters], int]], ...] = (
    ("receive_bytes", lambda i: i.rx_bytes),
    ("receive_errors", lambda i: i.rx_errors),
    ("receive_packets_dropped", lambda i: i.rx_dropped),
    ("receive_packets", lambda i: i.rx_packets),
    ("transmit_bytes", lambda i: i.tx_bytes),
    ("transmit_errors", lambda i: i.tx_errors),
    ("transmit_packets_dropped", lambda i: i.tx_dropped),
    ("transmit_packets", lambda i: i.tx_packets),
)


def render_cadvisor_metrics(snapshot: Snapshot, machine: MachineFacts) -> str:
    """Return the metrics of one moment."""
    rows = tuple(_rows(snapshot))
    families = [_cpu(rows)]
    for name, type_, help_text, value in _PLAIN:
        families.append(Family(name, help_text, type_, [_sample(row, value(row.cgroup)) for row in rows]))
    for name, type_, help_text, value in _LIMITED:
        limited = [_sample(row, value(row.cgroup)) for row in rows if row.cgroup.detail.quota_us]
        families.append(Family(name, help_text, type_, limited))
    started = [Sample(row.labels, row.started_at_s) for row in rows]
    families.append(Family("container_start_time_seconds", "Start, in seconds since the epoch", "gauge", started))
    families += [*_disks(rows), *_network(rows), *_machine(machine)]
    families.append(Family("container_scrape_error", "1 when metrics could not be had", "gauge", [Sample({}, 0)]))
    return render_families(families)


def _sample(row: _Row, value: float, **more: str) -> Sample:
    return Sample({**row.labels, **more}, value, row.cgroup.at_s)


def _labels(
    id: str, container: str = "", pod: PodSample | None = None, image: str = "", name: str = ""
) -> dict[str, str]:
    namespace, pod_name = (pod.pod.namespace, pod.pod.name) if pod is not None else ("", "")
    return {
        "container": container,
        "id": id,
        "image": image,
        "name": name,
        "namespace": namespace,
        "pod": pod_name,
    }


def _rows(snapshot: Snapshot) -> Iterator[_Row]:
    node = snapshot.node
    used = DiskUsage(
        node.node_fs.capacity_bytes - node.node_fs.available_bytes, node.node_fs.inodes - node.node_fs.inodes_free
    )
    yield _Row(_labels("/"), node.cgroup, node.boot_at_s, node.interfaces, node.node_fs, used)
    if node.pods_cgroup is not None:
        yield _Row(_labels("/kubepods"), node.pods_cgroup, node.boot_at_s)
    for pod in snapshot.pods:
        yield _Row(_labels(pod.cgroup_path, pod=pod), pod.cgroup, pod.started_at_s, pod.interfaces or ())
        for container in pod.containers:
            labels = _labels(
                f"{pod.cgroup_path}/{container.id}",
                container.name,
                pod,
                container.image,
                _docker_name(pod, container),
            )
            yield _Row(
                labels, container.cgroup, container.started_at_s, file_system=node.image_fs, used=container.rootfs
            )


def _docker_name(pod: PodSample, container: ContainerSample) -> str:
    return f"k8s_{container.name}_{pod.pod.name}_{pod.pod.namespace}_{pod.pod.uid}"


def _cpu(rows: tuple[_Row, ...]) -> Family:
    samples = [_sample(row, row.cgroup.cpu_ns / _NS, cpu="total") for row in rows]
    return Family("container_cpu_usage_seconds_total", "CPU time used so far, in seconds", "counter", samples)


def _disks(rows: tuple[_Row, ...]) -> list[Family]:
    known = [(row, row.file_system, row.used) for row in rows if row.file_system is not None and row.used is not None]
    return [
        Family(
            "container_fs_usage_bytes",
            "Bytes in the writable layer",
            "gauge",
            [_sample(row, used.bytes, device="") for row, _, used in known],
        ),
        Family(
            "container_fs_limit_bytes",
            "Size of the file system",
            "gauge",
            [_sample(row, fs.capacity_bytes, device="") for row, fs, _ in known],
        ),
        Family(
            "container_fs_inodes_free",
            "Free inodes of the file system",
            "gauge",
            [_sample(row, fs.inodes_free, device="") for row, fs, _ in known],
        ),
        Family(
            "container_fs_inodes_total",
            "Inodes of the file system",
            "gauge",
            [_sample(row, fs.inodes, device="") for row, fs, _ in known],
        ),
    ]


def _network(rows: tuple[_Row, ...]) -> list[Family]:
    return [
        Family(
            f"container_network_{what}_total",
            f"Network: {what.replace('_', ' ')} so far",
            "counter",
            [_sample(row, value(i), interface=i.name) for row in rows for i in row.interfaces],
        )
        for what, value in _NETWORK
    ]


def _machine(machine: MachineFacts) -> list[Family]:
    ids = {"boot_id": machine.boot_id, "machine_id": machine.machine_id, "system_uuid": machine.system_uuid}
    version = {
        "cadvisorRevision": "",
        "cadvisorVersion": "",
        "dockerVersion": machine.docker_version,
        "kernelVersion": machine.kernel,
        "osVersion": machine.os_image,
    }
    return [
        Family("cadvisor_version_info", "Versions of kernel, system and engine", "gauge", [Sample(version, 1)]),
        Family("machine_cpu_cores", "Processors", "gauge", [Sample(ids, machine.cpus)]),
        Family("machine_memory_bytes", "Memory in bytes", "gauge", [Sample(ids, machine.memory_bytes)]),
        Family("machine_scrape_error", "1 when the machine could not be read", "gauge", [Sample({}, 0)]),
    ]
