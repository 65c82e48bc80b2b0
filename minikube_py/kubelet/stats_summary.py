"""The document of /stats/summary: what dashboards, autoscalers and eviction's critics read of a node.

Fields that were not measured are left out, never 0. A pod's ephemeral storage is its containers' writable layers and
logs and its emptyDirs on disk, as it counts against limits.

Upstream: kubelet stats/v1alpha1 Summary, server/stats/summary.go, stats/cri_stats_provider.go.
"""

from minikube_py.api.meta import Obj, format_time
from minikube_py.kubelet.statistics import (
    CgroupSample,
    ContainerSample,
    DiskUsage,
    FileSystem,
    InterfaceCounters,
    NodeSample,
    PodSample,
    Snapshot,
    VolumeSample,
)

DEFAULT_INTERFACE = "eth0"


def render_summary(snapshot: Snapshot) -> Obj:
    """Return the whole document."""
    return {
        "node": _node(snapshot.node_name, snapshot.node),
        "pods": [_pod(pod, snapshot.node) for pod in snapshot.pods],
    }


def _node(name: str, node: NodeSample) -> Obj:
    at = format_time(node.cgroup.at_s)
    system: list[Obj] = []
    if node.pods_cgroup is not None:
        pods = {"name": "pods", "startTime": format_time(node.boot_at_s)}
        system.append({**pods, **_cpu_and_memory(node.pods_cgroup, node.memory_bytes)})
    image_fs = _used_fs(node.image_fs, at)
    return {
        "nodeName": name,
        "systemContainers": system,
        "startTime": format_time(node.boot_at_s),
        **_cpu_and_memory(node.cgroup, node.memory_bytes),
        "network": _network(node.interfaces, at),
        "fs": _used_fs(node.node_fs, at),
        "runtime": {"imageFs": image_fs, "containerFs": image_fs},
        "rlimit": {"time": at, "maxpid": node.processes_max, "curproc": node.processes},
        "swap": {"time": at, "swapUsageBytes": node.cgroup.swap_bytes},
    }


def _cpu_and_memory(sample: CgroupSample, host_memory: int = 0) -> Obj:
    """Return `cpu` and `memory`; what is available is counted from the limit, on the host from its memory."""
    at = format_time(sample.at_s)
    cpu: Obj = {"time": at}
    if sample.nano_cores is not None:
        cpu["usageNanoCores"] = sample.nano_cores
    cpu["usageCoreNanoSeconds"] = sample.cpu_ns
    limit = min(filter(None, (sample.limit_bytes, host_memory)), default=0)
    memory: Obj = {"time": at}
    if limit:
        memory["availableBytes"] = max(limit - sample.working_set_bytes, 0)
    memory |= {
        "usageBytes": sample.usage_bytes,
        "workingSetBytes": sample.working_set_bytes,
        "rssBytes": sample.rss_bytes,
        "pageFaults": sample.page_faults,
        "majorPageFaults": sample.major_page_faults,
    }
    return {"cpu": cpu, "memory": memory}


def _network(interfaces: tuple[InterfaceCounters, ...], at: str) -> Obj:
    entries = [
        {
            "name": interface.name,
            "rxBytes": interface.rx_bytes,
            "rxErrors": interface.rx_errors,
            "txBytes": interface.tx_bytes,
            "txErrors": interface.tx_errors,
        }
        for interface in interfaces
    ]
    default = next((entry for entry in entries if entry["name"] == DEFAULT_INTERFACE), {"name": ""})
    return {"time": at, **default, "interfaces": entries}


def _used_fs(fs: FileSystem, at: str) -> Obj:
    used = DiskUsage(fs.capacity_bytes - fs.available_bytes, fs.inodes - fs.inodes_free)
    return _fs(fs, used, at)


def _fs(fs: FileSystem, used: DiskUsage, at: str) -> Obj:
    return {
        "time": at,
        "availableBytes": fs.available_bytes,
        "capacityBytes": fs.capacity_bytes,
        "usedBytes": used.bytes,
        "inodesFree": fs.inodes_free,
        "inodes": fs.inodes,
        "inodesUsed": used.inodes,
    }


def _pod(pod: PodSample, node: NodeSample) -> Obj:
    at = format_time(pod.cgroup.at_s)
    result: Obj = {
        "podRef": {"name": pod.pod.name, "namespace": pod.pod.namespace, "uid": pod.pod.uid},
        "startTime": format_time(pod.started_at_s),
        "containers": [_container(container, node) for container in pod.containers],
        **_cpu_and_memory(pod.cgroup),
    }
    if pod.interfaces is not None:
        result["network"] = _network(pod.interfaces, at)
    if pod.volumes:
        result["volume"] = [_volume(volume, at) for volume in pod.volumes]
    if pod.disks_known:
        result["ephemeral-storage"] = _fs(node.node_fs, ephemeral_usage(pod), at)
    result["process_stats"] = {"process_count": pod.cgroup.processes}
    result["swap"] = {"time": at, "swapUsageBytes": pod.cgroup.swap_bytes}
    return result


def _container(container: ContainerSample, node: NodeSample) -> Obj:
    at = format_time(container.cgroup.at_s)
    result: Obj = {
        "name": container.name,
        "startTime": format_time(container.started_at_s),
        **_cpu_and_memory(container.cgroup),
    }
    if container.rootfs is not None:
        result["rootfs"] = _fs(node.image_fs, container.rootfs, at)
    if container.logs is not None:
        result["logs"] = _fs(node.node_fs, container.logs, at)
    result["swap"] = {"time": at, "swapUsageBytes": container.cgroup.swap_bytes}
    return result


def _volume(volume: VolumeSample, at: str) -> Obj:
    return {**_fs(volume.file_system, volume.used, at), "name": volume.name}


def ephemeral_usage(pod: PodSample) -> DiskUsage:
    """Return what counts against the pod's ephemeral-storage limit."""
    total = DiskUsage()
    for container in pod.containers:
        total = total + (container.rootfs or DiskUsage()) + (container.logs or DiskUsage())
    for volume in pod.volumes:
        if volume.on_disk and volume.ephemeral:
            total = total + volume.used
    return total
