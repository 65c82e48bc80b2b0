"""Limits on what a pod keeps on the node's disk: of an emptyDir, of the whole pod, of one container.

Upstream: kubelet/eviction/eviction_manager.go (localStorageEviction).
"""

from minikube_py.api.quantity import NANO, Quantity, amounts_of
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resources import pod_limits
from minikube_py.kubelet.pod_volumes import EmptyDirVolume
from minikube_py.kubelet.statistics import PodSample
from minikube_py.kubelet.stats_summary import ephemeral_usage

_STORAGE = "ephemeral-storage"


def has_storage_limits(pod: Pod) -> bool:
    """Return whether the pod's use of the disk must be watched: walking over directories is not free."""
    if any(isinstance(v.source, EmptyDirVolume) and v.source.size_limit for v in pod.volumes):
        return True
    return any(_STORAGE in container.limits for container in pod.init_containers + pod.containers)


def storage_violation(pod: Pod, sample: PodSample, *, has_image_fs: bool) -> str | None:
    """Return why the pod must go, None when it keeps to its limits."""
    used = {volume.name: volume.used.bytes for volume in sample.volumes}
    for volume in pod.volumes:
        if not isinstance(volume.source, EmptyDirVolume) or not volume.source.size_limit:
            continue
        limit = amounts_of({"limit": volume.source.size_limit})["limit"]
        if 0 < limit < used.get(volume.name, 0) * NANO:
            return f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{volume.source.size_limit}". '
    whole = pod_limits(pod).get(_STORAGE)
    if whole is not None and ephemeral_usage(sample).bytes * NANO > whole:
        limit_text = Quantity(whole, "BinarySI")
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {limit_text}. "
    for container in sample.containers:
        spec = pod.container(container.name)
        limit_of = spec.limits.get(_STORAGE) if spec is not None and spec.kind == "regular" else None
        if limit_of is None:
            continue
        bytes_used = container.logs.bytes if container.logs else 0
        if not has_image_fs and container.rootfs is not None:
            bytes_used += container.rootfs.bytes
        if 0 < amounts_of({"limit": limit_of})["limit"] < bytes_used * NANO:
            return f'Container {container.name} exceeded its local ephemeral storage limit "{limit_of}". '
    return None
