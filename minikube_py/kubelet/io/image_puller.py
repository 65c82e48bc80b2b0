"""Makes sure that a container's image is on the host, as its pull policy says (upstream: images.EnsureImageExists).

Two pods that want the same image wait for one pull. What is known to be here is remembered for a short while, so that
starting a pod costs no look-up.
"""

import asyncio
from dataclasses import dataclass

from minikube_py.kit.backoff import next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, ImageService
from minikube_py.kubelet.images import (
    PULL_BACKOFF,
    ImageName,
    InvalidImageNameError,
    back_off_pull_message,
    never_pull_message,
    parse_image_name,
    present_message,
    pull_policy,
    pulled_message,
)
from minikube_py.kubelet.io.interrupt import run_unless
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.ports import EventSink

KNOWN_MAX = 256
"""Images remembered as present; at the bound the oldest goes."""
KNOWN_S = 10.0
PULLS_PARALLEL = 2


class ImageError(Exception):
    """The image cannot be had now: `reason` is the waiting reason (ErrImagePull, ImagePullBackOff, ...)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class _Known:
    image: ImageRecord
    until_s: float


class ImagePuller:
    """One for the kubelet."""

    def __init__(self, images: ImageService, recorder: EventSink, clock: Clock) -> None:
        self._images = images
        self._recorder = recorder
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(PULLS_PARALLEL)

    async def ensure(self, state: PodState, container: Container) -> ImageRecord:
        """Return the image of a container, pulled if it must be.

        Raises:
            ImageError: it cannot be had now.
            InterruptedByStopError: the pod is to be stopped.
        """
        try:
            name = parse_image_name(container.image)
        except InvalidImageNameError as error:
            self._say(state, container, "Warning", "InspectFailed", str(error))
            raise ImageError("InvalidImageName", str(error)) from error
        policy = pull_policy(container.image_pull_policy, name)
        present = None if policy == "Always" else await self._status(state, container, name)
        if present is not None:
            self._say(state, container, "Normal", "Pulled", present_message(container.image))
            return present
        if policy == "Never":
            message = never_pull_message(container.image)
            self._say(state, container, "Warning", "ErrImageNeverPull", message)
            raise ImageError("ErrImageNeverPull", message)
        return await self._pull(state, container, name)

    async def _status(self, state: PodState, container: Container, name: ImageName) -> ImageRecord | None:
        known = self._known.get(name.text)
        if known is not None and self._clock.now_s() < known.until_s:
            return known.image
        try:
            image = await self._images.image_status(name.text)
        except ContainerRuntimeError as error:
            message = f'Failed to inspect image "{container.image}": {error.message}'
            self._say(state, container, "Warning", "InspectFailed", message)
            raise ImageError("ImageInspectError", message) from error
        if image is not None:
            self._remember(name.text, image)
        return image

    def _remember(self, text: str, image: ImageRecord) -> None:
        self._known.pop(text, None)
        if len(self._known) >= KNOWN_MAX:
            self._known.pop(next(iter(self._known)))
        self._known[text] = _Known(image, self._clock.now_s() + KNOWN_S)

    async def _pull(self, state: PodState, container: Container, name: ImageName) -> ImageRecord:
        now_s = self._clock.now_s()
        backoff = state.pulls.get(name.text)
        if backoff is not None and now_s < backoff.ready_at_s():
            message = back_off_pull_message(container.image, state.pull_errors.get(name.text, ""))
            self._say(state, container, "Normal", "BackOff", f'Back-off pulling image "{container.image}"')
            raise ImageError("ImagePullBackOff", message)
        self._say(state, container, "Normal", "Pulling", f'Pulling image "{container.image}"')
        try:
            image = await run_unless(state.stop, self._pull_once(name.text))
        except ContainerRuntimeError as error:
            message = f'Failed to pull image "{container.image}": {error.message}'
            self._say(state, container, "Warning", "Failed", message)
            state.pulls[name.text] = next_backoff(PULL_BACKOFF, backoff, self._clock.now_s())
            state.pull_errors[name.text] = error.message
            raise ImageError("ErrImagePull", error.message) from error
        state.pulls.pop(name.text, None)
        state.pull_errors.pop(name.text, None)
        took_s = self._clock.now_s() - now_s
        self._say(state, container, "Normal", "Pulled", pulled_message(container.image, took_s, image.size_bytes))
        self._remember(name.text, image)
        return image

    async def _pull_once(self, text: str) -> ImageRecord:
        lock = self._locks.setdefault(text, asyncio.Lock())
        try:
            async with lock, self._slots:
                return await self._images.pull_image(text, None)
        finally:
            if not lock.locked():
                self._locks.pop(text, None)

    def _say(self, state: PodState, container: Container, kind: str, reason: str, message: str) -> None:
        self._recorder.record(
            state.pod.involved, "Normal" if kind == "Normal" else "Warning", reason, message, container.field_path
        )
