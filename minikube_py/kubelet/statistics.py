"""What is measured on a node: values that the statistics' documents are made from; times are wall clock seconds.

Counters grow; a rate needs two samples of one cgroup. Everything that a host does not have is None or 0, never a
guess. Upstream: cadvisor info/v1 and info/v2 ContainerStats.
"""

from dataclasses import dataclass, replace

from minikube_py.kubelet.cri import PodIdentity

RATE_S_MIN = 0.1
"""Two samples closer than this give no rate: the counters' own grain would be most of it."""


@dataclass(frozen=True, slots=True)
class CgroupDetail:
    """What only /metrics/cadvisor shows."""

    user_ns: int = 0
    system_ns: int = 0
    periods: int = 0
    throttled_periods: int = 0
    throttled_ns: int = 0
    mapped_file_bytes: int = 0
    failures: int = 0
    """How often the memory limit was hit."""
    usage_bytes_max: int = 0
    shares: int = 0
    quota_us: int = 0
    """0: no limit."""
    period_us: int = 0
    processes_max: int = 0
    """0: no limit."""


@dataclass(frozen=True, slots=True)
class CgroupSample:
    """One reading of a cgroup."""

    at_s: float
    cpu_ns: int = 0
    usage_bytes: int = 0
    working_set_bytes: int = 0
    rss_bytes: int = 0
    cache_bytes: int = 0
    swap_bytes: int = 0
    page_faults: int = 0
    major_page_faults: int = 0
    limit_bytes: int = 0
    """0: no limit."""
    processes: int = 0
    nano_cores: int | None = None
    """CPU use since the sample before, None for the first one."""
    detail: CgroupDetail = CgroupDetail()


def with_rate(sample: CgroupSample, before: CgroupSample | None) -> CgroupSample:
    """Return the sample with its rate since `before`; a counter that went back (a new cgroup) gives none."""
    if before is None or sample.cpu_ns < before.cpu_ns:
        return sample
    window_s = sample.at_s - before.at_s
    if window_s < RATE_S_MIN:
        return replace(sample, nano_cores=before.nano_cores)
    return replace(sample, nano_cores=int((sample.cpu_ns - before.cpu_ns) / window_s))


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """One network interface's counters."""

    name: str
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One file system's room; `device` tells file systems apart."""

    device: int = 0
    capacity_bytes: int = 0
    available_bytes: int = 0
    inodes: int = 0
    inodes_free: int = 0


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What stands in some directories or files: allocated bytes, and entries."""

    bytes: int = 0
    inodes: int = 0

    def __add__(self, other: "DiskUsage") -> "DiskUsage":
        return DiskUsage(self.bytes + other.bytes, self.inodes + other.inodes)


@dataclass(frozen=True, slots=True)
class VolumeSample:
    """One volume of a pod."""

    name: str
    used: DiskUsage
    file_system: FileSystem
    on_disk: bool = True
    """False for tmpfs, whose bytes are memory and no storage of the node."""
    ephemeral: bool = True
    """Its bytes count against the pod's ephemeral-storage limit."""


@dataclass(frozen=True, slots=True)
class ContainerSample:
    """One running container; `rootfs` and `logs` only where disks were looked at."""

    name: str
    id: str
    image: str
    started_at_s: float
    cgroup: CgroupSample
    rootfs: DiskUsage | None = None
    logs: DiskUsage | None = None


@dataclass(frozen=True, slots=True)
class PodSample:
    """One pod."""

    pod: PodIdentity
    started_at_s: float
    cgroup: CgroupSample
    cgroup_path: str
    containers: tuple[ContainerSample, ...]
    interfaces: tuple[InterfaceCounters, ...] | None = None
    """None: it uses the host's network, or was not asked for."""
    volumes: tuple[VolumeSample, ...] = ()
    disks_known: bool = False


@dataclass(frozen=True, slots=True)
class NodeSample:
    """The host as a whole."""

    cgroup: CgroupSample
    interfaces: tuple[InterfaceCounters, ...]
    node_fs: FileSystem
    image_fs: FileSystem
    processes_max: int
    processes: int
    memory_bytes: int
    boot_at_s: float
    pods_cgroup: CgroupSample | None = None
    """The cgroup `kubepods`, all pods together."""

    @property
    def has_image_fs(self) -> bool:
        """Return whether images and writable layers have a file system of their own (upstream: dedicated imagefs)."""
        return self.node_fs.device != self.image_fs.device


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A node and its pods at one moment."""

    node_name: str
    node: NodeSample
    pods: tuple[PodSample, ...]
