"""Makes cgroups and writes their limits (ports.CgroupWriter).

With the cgroupfs driver the agent makes a pod's cgroup before the engine puts containers into it. With the systemd
driver systemd makes the slice and is told its limits; the files are written as well, since they hold what systemd has
no word for, or only rounded.

Upstream: kubelet cm/cgroup_manager_linux.go.
"""

import asyncio
import os
from collections.abc import Mapping

from minikube_py.kubelet.cgroup_names import cgroup_path, is_slice
from minikube_py.kubelet.io.cgroup_mounts import CgroupMounts
from minikube_py.kubelet.pod_cgroup import CgroupLimits, CgroupWrite, render_limits
from minikube_py.kubelet.ports import Slices
from minikube_py.kubelet.slice_properties import slice_properties

_V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "io", "hugetlb")


class LinuxCgroupWriter:
    """This host's cgroups; `places` (for tests) says where the hierarchies are mounted."""

    def __init__(self, slices: Slices, places: Mapping[str, str] | None = None) -> None:
        self._slices = slices
        self._places = places
        self._mounts = CgroupMounts()

    async def write(self, name: str, limits: CgroupLimits, version: int) -> None:
        """Make a cgroup and write its limits.

        Raises:
            OSError: the kernel or systemd refused; the message names the file or the unit.
        """
        if is_slice(name):
            await self._slices.apply(name, slice_properties(limits, version))
        await asyncio.get_running_loop().run_in_executor(None, self._write, cgroup_path(name), limits, version)

    async def die_together(self, path: str) -> None:
        """Let all processes of a container's cgroup end when memory kills one (upstream: singleProcessOOMKill)."""
        await asyncio.get_running_loop().run_in_executor(None, self._die_together, path)

    def _die_together(self, path: str) -> None:
        write = CgroupWrite("", "memory.oom.group", "1", optional=True)
        _put(f"{self._hierarchies(2).get('', '')}{path}/{write.file}", write)

    def _hierarchies(self, version: int) -> Mapping[str, str]:
        return self._places if self._places is not None else self._mounts.places(version)

    def _write(self, name: str, limits: CgroupLimits, version: int) -> None:
        places = self._hierarchies(version)
        made: set[str] = set()
        for write in render_limits(limits, version):
            place = places.get(write.controller)
            if place is None:
                if not write.optional:
                    raise FileNotFoundError(2, "this host has no such controller", write.controller or "cgroup2")
                continue
            if place not in made:
                made.add(place)
                _make(place, name, version)
            _put(f"{place}{name}/{write.file}", write)


def _make(place: str, name: str, version: int) -> None:
    path = place
    for part in name.strip("/").split("/"):
        if version == 2:
            _delegate(path)
        path = f"{path}/{part}"
        os.makedirs(path, exist_ok=True)


def _delegate(path: str) -> None:
    """Let the cgroups below have controllers; those that this kernel lacks stay away."""
    with open(f"{path}/cgroup.controllers", encoding="ascii") as file:
        available = file.read().split()
    for controller in (c for c in _V2_CONTROLLERS if c in available):
        with open(f"{path}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write(f"+{controller}")


def _put(path: str, write: CgroupWrite) -> None:
    try:
        with open(path, "r+", encoding="ascii") as file:
            file.write(write.text)
    except FileNotFoundError:
        if not write.optional:
            raise
