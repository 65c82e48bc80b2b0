"""Walks a volume and gives it to fsGroup; blocks, as long as the volume is big.

Links are given away themselves and never followed; nothing on another file system is touched.
"""

import os
import stat

from minikube_py.kubelet.volume_ownership import ChangePolicy, group_mode, may_skip


def own_volume(path: str, gid: int, policy: ChangePolicy) -> bool:
    """Give everything below `path` to the group; return whether a walk was needed.

    Raises:
        OSError: the file system refused.
    """
    root = os.stat(path)
    if may_skip(policy, root.st_mode, root.st_gid, gid):
        return False
    # The root comes last: a walk that was cut short is then not taken for a whole one.
    for folder, names, files, descriptor in os.fwalk(path, topdown=False, follow_symlinks=False):
        del folder
        for name in (*files, *names):
            _own(name, descriptor, gid, root.st_dev)
    os.chown(path, -1, gid)
    os.chmod(path, group_mode(root.st_mode))
    return True


def _own(name: str, folder: int, gid: int, device: int) -> None:
    found = os.lstat(name, dir_fd=folder)
    if found.st_dev != device:
        return
    os.chown(name, -1, gid, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        os.chmod(name, group_mode(found.st_mode), dir_fd=folder)
