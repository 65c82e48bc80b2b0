"""Sets up a pod's volumes on the host and keeps ConfigMap, Secret and downward API files up to date.

Upstream: volumemanager with the configmap, secret, downwardapi, projected, emptydir and hostpath plugins.
"""

from collections.abc import Mapping

from minikube_py.api.errors import StatusError
from minikube_py.kubelet.claims import BoundVolume, LocalVolume, resolve_claim
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import Device
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.empty_dirs import HUGE_PAGES, MEMORY, huge_page_size, memory_size_bytes
from minikube_py.kubelet.io.claim_reader import ClaimReader
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.object_watches import ObjectWatches
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import (
    ClaimVolume,
    EmptyDirVolume,
    HostPathVolume,
    ImageVolume,
    NfsVolume,
    ProjectedVolume,
    UnsupportedVolume,
    Volume,
)
from minikube_py.kubelet.ports import PodFiles, VolumeRequest
from minikube_py.kubelet.sub_paths import sub_path_of
from minikube_py.kubelet.volume_ownership import ChangePolicy
from minikube_py.kubelet.volumes import (
    VolumeError,
    VolumeInputs,
    mount_failed,
    referenced_objects,
    render_payload,
    token_sources,
    volume_directory,
)


class _ClaimError(VolumeError):
    """A claim cannot be used; the message is the whole event's."""


class VolumePreparer:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        files: PodFiles,
        objects: ObjectReader,
        watches: ObjectWatches,
        claims: ClaimReader,
    ) -> None:
        self._config = config
        self._claims = claims
        self._bound: dict[tuple[str, str], BoundVolume] = {}
        """(pod uid, volume) -> what is behind its claim; what is running goes on with what it has."""
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
            except _ClaimError:
                raise
            except (VolumeError, StatusError) as error:
                raise VolumeError(mount_failed(volume.name, str(error))) from error
            except OSError as error:
                raise VolumeError(mount_failed(volume.name, f"{error.filename}: {error.strerror}")) from error

    def release(self, pod: Pod) -> None:
        """Follow nothing for a pod any more; its directories are removed with the pod's own."""
        self._watches.drop(pod.uid)
        self._objects.forget_tokens(pod.uid)
        for volume in pod.volumes:
            self._bound.pop((pod.uid, volume.name), None)

    def read_only(self, pod: Pod) -> frozenset[str]:
        """Return the volumes that containers may only read."""
        return frozenset(volume.name for volume in pod.volumes if self._is_read_only(pod, volume))

    def _is_read_only(self, pod: Pod, volume: Volume) -> bool:
        if isinstance(volume.source, ProjectedVolume | ImageVolume):
            return True
        bound = self._bound.get((pod.uid, volume.name))
        sources = (volume.source, bound.source if bound else None)
        return any(isinstance(s, ClaimVolume | NfsVolume) and s.read_only for s in sources)

    def image_volumes(self, pod: Pod, container: Container) -> tuple[tuple[ImageVolume, str], ...]:
        """Return the images that a container mounts, each with the directory that is to hold it."""
        mounted = {mount.name for mount in container.volume_mounts}
        return tuple(
            (volume.source, volume_directory(self._config.pod_dir(pod.uid), volume))
            for volume in pod.volumes
            if volume.name in mounted and isinstance(volume.source, ImageVolume)
        )

    def devices(self, pod: Pod, container: Container) -> tuple[Device, ...]:
        """Return the block devices of a container.

        Raises:
            VolumeError: a volume is none.
        """
        found: list[Device] = []
        for wanted in container.volume_devices:
            bound = self._bound.get((pod.uid, wanted.name))
            if bound is None or not bound.block or not isinstance(bound.source, LocalVolume):
                raise VolumeError(f'cannot find volume "{wanted.name}" to pass into container "{container.name}"')
            found.append(Device(bound.source.path, wanted.device_path))
        return tuple(found)

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
                await self._files.set_up_volume(VolumeRequest(path, file_system, "", gid, files))
            case NfsVolume():
                await self._files.mount_nfs(source, path, ())
            case ClaimVolume():
                await self._prepare_claim(pod, volume, source, path)
            case ImageVolume():
                pass  # when a container that mounts it starts: `image_volumes`
            case UnsupportedVolume():
                raise VolumeError(f"volumes of kind {source.kind} are not served by this kubelet")

    async def _prepare_claim(self, pod: Pod, volume: Volume, claim: ClaimVolume, path: str) -> None:
        if (pod.uid, volume.name) in self._bound:
            return
        name = claim.claim_name(pod.name, volume.name)
        try:
            bound = resolve_claim(pod, volume, name, await self._claims.read(pod.namespace, name))
        except VolumeError as error:
            raise _ClaimError(str(error)) from error
        try:
            await self._prepare_bound(pod, bound, path)
        except _ClaimError:
            raise
        except VolumeError as error:
            raise _ClaimError(mount_failed(bound.name, str(error))) from error
        self._bound[(pod.uid, volume.name)] = bound

    async def _prepare_bound(self, pod: Pod, bound: BoundVolume, path: str) -> None:
        match bound.source:
            case HostPathVolume(host_path, kind):
                await self._files.check_host_path(host_path, kind)
            case NfsVolume():
                await self._files.mount_nfs(bound.source, path, bound.mount_options)
            case LocalVolume():
                await self._prepare_local(pod, bound, bound.source)

    async def _prepare_local(self, pod: Pod, bound: BoundVolume, source: LocalVolume) -> None:
        try:
            await self._files.check_host_path(source.path, "BlockDevice" if bound.block else "Directory")
        except VolumeError as error:
            why = f'path "{source.path}" does not exist' if not bound.block else str(error)
            text = f'MountVolume.NewMounter initialization failed for volume "{bound.name}" : {why}'
            raise _ClaimError(text) from error
        group = pod.security.get("fsGroup")
        if group is not None and not bound.block:
            policy: ChangePolicy = "Always"
            if pod.security.get("fsGroupChangePolicy") == "OnRootMismatch":
                policy = "OnRootMismatch"
            await self._files.own_volume(source.path, int(group), policy)

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
        bound = self._bound.get((pod.uid, volume.name))
        source = bound.source if bound else volume.source
        root = volume_directory(pod_dir, volume)
        if isinstance(source, HostPathVolume | LocalVolume):
            root = source.path
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
    return "tmpfs", f"size={size}" if size else ""
