"""Makes a path inside a volume visible at a mount point, however the pod arranges its links; blocks.

A pod may write links into its volume and swap directories for links at any moment. So the path is resolved once, then
opened part by part without following anything, and what is mounted is the descriptor that was opened: a link that
appears meanwhile makes the mount fail instead of leading out of the volume (CVE-2017-1002101, CVE-2021-25741).
Upstream: volume/util/subpath PrepareSafeSubpath, SafeMakeDir.
"""

import errno
import os
import stat

from minikube_py.kubelet.io.mounts import Mounts, is_remote, mounts_below


def mount_sub_path(mounts: Mounts, volume_path: str, sub_path: str, mount_point: str) -> str:
    """Mount `sub_path` of a volume at `mount_point`; a missing one is made, as open as the volume itself.

    Raises:
        OSError: it leads out of the volume, or the kernel refused.
    """
    root = os.path.realpath(volume_path)
    target = os.path.realpath(os.path.join(root, sub_path))
    if target != root and not target.startswith(root + "/"):
        raise OSError(errno.EINVAL, f"subpath {sub_path} leads out of the volume", sub_path)
    descriptor = open_inside(root, os.path.relpath(target, root))
    try:
        unmount_below(mounts, mount_point)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.makedirs(mount_point, 0o750, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(mount_point), 0o750, exist_ok=True)
            os.close(os.open(mount_point, os.O_WRONLY | os.O_CREAT, 0o640))
        mounts.bind(f"/proc/self/fd/{descriptor}", mount_point)
    finally:
        os.close(descriptor)
    return mount_point


def open_inside(root: str, relative: str) -> int:
    """Open a path below `root` part by part without following links; what is missing becomes a directory.

    Raises:
        OSError: a part is a link.
    """
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    for part in relative.split("/"):
        if part in ("", "."):
            continue
        try:
            below = _open_part(descriptor, part, mode)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _open_part(folder: int, part: str, mode: int) -> int:
    try:
        below = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(part, 0o750, dir_fd=folder)
        below = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
        os.chmod(f"/proc/self/fd/{below}", mode)
    if stat.S_ISLNK(os.fstat(below).st_mode):
        os.close(below)
        raise OSError(errno.ELOOP, "a link appeared in the subpath", part)
    return below


def unmount_below(mounts: Mounts, directory: str) -> None:
    """Unmount everything at or below a directory, the deepest first.

    Raises:
        OSError: the kernel refused.
    """
    found = mounts.mounted()
    remote = {mount.path for mount in found if is_remote(mount)}
    for path in mounts_below(directory, found):
        mounts.unmount(path, at_once=path in remote)
