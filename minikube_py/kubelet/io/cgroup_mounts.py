"""Where this host's cgroup hierarchies are mounted, looked up once: they stay while a host is up.

The list of mounts grows by some five lines with each pod and is written out by the kernel under a lock, at 5 to 12 µs
a line: with a hundred pods it costs as much as the rest of a pod's cgroups.
"""

from collections.abc import Callable, Mapping, Sequence

from minikube_py.kubelet.io.mounts import MountPoint, read_mounts

_UNIFIED = ""


def hierarchies(mounts: Sequence[MountPoint], version: int) -> Mapping[str, str]:
    """Return where each controller of version 1 is mounted; of version 2 the one hierarchy under an empty name."""
    found: dict[str, str] = {}
    for mount in mounts:
        if version == 2 and mount.fs_type == "cgroup2":
            found.setdefault(_UNIFIED, mount.path)
        elif version == 1 and mount.fs_type == "cgroup":
            for option in mount.options.split(","):
                found.setdefault(option, mount.path)
    return found


class CgroupMounts:
    """One host's; what is not there yet is looked for again."""

    def __init__(self, mounted: Callable[[], tuple[MountPoint, ...]] = read_mounts) -> None:
        self._mounted = mounted
        self._found: tuple[MountPoint, ...] = ()

    def all(self) -> tuple[MountPoint, ...]:
        """Return the mounts of both versions."""
        if not self._found:
            self._found = tuple(mount for mount in self._mounted() if mount.fs_type in ("cgroup", "cgroup2"))
        return self._found

    def places(self, version: int) -> Mapping[str, str]:
        """Return what `hierarchies` says of them."""
        return hierarchies(self.all(), version)
