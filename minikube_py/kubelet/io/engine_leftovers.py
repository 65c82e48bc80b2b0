"""Reads what the kernel shows of this node's containers, and ends what is left of some (ports.EngineLeftovers)."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress

from minikube_py.kubelet.cgroup_names import cgroup_path
from minikube_py.kubelet.engine_leftovers import (
    ContainerCgroup,
    HostTraces,
    Shim,
    bundle_cgroup,
    container_id_of,
    pod_uid_of,
    shim_container,
)
from minikube_py.kubelet.io.mounts import KernelMounts, Mounts

_KERNEL = KernelMounts()
_CGROUP_TYPES = ("cgroup", "cgroup2")
_LEVELS_MAX = 3
"""Pods stand one or two levels below the cgroup of all pods, their containers one level below them."""


class HostLeftovers:
    """One for the kubelet."""

    def __init__(self, mounts: Mounts = _KERNEL, proc: str = "/proc") -> None:
        self._mounts = mounts
        self._proc = proc

    async def find(self, pods_cgroup: str) -> HostTraces:
        """Return what there is of the containers below the cgroup of all pods (as the engine names it)."""
        return await asyncio.to_thread(self._find, cgroup_path(pods_cgroup))

    def _find(self, pods_path: str) -> HostTraces:
        uids: set[str] = set()
        cgroups: set[str] = set()
        for mount in self._mounts.mounted():
            if mount.fs_type in _CGROUP_TYPES:
                root = mount.path.rstrip("/")
                for path in _folders(f"{root}{pods_path}", _LEVELS_MAX):
                    name = os.path.basename(path)
                    uids |= {pod_uid_of(name)} - {""}
                    cgroups |= {path.removeprefix(root)} if container_id_of(name) else set()
        containers = tuple(ContainerCgroup(container_id_of(os.path.basename(path)), path) for path in sorted(cgroups))
        return HostTraces(frozenset(uids), containers, tuple(self._shims(pods_path)))

    def _shims(self, pods_path: str) -> Iterator[Shim]:
        for name in sorted(filter(str.isdigit, os.listdir(self._proc)), key=int):
            with suppress(OSError):  # it has ended since it was listed
                identity = shim_container(_read(f"{self._proc}/{name}/cmdline"))
                if identity and self._cgroup_of(name).startswith(f"{pods_path}/"):
                    yield Shim(int(name), identity)

    def _cgroup_of(self, shim: str) -> str:
        # Its working directory is its bundle, as containerd's protocol has it.
        return bundle_cgroup(_read(f"{self._proc}/{shim}/cwd/config.json"))

    async def end_shim(self, shim: Shim) -> None:
        """Kill a shim; fine when it has ended. containerd removes what it knows of the container then."""
        await asyncio.to_thread(self._end_shim, shim)

    def _end_shim(self, shim: Shim) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            if shim_container(_read(f"{self._proc}/{shim.pid}/cmdline")) == shim.container_id:
                os.kill(shim.pid, signal.SIGKILL)


def _folders(path: str, levels: int) -> Iterator[str]:
    try:
        entries = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        yield entry
        if levels > 1:
            yield from _folders(entry, levels - 1)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
