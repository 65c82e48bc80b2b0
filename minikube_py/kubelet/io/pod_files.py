"""The pods' directories on this host (ports.PodFiles): volumes, mounted files, and taking them away again.

Everything here blocks and so runs in an executor of its own. Rules that keep the host safe: a sub path is opened part
by part without following links, and bound by its descriptor; a directory is deleted only after nothing is mounted
below it any more, and never across a file system. Upstream: volume/emptydir, volume/hostpath, volume/util/subpath.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.atomic_writer import write_payload
from minikube_py.kubelet.io.cgroup_dirs import remove_cgroup
from minikube_py.kubelet.io.log_sweep import sweep_logs
from minikube_py.kubelet.io.log_tail import read_log_tail
from minikube_py.kubelet.io.mounts import KernelMounts, Mounts, mounts_below
from minikube_py.kubelet.ports import VolumeRequest
from minikube_py.kubelet.volumes import VolumeError

T = TypeVar("T")

THREADS = 4
_KERNEL = KernelMounts()

_HOST_PATH_TYPES: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


class HostPodFiles:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, mounts: Mounts = _KERNEL) -> None:
        self._root_dir = config.root_dir
        self._pod_logs_dir = config.pod_logs_dir
        self._mounts = mounts
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="pod-files")

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def set_up_volume(self, request: VolumeRequest) -> None:
        """Make (or bring up to date) a volume's directory."""
        await self._run(lambda: self._set_up_volume(request))

    def _set_up_volume(self, request: VolumeRequest) -> None:
        fresh = not os.path.isdir(request.path)
        os.makedirs(request.path, 0o750, exist_ok=True)
        if request.in_memory and not os.path.ismount(request.path):
            options = "mode=0777" + (f",size={request.size_bytes}" if request.size_bytes else "")
            self._mounts.tmpfs(request.path, options)
            fresh = True
        if fresh:
            os.chmod(request.path, 0o777)  # noqa: S103 - as upstream: pods of any user
            if request.gid is not None:
                os.chown(request.path, -1, request.gid)
                os.chmod(request.path, 0o2777)  # noqa: S103 - and new files belong to the group
        if request.files is not None:
            write_payload(request.path, request.files, request.gid)

    async def check_host_path(self, path: str, type: str) -> None:
        """Check a hostPath, making it for the `…OrCreate` types."""
        await self._run(lambda: _check_host_path(path, type))

    async def set_up_sub_path(self, volume_path: str, sub_path: str, mount_point: str) -> str:
        """Make `sub_path` of a volume visible at `mount_point`."""
        return await self._run(lambda: self._set_up_sub_path(volume_path, sub_path, mount_point))

    def _set_up_sub_path(self, volume_path: str, sub_path: str, mount_point: str) -> str:
        root = os.path.realpath(volume_path)
        target = os.path.realpath(os.path.join(root, sub_path))
        if target != root and not target.startswith(root + "/"):
            raise OSError(errno.EINVAL, f"subpath {sub_path} leads out of the volume", sub_path)
        descriptor = _open_inside(root, os.path.relpath(target, root))
        try:
            is_dir = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            self._unmount_below(mount_point)
            if is_dir:
                os.makedirs(mount_point, 0o750, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(mount_point), 0o750, exist_ok=True)
                os.close(os.open(mount_point, os.O_WRONLY | os.O_CREAT, 0o640))
            self._mounts.bind(f"/proc/self/fd/{descriptor}", mount_point)
        finally:
            os.close(descriptor)
        return mount_point

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
        if not os.path.isdir(pod_dir):
            return
        self._unmount_below(pod_dir)
        left = mounts_below(pod_dir, self._mounts.mounted())
        if left:
            raise OSError(errno.EBUSY, "still mounted", left[0])
        _remove_tree(pod_dir, os.stat(pod_dir).st_dev)

    def _unmount_below(self, directory: str) -> None:
        for path in mounts_below(directory, self._mounts.mounted()):
            self._mounts.unmount(path)

    async def remove_cgroup(self, parent: str) -> None:
        """Remove a pod's empty cgroups in every hierarchy."""
        await self._run(lambda: remove_cgroup(parent, self._mounts.mounted()))

    async def sweep_logs(self, known_uids: Collection[str]) -> None:
        """Remove logs of pods that are gone."""
        await self._run(lambda: sweep_logs(self._pod_logs_dir, known_uids))

    async def pod_uids(self) -> tuple[str, ...]:
        """Return the uids that have a directory."""
        return await self._run(lambda: _pod_uids(self._root_dir))


def _check_host_path(path: str, type: str) -> None:
    if not type:
        # Runtimes make what is missing, and so do we: Docker refuses a bind mount of nothing.
        if not os.path.lexists(path):
            os.makedirs(path, 0o755)
        return
    name = type.removesuffix("OrCreate")
    known = _HOST_PATH_TYPES.get(name)
    if known is None:
        raise VolumeError(f"unknown hostPath type {type}")
    fits, word = known
    if type.endswith("OrCreate") and not os.path.lexists(path):
        if name == "Directory":
            os.makedirs(path, 0o755)
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = 0
    if not fits(mode):
        raise VolumeError(f"hostPath type check failed: {path} is not {word}")


def _open_inside(root: str, relative: str) -> int:
    """Open a path below `root` part by part without following links; what is missing becomes a directory."""
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    for part in relative.split("/"):
        if part in ("", "."):
            continue
        try:
            try:
                below = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
            except FileNotFoundError:
                os.mkdir(part, 0o750, dir_fd=descriptor)
                below = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
                os.chmod(f"/proc/self/fd/{below}", mode)
            if stat.S_ISLNK(os.fstat(below).st_mode):
                os.close(below)
                raise OSError(errno.ELOOP, "a link appeared in the subpath", part)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


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
