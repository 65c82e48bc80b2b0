"""mount(2) and umount2(2), and what is mounted now: no program is started for it (each would cost 5 ms)."""

import ctypes
import os
from dataclasses import dataclass
from typing import Protocol

MS_BIND = 4096
MNT_FORCE = 1
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One line of /proc/self/mountinfo."""

    path: str
    fs_type: str
    options: str
    """The file system's own options (a cgroup hierarchy's controllers)."""


def parse_mountinfo(text: str) -> tuple[MountPoint, ...]:
    """Return the mounts of a mountinfo file, in its order."""
    mounts: list[MountPoint] = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) > 4 and len(tail) > 2:
            mounts.append(MountPoint(_unescape(fields[4]), tail[0], tail[2]))
    return tuple(mounts)


def _unescape(path: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, char)
    return path


def read_mounts() -> tuple[MountPoint, ...]:
    """Return what is mounted in this process's mount namespace."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return parse_mountinfo(file.read())


def is_remote(mount: MountPoint) -> bool:
    """Return whether a server that may not answer is behind a mount."""
    return mount.fs_type in ("nfs", "nfs4")


def mounts_below(directory: str, mounts: tuple[MountPoint, ...]) -> list[str]:
    """Return the mount points at or below a directory, the deepest first."""
    prefix = directory.rstrip("/") + "/"
    found = [m.path for m in mounts if m.path == directory or m.path.startswith(prefix)]
    return sorted(found, key=lambda path: path.count("/"), reverse=True)


class Mounts(Protocol):
    """Mounting and unmounting; all calls block."""

    def mount(self, fs_type: str, path: str, options: str) -> None:
        """Mount a file system that needs no device: tmpfs, hugetlbfs."""
        ...

    def bind(self, source: str, path: str) -> None:
        """Make `source` visible at `path`."""
        ...

    def unmount(self, path: str, *, at_once: bool = False) -> None:
        """Unmount; `at_once`: without waiting for a server that may not answer."""
        ...

    def mounted(self) -> tuple[MountPoint, ...]:
        """Return what is mounted."""
        ...


class KernelMounts:
    """The mounts of this process's mount namespace; needs root."""

    def mount(self, fs_type: str, path: str, options: str) -> None:
        """Mount a file system that needs no device.

        Raises:
            OSError: the kernel refused.
        """
        self._mount(fs_type, path, fs_type, 0, options)

    def bind(self, source: str, path: str) -> None:
        """Make `source` visible at `path`.

        Raises:
            OSError: the kernel refused.
        """
        self._mount(source, path, "", MS_BIND, "")

    def _mount(self, source: str, path: str, fs_type: str, flags: int, options: str) -> None:
        done = _libc.mount(source.encode(), path.encode(), fs_type.encode(), ctypes.c_ulong(flags), options.encode())
        if done != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)

    def unmount(self, path: str, *, at_once: bool = False) -> None:
        """Unmount; what is still in use is only detached and goes when its last user does.

        Raises:
            OSError: the kernel refused.
        """
        if not at_once and _libc.umount2(path.encode(), UMOUNT_NOFOLLOW) == 0:
            return
        force = MNT_FORCE if at_once else 0
        if _libc.umount2(path.encode(), UMOUNT_NOFOLLOW | MNT_DETACH | force) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)

    def mounted(self) -> tuple[MountPoint, ...]:
        """Return what is mounted."""
        return read_mounts()
