"""Removes the cgroups of pods, which Docker never takes away (upstream: podContainerManager Destroy).

An engine that is killed while it starts a container forgets the half-started process, which waits for ever in the
container's cgroup. When the engine's record is gone, nobody but such a one can be in there: it is killed.
"""

import errno
import os
import signal
from contextlib import suppress

from minikube_py.kubelet.cgroup_names import ALL_PODS, cgroup_above, cgroup_path, last_part
from minikube_py.kubelet.engine_leftovers import pod_uid_of
from minikube_py.kubelet.io.mounts import MountPoint


def has_cgroup(name: str, mounts: tuple[MountPoint, ...]) -> bool:
    """Return whether a cgroup of this name is there, in any hierarchy."""
    hierarchies = (mount.path.rstrip("/") for mount in mounts if mount.fs_type in ("cgroup", "cgroup2"))
    return any(os.path.isdir(hierarchy + cgroup_path(name)) for hierarchy in hierarchies)


def remove_cgroup(parent: str, mounts: tuple[MountPoint, ...]) -> bool:
    """Remove a cgroup in every hierarchy, killing what is left in one of a pod or a container; one in use stays.

    Of `kubepods` itself the cgroup above it, which belongs to this agent alone, goes too. systemd is to be told first
    that a slice goes.

    Args:
        parent: the cgroup, as the engine names that of a pod or by its path below the hierarchies' roots.
        mounts: what is mounted on this host.

    Returns:
        False when something was killed: it takes a moment to be gone, and the removal is to be tried again then.

    Raises:
        OSError: the kernel refused for another reason than that it is in use.
    """
    if ALL_PODS not in parent:
        return True
    path, killed = cgroup_path(parent), False
    above = cgroup_path(cgroup_above(parent)) if last_part(parent) == ALL_PODS else ""
    for mount in mounts:
        if mount.fs_type in ("cgroup", "cgroup2"):
            place = mount.path.rstrip("/") + path
            if any(map(pod_uid_of, path.split("/"))):
                killed = _kill_all(place) or killed
            _remove(place)
            if above:
                _remove_one(mount.path.rstrip("/") + above)
    return not killed


def _kill_all(path: str) -> bool:
    left = _processes(path)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(left)


def _processes(path: str) -> list[int]:
    found: list[int] = []
    for folder, _, files in os.walk(path):
        if "cgroup.procs" in files:
            with suppress(OSError), open(f"{folder}/cgroup.procs", encoding="ascii") as listed:
                # 0 is a process that this namespace of processes does not show, and for kill our own whole group.
                found += [pid for pid in map(int, listed) if pid > 0]
    return found


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
