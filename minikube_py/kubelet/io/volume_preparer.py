"""Sets up a pod's volumes on the host and keeps ConfigMap, Secret and downward API files up to date.

Upstream: volumemanager with the configmap, secret, downwardapi, projected, emptydir and hostpath plugins.
"""

from collections.abc import Mapping

from minikube_py.api.errors import StatusError
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.empty_dirs import HUGE_PAGES, MEMORY, huge_page_size, memory_size_bytes
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.object_watches import ObjectWatches
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import (
    EmptyDirVolume,
    HostPathVolume,
    ProjectedVolume,
    Volume,
)
from minikube_py.kubelet.ports import PodFiles, VolumeRequest
from minikube_py.kubelet.sub_paths import sub_path_of
from minikube_py.kubelet.volumes import (
    VolumeError,
    VolumeInputs,
    mount_failed,
    referenced_objects,
    render_payload,
    token_sources,
    volume_directory,
)


class VolumePreparer:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, files: PodFiles, objects: ObjectReader, watches: ObjectWatches) -> None:
        self._config = config
        self._files = files
        self._objects = objects
        self._watches = watches

    async def prepare(self, pod: Pod, facts: PodFacts) -> None:
        """Set up, or bring up to date, all volumes of a pod.

        Raises:
            VolumeError: one of them cannot be had now; the message is FailedMount's.
        """
        if not pod.volumes:
            return
        self._watches.follow(pod.uid, pod.namespace, referenced_objects(pod.volumes))
        for volume in pod.volumes:
            try:
                await self._prepare(pod, volume, facts)
            except (VolumeError, StatusError) as error:
                raise VolumeError(mount_failed(volume.name, str(error))) from error
            except OSError as error:
                raise VolumeError(mount_failed(volume.name, f"{error.filename}: {error.strerror}")) from error

    def release(self, pod: Pod) -> None:
        """Follow nothing for a pod any more; its directories are removed with the pod's own."""
        self._watches.drop(pod.uid)
        self._objects.forget_tokens(pod.uid)

    async def _prepare(self, pod: Pod, volume: Volume, facts: PodFacts) -> None:
        source = volume.source
        path = volume_directory(self._config.pod_dir(pod.uid), volume)
        group = pod.security.get("fsGroup")
        gid = None if group is None else int(group)
        match source:
            case HostPathVolume():
                await self._files.check_host_path(source.path, source.type)
            case EmptyDirVolume():
                file_system, options = _empty_dir_mount(pod, source, facts)
                await self._files.set_up_volume(VolumeRequest(path, file_system, options, gid))
            case ProjectedVolume():
                files = render_payload(pod, source, await self._inputs(pod, volume, facts))
                file_system = "tmpfs" if source.in_memory else ""
                options = "mode=0777" if source.in_memory else ""
                await self._files.set_up_volume(VolumeRequest(path, file_system, options, gid, files))
            case _:
                raise VolumeError(f"volumes of kind {_kind_of(volume)} are not served by this kubelet")

    async def _inputs(self, pod: Pod, volume: Volume, facts: PodFacts) -> VolumeInputs:
        objects = await self._objects.read(pod.namespace, referenced_objects((volume,)))
        return VolumeInputs(objects, await self._objects.tokens(pod, token_sources((volume,))), facts)

    async def mount_paths(
        self, pod: Pod, container: Container, variables: Mapping[str, str]
    ) -> list[tuple[int, str]]:
        """Return the host path of each of a container's volume mounts, by its index.

        Raises:
            VolumeError: a sub path leads out of its volume, or the volume does not exist.
        """
        volumes = {volume.name: volume for volume in pod.volumes}
        paths: list[tuple[int, str]] = []
        for index, mount in enumerate(container.volume_mounts):
            volume = volumes.get(mount.name)
            if volume is None:
                raise VolumeError(f'cannot find volume "{mount.name}" to mount into container "{container.name}"')
            sub_path = sub_path_of(mount, variables)
            paths.append((index, await self._mount_path(pod, container, index, volume, sub_path)))
        return paths

    async def _mount_path(self, pod: Pod, container: Container, index: int, volume: Volume, sub_path: str) -> str:
        pod_dir = self._config.pod_dir(pod.uid)
        source = volume.source
        root = source.path if isinstance(source, HostPathVolume) else volume_directory(pod_dir, volume)
        if not sub_path:
            return root
        mount_point = f"{pod_dir}/volume-subpaths/{volume.name}/{container.name}/{index}"
        try:
            return await self._files.set_up_sub_path(root, sub_path, mount_point)
        except OSError as error:
            # No details: they would tell the pod's author how the host looks.
            raise VolumeError(
                f'failed to prepare subPath for volumeMount "{volume.name}" of container "{container.name}"'
            ) from error


def _empty_dir_mount(pod: Pod, source: EmptyDirVolume, facts: PodFacts) -> tuple[str, str]:
    """Return file system and options of an emptyDir; both empty for one on the disk."""
    if source.medium.startswith(HUGE_PAGES):
        return "hugetlbfs", f"pagesize={huge_page_size(pod, source)}"
    if source.medium != MEMORY:
        return "", ""
    size = memory_size_bytes(pod, source, facts.allocatable)
    return "tmpfs", "mode=0777" + (f",size={size}" if size else "")


def _kind_of(volume: Volume) -> str:
    return str(getattr(volume.source, "kind", type(volume.source).__name__))


def read_only_volumes(pod: Pod) -> frozenset[str]:
    """Return the volumes that containers may only read."""
    return frozenset(volume.name for volume in pod.volumes if isinstance(volume.source, ProjectedVolume))
