"""Removes images that nobody uses when their disk is nearly full, or when they are old (see kubelet.image_gc).

Upstream: kubelet/images/image_gc_manager.go, kubelet.go StartGarbageCollection.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RuntimeErrorKind
from minikube_py.kubelet.image_gc import (
    ImageUses,
    bytes_to_free,
    expired_images,
    images_of,
    removable_images,
    used_images,
)
from minikube_py.kubelet.images import InvalidImageNameError, parse_image_name
from minikube_py.kubelet.io.image_folder import ImageFolder
from minikube_py.kubelet.io.image_puller import ImagePuller
from minikube_py.kubelet.io.image_sources import ImageSources
from minikube_py.kubelet.io.node_loop import NodeLoop
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.statistics import NodeStatistics
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")


@dataclass(frozen=True, slots=True)
class ImageGcTools:
    """What the collector works with besides the ports."""

    statistics: NodeStatistics
    sources: ImageSources
    puller: ImagePuller
    folder: ImageFolder
    node: NodeLoop


class ImageGc:
    """One for the kubelet; also frees what it can when eviction asks (ports.Reclaim)."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        tools: ImageGcTools,
        states: Callable[[], Iterable[PodState]],
    ) -> None:
        self._config = config
        self._ports = ports
        self._tools = tools
        self._states = states
        self._uses = ImageUses()
        self._begun_at_s = ports.clock.now_s()
        self._failed = False

    async def run(self) -> None:
        """Look at the disk every few minutes until cancelled."""
        while True:
            try:
                await self.collect()
            except ContainerRuntimeError as error:
                log.warning("images are not collected now: %s", error.message)
            await self._ports.clock.sleep(self._config.image_gc_s)

    async def collect(self) -> None:
        """Remove old images, then as many as the disk asks for.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        now_s = self._ports.clock.now_s()
        removable = await self._look(now_s)
        old = expired_images(self._uses, removable, self._begun_at_s, now_s, self._config.image_maximum_gc_age_s)
        await self._remove(old)
        disk = (await self._tools.statistics.node()).image_fs
        wanted = bytes_to_free(
            disk.capacity_bytes,
            disk.available_bytes,
            self._config.image_gc_high_percent,
            self._config.image_gc_low_percent,
        )
        if not wanted:
            self._failed = False
            return
        log.info("the images' disk is nearly full: %d bytes of unused images are to go", wanted)
        freed = await self._remove([image for image in removable if image not in old], wanted)
        if freed < wanted:
            self._say_too_little(wanted, freed)

    async def reclaim(self) -> None:
        """Remove every image that nobody uses."""
        try:
            await self._remove(await self._look(self._ports.clock.now_s()))
        except ContainerRuntimeError as error:
            log.warning("images are not reclaimed now: %s", error.message)

    def _say_too_little(self, wanted: int, freed: int) -> None:
        message = (
            "Failed to garbage collect required amount of images. "
            f"Attempted to free {wanted} bytes, but only found {freed} bytes eligible to free."
        )
        log.warning("%s", message)
        self._tools.node.warn("FreeDiskSpaceFailed", message)
        if self._failed:  # upstream tells of the first failure in the log only: images may just be arriving
            self._tools.node.warn("ImageGCFailed", message)
        self._failed = True

    async def _look(self, now_s: float) -> tuple[ImageRecord, ...]:
        images = await self._ports.images.list_images()
        listing = await self._ports.runtime.listing()
        self._uses = self._uses.look(images, used_images(images, listing.containers, self._wanted()), now_s)
        pinned = self._tools.folder.names()
        return removable_images(self._uses, images, pinned, now_s, self._config.image_minimum_gc_age_s)

    def _wanted(self) -> frozenset[str]:
        """Return the images of pods that are not over: a container, or a volume, may be about to be made from one."""
        found = set()
        for state in self._states():
            for name in () if state.over else images_of(state.pod):
                try:
                    found.add(parse_image_name(name).text)
                except InvalidImageNameError:
                    continue
        return frozenset(found)

    async def _remove(self, images: Sequence[ImageRecord], wanted: float = float("inf")) -> int:
        freed = 0
        for image in images:
            if freed >= wanted:
                break
            try:
                await self._ports.images.remove_image(image.id)
            except ContainerRuntimeError as error:
                # Used by a container that is not ours: stays, and nobody needs to hear of it each time.
                level = logging.DEBUG if error.kind is RuntimeErrorKind.CONFLICT else logging.WARNING
                log.log(level, "image %s is not removed: %s", image.id, error.message)
                continue
            log.info("removed the unused image %s %s (%d bytes)", image.id, list(image.repo_tags), image.size_bytes)
            freed += image.size_bytes
            self._tools.puller.forget()
            await self._tools.sources.note_removed(image.id)
        return freed
