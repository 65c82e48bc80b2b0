"""The pods' directories on this host (ports.PodFiles): volumes, mounted files, and taking them away again.

Everything here blocks and so runs in an executor of its own. A directory is deleted only after nothing is mounted
below it any more, and never across a file system. Upstream: volume/emptydir, kubelet_pods.go cleanupOrphanedPodDirs.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from minikube_py.kubelet.cgroup_names import is_slice, outermost
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.atomic_writer import write_payload
from minikube_py.kubelet.io.cgroup_dirs import has_cgroup, remove_cgroup
from minikube_py.kubelet.io.cgroup_mounts import CgroupMounts
from minikube_py.kubelet.io.host_paths import check_host_path
from minikube_py.kubelet.io.log_sweep import log_uids, remove_logs
from minikube_py.kubelet.io.log_tail import read_log_tail
from minikube_py.kubelet.io.memory_mounts import MemoryMounts
from minikube_py.kubelet.io.mounts import KernelMounts, Mounts, mounts_below
from minikube_py.kubelet.io.nfs_mounts import mount_nfs
from minikube_py.kubelet.io.sub_path_mounts import mount_sub_path, unmount_below
from minikube_py.kubelet.io.volume_ownership import own_volume
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.ports import Slices, VolumeRequest
from minikube_py.kubelet.volume_ownership import ChangePolicy, group_mode

T = TypeVar("T")

THREADS = 4
CGROUP_TRIES_MAX = 20
CGROUP_PAUSE_S = 0.02
"""A killed process leaves its cgroup within milliseconds; one that hangs in the kernel stays after the last try."""
_KERNEL = KernelMounts()
_FRESH_MODES = {"tmpfs": 0o1777}
"""By file system: a new volume's mode, for pods of every user (as upstream); a tmpfs keeps the kernel's own."""


class HostPodFiles:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, slices: Slices, mounts: Mounts = _KERNEL) -> None:
        self._root_dir = config.root_dir
        self._pod_logs_dir = config.pod_logs_dir
        self._slices = slices
        self._mounts = mounts
        self._memory = MemoryMounts(mounts)
        self._cgroups = CgroupMounts(mounts.mounted)
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="pod-files")

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def set_up_volume(self, request: VolumeRequest) -> None:
        """Make (or bring up to date) a volume's directory."""
        await self._run(lambda: self._set_up_volume(request))

    def _set_up_volume(self, request: VolumeRequest) -> None:
        fresh = not os.path.isdir(request.path)
        os.makedirs(request.path, 0o750, exist_ok=True)
        if request.file_system and not os.path.ismount(request.path):
            self._mount(request)
            fresh = True
        if fresh:
            mode = _FRESH_MODES.get(request.file_system, 0o777)
            if request.gid is not None:
                os.chown(request.path, -1, request.gid)
                mode = group_mode(stat.S_IFDIR | mode)
            os.chmod(request.path, mode)
        if request.files is not None:
            write_payload(request.path, request.files, request.gid)

    def _mount(self, request: VolumeRequest) -> None:
        if request.file_system == "tmpfs":
            self._memory.mount(request.path, request.mount_options)
        else:
            self._mounts.mount(request.file_system, request.path, request.mount_options)

    async def has_unswapped_memory(self) -> bool:
        """Return whether volumes in memory are never swapped."""
        return await self._run(lambda: self._memory.try_noswap(self._root_dir))

    async def own_volume(self, path: str, gid: int, policy: ChangePolicy) -> None:
        """Give a volume to fsGroup."""
        await self._run(lambda: own_volume(path, gid, policy))

    async def mount_nfs(self, volume: NfsVolume, path: str, options: Sequence[str]) -> None:
        """Mount an NFS export, unless it is."""
        if await self._run(lambda: any(mount.path == path for mount in self._mounts.mounted())):
            return
        await self._run(lambda: os.makedirs(path, 0o750, exist_ok=True))
        await mount_nfs(volume, path, options)

    async def make_directory(self, path: str) -> None:
        """Make a directory that pods of every user may write to."""
        await self._run(lambda: _make_directory(path))

    async def remove_directory(self, path: str) -> None:
        """Remove a directory with all that it holds, unless something is mounted below."""
        await self._run(lambda: self._remove_directory(path))

    def _remove_directory(self, path: str) -> None:
        if not os.path.isdir(path):
            return
        left = mounts_below(path, self._mounts.mounted())
        if left:
            raise OSError(errno.EBUSY, "still mounted", left[0])
        _remove_tree(path, os.stat(path).st_dev)

    async def check_host_path(self, path: str, type: str) -> None:
        """Check a hostPath, making it for the `…OrCreate` types."""
        await self._run(lambda: check_host_path(path, type))

    async def set_up_sub_path(self, volume_path: str, sub_path: str, mount_point: str) -> str:
        """Make `sub_path` of a volume visible at `mount_point`."""
        return await self._run(lambda: mount_sub_path(self._mounts, volume_path, sub_path, mount_point))

    async def write_file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in place."""
        await self._run(lambda: _write_file(path, text, mode))

    async def read_file(self, path: str, limit_bytes: int) -> str:
        """Return the start of a file, or nothing when it is not there."""
        return await self._run(lambda: _read_file(path, limit_bytes))

    async def log_tail(self, log_path: str) -> str:
        """Return the end of a container's log."""
        return await self._run(lambda: read_log_tail(log_path))

    async def remove_pod(self, pod_dir: str) -> None:
        """Unmount what is mounted below, then remove the directory."""
        await self._run(lambda: self._remove_pod(pod_dir))

    def _remove_pod(self, pod_dir: str) -> None:
        if os.path.isdir(pod_dir):
            unmount_below(self._mounts, pod_dir)
        self._remove_directory(pod_dir)

    async def remove_cgroup(self, parent: str) -> None:
        """Remove a pod's cgroups in every hierarchy; what is left in them is killed."""
        # What is not there needs no systemd, which may not be there either: the engine's driver has changed since.
        if is_slice(parent) and await self._run(lambda: has_cgroup(parent, self._cgroups.all())):
            await self._slices.stop(outermost(parent))
        for _ in range(CGROUP_TRIES_MAX):
            if await self._run(lambda: remove_cgroup(parent, self._cgroups.all())):
                return
            await asyncio.sleep(CGROUP_PAUSE_S)

    async def log_uids(self) -> tuple[str, ...]:
        """Return the uids that have logs."""
        return await self._run(lambda: log_uids(self._pod_logs_dir))

    async def remove_logs(self, uids: Collection[str]) -> None:
        """Remove the logs of these pods."""
        await self._run(lambda: remove_logs(self._pod_logs_dir, uids))

    async def pod_uids(self) -> tuple[str, ...]:
        """Return the uids that have a directory."""
        return await self._run(lambda: _pod_uids(self._root_dir))


def _make_directory(path: str) -> None:
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    if not os.path.isdir(path):
        os.mkdir(path, 0o700)
        os.chmod(path, 0o777)  # noqa: S103 - as upstream: pods of any user


def _write_file(path: str, text: str, mode: int) -> None:
    if _read_file(path, len(text) + 1) == text and os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), 0o750, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def _read_file(path: str, limit_bytes: int) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(limit_bytes).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _remove_tree(path: str, device: int) -> None:
    for entry in os.scandir(path):
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
            continue
        if entry.stat(follow_symlinks=False).st_dev != device:
            raise OSError(errno.EXDEV, "is another file system", entry.path)
        _remove_tree(entry.path, device)
    os.rmdir(path)


def _pod_uids(root_dir: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(os.path.join(root_dir, "pods"))))
    except FileNotFoundError:
        return ()
