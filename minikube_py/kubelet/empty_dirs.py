"""How big emptyDir volumes may be: the size of those in memory, and the limits that eviction watches.

A tmpfs gets the smallest of its `sizeLimit`, the pod's memory limit (when every container has one) and what the node
has for pods: what it holds is memory of the pod. A limit of one on disk is no quota; whoever evicts measures
`EmptyDirLimit.path` and compares. Upstream: volume/emptydir calculateEmptyDirMemorySize, eviction localstorage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import EmptyDirVolume
from minikube_py.kubelet.resources import memory_bytes
from minikube_py.kubelet.volumes import VolumeError, volume_directory

MEMORY = "Memory"
HUGE_PAGES = "HugePages"


@dataclass(frozen=True, slots=True)
class EmptyDirLimit:
    """An emptyDir whose `sizeLimit` is set: at `path`, not more than `limit_bytes`."""

    volume: str
    path: str
    limit_bytes: int
    in_memory: bool


def memory_size_bytes(pod: Pod, volume: EmptyDirVolume, allocatable: Mapping[str, str]) -> int:
    """Return the size of an emptyDir in memory; 0 when nothing bounds it."""
    limits = [memory_bytes(container.limits) for container in pod.containers]
    of_pod = sum(limits) if limits and all(limits) else 0
    own = parse_quantity(volume.size_limit).value if volume.size_limit else 0
    bounds = [size for size in (own, of_pod, memory_bytes(allocatable)) if size > 0]
    return min(bounds, default=0)


def huge_page_size(pod: Pod, volume: EmptyDirVolume) -> str:
    """Return the page size of a volume of huge pages, as hugetlbfs takes it (`2M`).

    Raises:
        VolumeError: the medium names no size and the containers ask for none, or for several.
    """
    named = volume.medium.removeprefix(HUGE_PAGES).removeprefix("-")
    asked = {
        name.removeprefix("hugepages-")
        for container in pod.init_containers + pod.containers
        for name in (*container.requests, *container.limits)
        if name.startswith("hugepages-")
    }
    if not named and len(asked) != 1:
        why = "no huge pages are requested" if not asked else "medium HugePages fits one page size only"
        raise VolumeError(f"cannot tell the page size of emptyDir medium {volume.medium}: {why}")
    return (named or asked.pop()).removesuffix("i")


def empty_dir_limits(pod: Pod, pod_directory: str) -> tuple[EmptyDirLimit, ...]:
    """Return the emptyDirs of a pod that have a limit, in their order."""
    return tuple(
        EmptyDirLimit(
            volume.name,
            volume_directory(pod_directory, volume),
            parse_quantity(volume.source.size_limit).value,
            volume.source.medium == MEMORY,
        )
        for volume in pod.volumes
        if isinstance(volume.source, EmptyDirVolume) and volume.source.size_limit
    )
