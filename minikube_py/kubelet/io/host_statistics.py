"""Reads this host's statistics: cgroup files, /proc, statvfs and directory walks (ports.HostStatistics).

Nothing is read unless it is asked for, and all that one question needs is read in one go in a worker thread: 30 pods
are some 200 small files, about 5 ms. Walks over directories cost as much as there are files; who asks for them asks
seldom. Nothing here fails for one file that is gone: containers end while they are read.
"""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from typing import TypeVar

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cgroup_files import files_of, parse_cgroup, parse_interfaces, with_host_memory
from minikube_py.kubelet.io.cgroup_mounts import CgroupMounts
from minikube_py.kubelet.io.host_survey import parse_loadavg, parse_meminfo
from minikube_py.kubelet.statistics import CgroupSample, DiskUsage, FileSystem, InterfaceCounters, NodeSample

T = TypeVar("T")
_BLOCK_BYTES = 512


class LinuxHostStatistics:
    """This host; which version of cgroups is asked is what the engine says it uses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cgroups = CgroupMounts()

    async def cgroups(
        self, paths: Sequence[str], version: int, *, detailed: bool = False
    ) -> tuple[CgroupSample | None, ...]:
        """Return a sample of each cgroup, None for those that are not there."""
        return await _in_thread(lambda: tuple(self._cgroup(path, version, detailed=detailed) for path in paths))

    async def interfaces(self, pids: Sequence[int]) -> tuple[tuple[InterfaceCounters, ...] | None, ...]:
        """Return the counters of the network namespaces of these processes, None where one has ended."""
        return await _in_thread(lambda: tuple(_interfaces(f"/proc/{pid}/net/dev") for pid in pids))

    async def disk_usage(self, paths: Sequence[str]) -> tuple[DiskUsage, ...]:
        """Return what stands in each directory (other file systems mounted below it aside) or file."""
        return await _in_thread(lambda: tuple(disk_usage(path) for path in paths))

    async def file_systems(self, paths: Sequence[str]) -> tuple[FileSystem, ...]:
        """Return the file system that each path lies on."""
        return await _in_thread(lambda: tuple(file_system(path) for path in paths))

    async def node(self, version: int, node_dir: str, image_dir: str, pods_cgroup: str) -> NodeSample:
        """Return the host as a whole; the directories tell which file systems are nodefs and imagefs."""
        return await _in_thread(lambda: self._node(version, node_dir, image_dir, pods_cgroup))

    def _node(self, version: int, node_dir: str, image_dir: str, pods_cgroup: str) -> NodeSample:
        meminfo = parse_meminfo(_read("/proc/meminfo"))
        cgroup = self._cgroup("", version, detailed=False) or CgroupSample(self._clock.wall_s())
        if not cgroup.usage_bytes:
            cgroup = with_host_memory(cgroup, meminfo)
        return NodeSample(
            cgroup=cgroup,
            interfaces=_interfaces("/proc/self/net/dev") or (),
            node_fs=file_system(node_dir),
            image_fs=file_system(image_dir or node_dir),
            processes_max=_processes_max(),
            processes=parse_loadavg(_read("/proc/loadavg")),
            memory_bytes=meminfo.get("MemTotal", 0),
            boot_at_s=_boot_at_s(),
            pods_cgroup=self._cgroup(pods_cgroup, version, detailed=False),
        )

    def _cgroup(self, path: str, version: int, *, detailed: bool) -> CgroupSample | None:
        places, at_s = self._cgroups.places(version), self._clock.wall_s()
        texts: dict[str, str] = {}
        for controller, name in files_of(version, detailed=detailed):
            place = places.get(controller)
            text = _read(f"{place}{path}/{name}") if place is not None else ""
            if text:
                texts[name] = text
        return parse_cgroup(version, texts, at_s)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work)


def _read(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall().decode(errors="replace")
    except OSError:
        return ""


def _interfaces(path: str) -> tuple[InterfaceCounters, ...] | None:
    text = _read(path)
    return parse_interfaces(text) if text else None


def _processes_max() -> int:
    """Return how many processes and threads the host takes: the lower of the kernel's two limits."""
    limits = [_read(f"/proc/sys/kernel/{name}").strip() for name in ("pid_max", "threads-max")]
    return min((int(text) for text in limits if text.isdigit()), default=0)


def _boot_at_s() -> float:
    for line in _read("/proc/stat").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def file_system(path: str) -> FileSystem:
    """Return the file system that a path (or, while it is not there, its nearest parent) lies on."""
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    numbers = os.statvfs(path or "/")
    return FileSystem(
        device=os.stat(path or "/").st_dev,
        capacity_bytes=numbers.f_blocks * numbers.f_frsize,
        available_bytes=numbers.f_bavail * numbers.f_frsize,
        inodes=numbers.f_files,
        inodes_free=numbers.f_ffree,
    )


def disk_usage(path: str) -> DiskUsage:
    """Return the allocated bytes and the inodes at and below a path; a file with several names counts once."""
    try:
        top = os.lstat(path)
    except OSError:
        return DiskUsage()
    total, inodes = top.st_blocks * _BLOCK_BYTES, 1
    seen: set[int] = set()
    pending = [path] if stat.S_ISDIR(top.st_mode) else []
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if info.st_dev != top.st_dev or info.st_ino in seen:
                continue
            if info.st_nlink > 1 and not stat.S_ISDIR(info.st_mode):
                seen.add(info.st_ino)
            total, inodes = total + info.st_blocks * _BLOCK_BYTES, inodes + 1
            if stat.S_ISDIR(info.st_mode):
                pending.append(entry.path)
    return DiskUsage(total, inodes)
