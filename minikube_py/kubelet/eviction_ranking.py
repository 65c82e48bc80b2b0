"""Which pod goes first when something runs out, and what is said about it.

Memory and disk: pods that use more than they request first, then the lower priority, then who is furthest above its
request. Process ids: the lower priority, then who has most. Pods of which nothing is known go before all others;
critical ones (priority of 2,000,000,000 and above, static pods) never go.

What counts on a disk depends on which file system is short: with one of their own for images, writable layers count
there and logs and volumes on the node's; else everything counts.

Upstream: kubelet/eviction/helpers.go (rank*Pressure, evictionMessage).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minikube_py.api.quantity import NANO, Quantity, amounts_of
from minikube_py.kubelet.eviction import Observations
from minikube_py.kubelet.eviction_thresholds import (
    IMAGE_FS,
    IMAGE_INODES,
    NODE_FS,
    NODE_INODES,
    RESOURCE_OF,
    Threshold,
)
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resources import pod_requests
from minikube_py.kubelet.pod_sources import is_static
from minikube_py.kubelet.statistics import ContainerSample, DiskUsage, PodSample

CRITICAL_PRIORITY = 2_000_000_000
_MIRROR = "kubernetes.io/config.mirror"
STORAGE = "ephemeral-storage"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pod that could go; `sample` None: nothing is known of what it uses."""

    pod: Pod
    sample: PodSample | None


def is_critical(pod: Pod) -> bool:
    """Return whether the node needs the pod (upstream: IsCriticalPod)."""
    if is_static(pod) or _MIRROR in pod.annotations:
        return True
    return pod.priority >= CRITICAL_PRIORITY


def rank(candidates: Iterable[Candidate], signal: str, *, has_image_fs: bool) -> list[Candidate]:
    """Return the candidates, the first to go first."""
    return sorted(candidates, key=lambda candidate: _order(candidate, signal, has_image_fs=has_image_fs))


def _order(candidate: Candidate, signal: str, *, has_image_fs: bool) -> tuple[int, int, int, int]:
    pod, sample = candidate.pod, candidate.sample
    if sample is None:
        return (0, 0, pod.priority, 0)
    resource = RESOURCE_OF[signal]
    if resource == "pids":
        return (1, 0, pod.priority, -sample.cgroup.processes)
    used = _used(sample, signal, has_image_fs=has_image_fs) * NANO
    requested = pod_requests(pod).get(resource, 0)
    return (1, 0 if used > requested else 1, pod.priority, requested - used)


def _used(sample: PodSample, signal: str, *, has_image_fs: bool) -> int:
    if RESOURCE_OF[signal] == "memory":
        return sample.cgroup.working_set_bytes
    layers = not has_image_fs or signal in (IMAGE_FS, IMAGE_INODES)
    rest = not has_image_fs or signal in (NODE_FS, NODE_INODES)
    total = DiskUsage()
    for container in sample.containers:
        total = total + (container.rootfs or DiskUsage() if layers else DiskUsage())
        total = total + (container.logs or DiskUsage() if rest else DiskUsage())
    for volume in sample.volumes if rest else ():
        total = total + (volume.used if volume.on_disk else DiskUsage())
    return total.inodes if signal in (NODE_INODES, IMAGE_INODES) else total.bytes


def eviction_message(candidate: Candidate, acting: Sequence[Threshold], observations: Observations) -> str:
    """Return what the event, the status and the condition of an evicted pod say."""
    resource = RESOURCE_OF[acting[0].signal]
    text = f"The node was low on resource: {resource}. "
    for threshold in acting:
        seen = observations.get(threshold.signal)
        if RESOURCE_OF[threshold.signal] == resource and seen is not None:
            binary = resource in ("memory", STORAGE)
            available = Quantity(seen.available * NANO, "BinarySI" if binary else "DecimalSI")
            text += f"Threshold quantity: {threshold.amount.of(seen.capacity)}, available: {available}. "
            break
    if candidate.sample is None:
        return text
    return text + _blame_pod(candidate.pod, candidate.sample, resource) + _blame(candidate, resource)


def _blame_pod(pod: Pod, sample: PodSample, resource: str) -> str:
    request = pod.requests.get(resource)
    if resource != "memory" or request is None:
        return ""
    used = Quantity(sample.cgroup.working_set_bytes * NANO, "BinarySI")
    return f"Pod {pod.name} was using {used}, request is {request}, has larger consumption of {resource}. "


def _blame(candidate: Candidate, resource: str) -> str:
    """Return a sentence for each container that uses more than it requested."""
    assert candidate.sample is not None
    text = ""
    for sample in candidate.sample.containers:
        container = candidate.pod.container(sample.name)
        used = _used_by(sample, resource)
        if container is None or container.kind == "ephemeral" or used is None:
            continue
        requested = amounts_of(container.requests).get(resource, 0)
        if used * NANO > requested:
            shown = Quantity(used * NANO, "BinarySI")
            request = container.requests.get(resource, "0")
            text += f"Container {sample.name} was using {shown}, request is {request}, "
            text += f"has larger consumption of {resource}. "
    return text


def _used_by(sample: ContainerSample, resource: str) -> int | None:
    if resource == "memory":
        return sample.cgroup.working_set_bytes
    if resource == STORAGE and sample.rootfs is not None and sample.logs is not None:
        return sample.rootfs.bytes + sample.logs.bytes
    return None
