"""A host's numbers in memory (ports.HostStatistics and ports.DiskPlaces): tests say what each container uses.

Use is given by container id and for the host; the cgroups of pods are the sums of their containers, as in the kernel.
CPU counters grow with the clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import ContainerId
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.kubelet.ports import ContainerPlaces
from minikube_py.kubelet.statistics import CgroupSample, DiskUsage, FileSystem, InterfaceCounters, NodeSample

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Use:
    """What a container uses: cores of CPU, bytes of memory."""

    cores: float = 0.0
    memory_bytes: int = MIB


class FakeHostStatistics:
    """A host of 8 GiB; `walks` counts the paths that were walked over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.uses: dict[str, Use] = {}
        """By container id; others use 1 MiB and no CPU."""
        self.memory_used_bytes = 1 << 30
        self.memory_bytes = 8 << 30
        self.node_fs = FileSystem(1, 100 << 30, 50 << 30, 1_000_000, 900_000)
        self.image_fs = FileSystem(1, 100 << 30, 50 << 30, 1_000_000, 900_000)
        self.processes = 200
        self.disks: dict[str, DiskUsage] = {}
        """By path; writable layers are `/layers/ID`, logs `/logs/ID`."""
        self.is_full: Callable[[], bool] = lambda: False
        """While it is true, 1 GiB is left of the node's disk."""
        self.readings = 0
        self.walks = 0

    def _of(self, container: str) -> CgroupSample:
        use = self.uses.get(container, Use())
        return CgroupSample(
            at_s=self._clock.wall_s(),
            cpu_ns=int(use.cores * self._clock.now_s() * 1e9),
            usage_bytes=use.memory_bytes,
            working_set_bytes=use.memory_bytes,
            processes=1,
        )

    async def cgroups(
        self, paths: Sequence[str], version: int, *, detailed: bool = False
    ) -> tuple[CgroupSample | None, ...]:
        """Return samples: a path below another one of the question is a container."""
        self.readings += 1
        return tuple(self._sample(path, paths) for path in paths)

    def _sample(self, path: str, paths: Sequence[str]) -> CgroupSample:
        members = [self._of(other.rpartition("/")[2]) for other in paths if other.startswith(path + "/")]
        if not members:
            return self._of(path.rpartition("/")[2])
        return CgroupSample(
            at_s=self._clock.wall_s(),
            cpu_ns=sum(m.cpu_ns for m in members),
            usage_bytes=sum(m.usage_bytes for m in members),
            working_set_bytes=sum(m.working_set_bytes for m in members),
            processes=len(members),
        )

    async def interfaces(self, pids: Sequence[int]) -> tuple[tuple[InterfaceCounters, ...] | None, ...]:
        """Return one quiet eth0 for each process."""
        return tuple((InterfaceCounters("eth0", 0, 0, 0, 0, 0, 0, 0, 0),) if pid else None for pid in pids)

    async def disk_usage(self, paths: Sequence[str]) -> tuple[DiskUsage, ...]:
        """Return what `disks` has."""
        self.walks += len(paths)
        return tuple(self.disks.get(path, DiskUsage()) for path in paths)

    async def file_systems(self, paths: Sequence[str]) -> tuple[FileSystem, ...]:
        """Return nodefs for every path."""
        return tuple(self.node_fs for _ in paths)

    async def node(self, version: int, node_dir: str, image_dir: str, pods_cgroup: str) -> NodeSample:
        """Return the host."""
        now_s = self._clock.wall_s()
        return NodeSample(
            cgroup=CgroupSample(now_s, int(self._clock.now_s() * 1e8), working_set_bytes=self.memory_used_bytes),
            interfaces=(),
            node_fs=replace(self.node_fs, available_bytes=1 << 30) if self.is_full() else self.node_fs,
            image_fs=self.image_fs,
            processes_max=32768,
            processes=self.processes,
            memory_bytes=self.memory_bytes,
            boot_at_s=now_s - self._clock.now_s(),
            pods_cgroup=CgroupSample(now_s),
        )

    async def places(self, container: ContainerId) -> ContainerPlaces:
        """Return made-up places."""
        return ContainerPlaces(f"/layers/{container}", f"/logs/{container}")


class FakeCgroupWriter:
    """Cgroups as a dict (ports.CgroupWriter); `failures` are raised first."""

    def __init__(self) -> None:
        self.limits: dict[str, CgroupLimits] = {}
        self.failures: list[OSError] = []
        self.together: list[str] = []
        """Containers whose processes end together."""

    async def write(self, name: str, limits: CgroupLimits, version: int) -> None:
        """Make or change a cgroup."""
        if self.failures:
            raise self.failures.pop(0)
        self.limits[name] = limits

    async def die_together(self, path: str) -> None:
        """Remember whose processes do."""
        self.together.append(path)
