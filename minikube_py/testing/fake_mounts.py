"""Mounts that are only remembered (kubelet.io.mounts.Mounts), for tests without root."""

import errno
import os

from minikube_py.kubelet.io.mounts import MountPoint


class FakeMounts:
    """What is mounted where; unmounting a `stuck` path does nothing, as an unmount does that never ends."""

    def __init__(self) -> None:
        self.points: list[MountPoint] = []
        self.options: dict[str, str] = {}
        self.bound: dict[str, str] = {}
        """Mount point -> what the descriptor that was bound names."""
        self.stuck: set[str] = set()
        self.refused: set[str] = set()
        """Options that this kernel does not know."""
        self.tries = 0

    def mount(self, fs_type: str, path: str, options: str) -> None:
        """Remember a file system.

        Raises:
            OSError: one of the options is not known.
        """
        self.tries += 1
        if self.refused & set(options.split(",")):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        self.points.append(MountPoint(path, fs_type, ""))
        self.options[path] = options

    def bind(self, source: str, path: str) -> None:
        """Remember what was bound."""
        self.points.append(MountPoint(path, "ext4", ""))
        self.bound[path] = os.readlink(source) if source.startswith("/proc/self/fd/") else source

    def unmount(self, path: str, *, at_once: bool = False) -> None:
        """Forget a mount; one that is remote and waited for hangs, which is an error here."""
        remote = any(m.path == path and m.fs_type.startswith("nfs") for m in self.points)
        assert at_once or not remote, f"waits for the server of {path}"
        if path not in self.stuck:
            self.points = [m for m in self.points if m.path != path]

    def mounted(self) -> tuple[MountPoint, ...]:
        """Return what is mounted."""
        return tuple(self.points)
