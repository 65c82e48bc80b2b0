"""Sets up a pod's volumes on the host and keeps ConfigMap, Secret and downward API files up to date.

Upstream: volumemanager with the configmap, secret, downwardapi, projected, emptydir and hostpath plugins.
"""

from minikube_py.api.errors import StatusError
from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container, VolumeMount
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.environment import expand
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import (
    EmptyDirVolume,
    HostPathVolume,
    ProjectedVolume,
    UnsupportedVolume,
    Volume,
)
from minikube_py.kubelet.ports import PodFiles, VolumeRequest
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

    def __init__(self, config: KubeletConfig, files: PodFiles, objects: ObjectReader) -> None:
        self._config = config
        self._files = files
        self._objects = objects

    async def prepare(self, pod: Pod, facts: PodFacts) -> None:
        """Set up, or bring up to date, all volumes of a pod.

        Raises:
            VolumeError: one of them cannot be had now; the message is FailedMount's.
        """
        if not pod.volumes:
            return
        inputs = await self._inputs(pod, facts)
        for volume in pod.volumes:
            try:
                await self._prepare(pod, volume, inputs)
            except VolumeError as error:
                raise VolumeError(mount_failed(volume.name, str(error))) from error
            except OSError as error:
                raise VolumeError(mount_failed(volume.name, f"{error.filename}: {error.strerror}")) from error

    async def _inputs(self, pod: Pod, facts: PodFacts) -> VolumeInputs:
        try:
            objects = await self._objects.read(pod.namespace, referenced_objects(pod.volumes))
        except StatusError as error:
            raise VolumeError(mount_failed(pod.volumes[0].name, error.message)) from error
        return VolumeInputs(objects, await self._objects.tokens(pod, token_sources(pod.volumes)), facts)

    async def _prepare(self, pod: Pod, volume: Volume, inputs: VolumeInputs) -> None:
        source = volume.source
        path = volume_directory(self._config.pod_dir(pod.uid), volume)
        group = pod.security.get("fsGroup")
        gid = None if group is None else int(group)
        match source:
            case HostPathVolume():
                await self._files.check_host_path(source.path, source.type)
            case EmptyDirVolume():
                size = parse_quantity(source.size_limit).value if source.size_limit else 0
                in_memory = source.medium == "Memory"
                await self._files.set_up_volume(VolumeRequest(path, in_memory, size, 0o777, gid))
            case ProjectedVolume():
                files = render_payload(pod, source, inputs)
                await self._files.set_up_volume(VolumeRequest(path, source.in_memory, 0, 0o755, gid, files))
            case UnsupportedVolume():
                raise VolumeError(f"volumes of kind {source.kind} are not served by this kubelet")

    async def mount_paths(self, pod: Pod, container: Container, variables: dict[str, str]) -> list[tuple[int, str]]:
        """Return the host path of each of a container's volume mounts, by its index.

        Raises:
            VolumeError: a sub path leads out of its volume, or the volume does not exist.
        """
        volumes = {volume.name: volume for volume in pod.volumes}
        paths: list[tuple[int, str]] = []
        for index, mount in enumerate(container.volume_mounts):
            volume = volumes.get(mount.name)
            if volume is None:
                raise VolumeError(f'no volume named "{mount.name}" in pod')
            paths.append((index, await self._mount_path(pod, container, index, volume, _sub_path(mount, variables))))
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
            raise VolumeError(
                f'failed to prepare subPath for volumeMount "{volume.name}" of container "{container.name}": '
                f"{error.strerror or error}"
            ) from error


def _sub_path(mount: VolumeMount, variables: dict[str, str]) -> str:
    if not mount.sub_path_expr:
        return mount.sub_path
    expanded = expand(mount.sub_path_expr, variables)
    if "$(" in expanded:
        raise VolumeError(f"failed to expand subPath for volume mount {mount.name}: {mount.sub_path_expr}")
    return expanded


def read_only_volumes(pod: Pod) -> frozenset[str]:
    """Return the volumes that containers may only read."""
    return frozenset(volume.name for volume in pod.volumes if isinstance(volume.source, ProjectedVolume))
