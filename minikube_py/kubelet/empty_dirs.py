"""How big emptyDir volumes in memory are (what those on the disk use is eviction's: `local_storage`).

A tmpfs gets the smallest of its `sizeLimit`, the pod's memory limit (when every container has one) and what the node
has for pods: what it holds is memory of the pod. Upstream: volume/emptydir calculateEmptyDirMemorySize.
"""

from collections.abc import Mapping

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import EmptyDirVolume
from minikube_py.kubelet.resources import memory_bytes
from minikube_py.kubelet.volumes import VolumeError

MEMORY = "Memory"
HUGE_PAGES = "HugePages"


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
