"""What fsGroup makes of the files of a volume: their group, and what the group may do.

Everything in the volume belongs to the group, which may read (and write, unless the volume is read-only) what it
holds; directories hand the group on to what is made in them (setgid). Upstream: volume.SetVolumeOwnership.
"""

import stat
from typing import Literal

ChangePolicy = Literal["Always", "OnRootMismatch"]

_READ = 0o440
_READ_WRITE = 0o660
_DIRECTORY = stat.S_ISGID | 0o110


def group_mode(mode: int, *, read_only: bool = False) -> int:
    """Return the permissions of a file or directory of a volume that belongs to fsGroup, from its st_mode."""
    mask = _READ if read_only else _READ_WRITE
    if stat.S_ISDIR(mode):
        mask |= _DIRECTORY
    return stat.S_IMODE(mode) | mask


def may_skip(policy: ChangePolicy, root_mode: int, root_gid: int, gid: int) -> bool:
    """Return whether a volume needs no walk: its root is as it should be, and the pod said that this is enough."""
    return policy == "OnRootMismatch" and root_gid == gid and group_mode(root_mode) == stat.S_IMODE(root_mode)
