"""Removes the cgroups of pods, which Docker never takes away (upstream: podContainerManager Destroy)."""

import errno
import os

from minikube_py.kubelet.io.mounts import MountPoint

_ROOT_NAME = "kubepods"


def remove_cgroup(parent: str, mounts: tuple[MountPoint, ...]) -> None:
    """Remove a pod's cgroup in every hierarchy; one that is still in use stays for the next try.

    Of `kubepods` itself the cgroup above it, which belongs to this agent alone, goes too.

    Slices (`*.slice`) are systemd's business.

    Raises:
        OSError: the kernel refused for another reason than that it is in use.
    """
    if parent.endswith(".slice") or _ROOT_NAME not in parent:
        return
    for mount in mounts:
        if mount.fs_type in ("cgroup", "cgroup2"):
            _remove(mount.path.rstrip("/") + parent)
            above = os.path.dirname(parent)
            if os.path.basename(parent) == _ROOT_NAME and above != "/":
                _remove_one(mount.path.rstrip("/") + above)


def _remove(path: str) -> None:
    try:
        children = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for child in children:
        _remove(child)
    _remove_one(path)


def _remove_one(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EBUSY, errno.ENOTEMPTY, errno.EROFS):
            raise
