"""Which images go when their disk is nearly full: the longest unused first, never one that something needs.

Needed are images of containers (dead ones too: a restart wants them), of pods that are not over, and pinned ones. An
image that was not here at the last look is spared for a while, since whoever pulled it is about to use it; images
that were here when the kubelet started are not new.

Upstream: kubelet/images/image_gc_manager.go.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from minikube_py.kubelet.cri import ContainerRecord, ImageRecord
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import ImageVolume


@dataclass(frozen=True, slots=True)
class ImageUse:
    """What is remembered of an image; seconds of one clock."""

    first_seen_s: float
    last_used_s: float


@dataclass(frozen=True, slots=True)
class ImageUses:
    """Image id -> its use, for the images that are here; `begun` is false before the first look."""

    uses: Mapping[str, ImageUse] = field(default_factory=dict)
    begun: bool = False

    def look(self, images: Sequence[ImageRecord], used: Collection[str], now_s: float) -> "ImageUses":
        """Return the uses after a look; `used` are the ids of images that something needs now."""
        seen: dict[str, ImageUse] = {}
        for image in images:
            use = self.uses.get(image.id) or ImageUse(now_s if self.begun else float("-inf"), float("-inf"))
            seen[image.id] = replace(use, last_used_s=now_s) if image.id in used else use
        return ImageUses(seen, begun=True)


def images_of(pod: Pod) -> tuple[str, ...]:
    """Return the images that a pod names, for its containers and its volumes."""
    volumes = (volume.source.reference for volume in pod.volumes if isinstance(volume.source, ImageVolume))
    return (*(container.image for container in pod.all_containers), *volumes)


def used_images(
    images: Sequence[ImageRecord], containers: Sequence[ContainerRecord], wanted: Collection[str]
) -> frozenset[str]:
    """Return the ids of images that containers were made from, or that bear one of the `wanted` names."""
    shown = {container.image_id for container in containers}
    return frozenset(
        image.id
        for image in images
        if image.id in wanted
        or not shown.isdisjoint(
            (f"docker://{image.id}", *(f"docker-pullable://{digest}" for digest in image.repo_digests))
        )
        or not set(wanted).isdisjoint(image.repo_tags + image.repo_digests)
    )


def removable_images(
    uses: ImageUses, images: Sequence[ImageRecord], pinned: Collection[str], now_s: float, minimum_age_s: float
) -> tuple[ImageRecord, ...]:
    """Return the images that may go, the longest unused first; `pinned` are names or ids besides the engine's."""
    found = [
        image
        for image in images
        if not image.pinned
        and image.id not in pinned
        and set(pinned).isdisjoint(image.repo_tags)
        and (use := uses.uses.get(image.id)) is not None
        and use.last_used_s < now_s
        and now_s - use.first_seen_s >= minimum_age_s
    ]
    return tuple(sorted(found, key=lambda i: (uses.uses[i.id].last_used_s, uses.uses[i.id].first_seen_s, i.id)))


def expired_images(
    uses: ImageUses, removable: Sequence[ImageRecord], begun_at_s: float, now_s: float, maximum_age_s: float
) -> tuple[ImageRecord, ...]:
    """Return those of the removable images that nothing has used for too long; 0 stands for no limit.

    What was used before the kubelet started is not known: it counts from the start.
    """
    if maximum_age_s <= 0:
        return ()
    return tuple(i for i in removable if now_s - max(uses.uses[i.id].last_used_s, begun_at_s) > maximum_age_s)


def bytes_to_free(capacity: int, available: int, high_percent: int, low_percent: int) -> int:
    """Return how much must go to get below the low threshold; 0 below the high one (and with 100: never)."""
    if capacity <= 0 or high_percent >= 100:
        return 0
    available = min(available, capacity)
    used_percent = 100 - available * 100 // capacity
    if used_percent < high_percent:
        return 0
    return max(capacity * (100 - low_percent) // 100 - available, 0)
