"""Checks hostPath volumes, and makes what their `…OrCreate` types may make; blocks.

Upstream: volume/hostpath checkType.
"""

import os
import stat
from collections.abc import Callable

from minikube_py.kubelet.volumes import VolumeError

_TYPES: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def check_host_path(path: str, kind: str) -> None:
    """Check that `path` is what `kind` says.

    Raises:
        VolumeError: it is something else, or `kind` is no hostPath type.
        OSError: it cannot be made (`FileOrCreate` makes no directories above the file).
    """
    if not kind:
        # Runtimes make what is missing, and so do we: Docker refuses a bind mount of nothing.
        if not os.path.lexists(path):
            os.makedirs(path, 0o755)
        return
    name = kind.removesuffix("OrCreate")
    known = _TYPES.get(name)
    if known is None:
        raise VolumeError(f"{kind} is an invalid volume type")
    fits, word = known
    if kind.endswith("OrCreate") and not os.path.lexists(path):
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
