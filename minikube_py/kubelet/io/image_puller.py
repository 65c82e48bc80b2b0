"""Makes sure that a container's image is on the host, as its pull policy says (upstream: images.EnsureImageExists).

Pulls of one image take turns, and so do all pulls beyond `image_pulls_max`. What is known to be here is
remembered for a short while, so that starting a pod costs no look-up.
"""

import asyncio
import logging
from contextlib import nullcontext
from dataclasses import dataclass

from minikube_py.kit.backoff import next_backoff
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord
from minikube_py.kubelet.images import (
    PULL_BACKOFF,
    ImageName,
    ImageWanted,
    InvalidImageNameError,
    back_off_pull_message,
    never_pull_message,
    parse_image_name,
    present_message,
    pull_failure,
    pull_policy,
    pulled_message,
)
from minikube_py.kubelet.io.image_sources import ImageSources
from minikube_py.kubelet.io.interrupt import run_unless
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.pull_reporter import PullReporter
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.pull_progress import PullProgress, PullWatcher
from minikube_py.kubelet.registry_credentials import BadCredentialsError

log = logging.getLogger("kubelet")

KNOWN_MAX = 256
"""Images remembered as present; at the bound the oldest goes."""
KNOWN_S = 10.0


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


@dataclass(slots=True)
class _Turn:
    """Pulls of one image: how many want it, and whose turn it is."""

    lock: asyncio.Lock
    wanted: int = 0


class ImagePuller:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts, sources: ImageSources) -> None:
        self._images = ports.images
        self._recorder = ports.recorder
        self._clock = ports.clock
        self._sources = sources
        self._known: dict[str, _Known] = {}
        self._turns: dict[str, _Turn] = {}
        pulls_max = config.image_pulls_max
        self._slots = asyncio.Semaphore(pulls_max) if pulls_max is not None else nullcontext()

    def forget(self) -> None:
        """Forget which images are here: some were removed."""
        self._known.clear()

    async def pull_for_node(self, name: ImageName) -> ImageRecord:
        """Pull an image that no pod asks for; how far it is stands in the log.

        Raises:
            ContainerRuntimeError: it cannot be had now.
        """
        reporter = PullReporter(name.text, self._clock, log.info)
        return await reporter.report(self._sources.pull(None, name, reporter.told))

    async def ensure(self, state: PodState, wanted: ImageWanted) -> ImageRecord:
        """Return an image that a pod needs, pulled if it must be.

        Raises:
            ImageError: it cannot be had now.
            InterruptedByStopError: the pod is to be stopped.
        """
        try:
            name = parse_image_name(wanted.image)
        except InvalidImageNameError as error:
            self._say(state, wanted, "Warning", "InspectFailed", str(error))
            raise ImageError("InvalidImageName", str(error)) from error
        policy = pull_policy(wanted.pull_policy, name)
        present = None if policy == "Always" else await self._status(state, wanted, name)
        if present is not None and await self._may_use(state, name, present):
            self._say(state, wanted, "Normal", "Pulled", present_message(wanted.image))
            return present
        if policy == "Never":
            message = never_pull_message(wanted.image)
            self._say(state, wanted, "Warning", "ErrImageNeverPull", message)
            raise ImageError("ErrImageNeverPull", message)
        return await self._pull(state, wanted, name)

    async def _may_use(self, state: PodState, name: ImageName, image: ImageRecord) -> bool:
        try:
            return await self._sources.may_use(state.pod, name, image)
        except BadCredentialsError:
            return False  # the pull that follows says what is wrong

    async def _status(self, state: PodState, wanted: ImageWanted, name: ImageName) -> ImageRecord | None:
        known = self._known.get(name.text)
        if known is not None and self._clock.now_s() < known.until_s:
            return known.image
        try:
            image = await self._sources.find(name)
        except ContainerRuntimeError as error:
            message = f'Failed to inspect image "{wanted.image}": {error.message}'
            self._say(state, wanted, "Warning", "InspectFailed", message)
            raise ImageError("ImageInspectError", message) from error
        if image is not None:
            self._remember(name.text, image)
        return image

    def _remember(self, text: str, image: ImageRecord) -> None:
        self._known.pop(text, None)
        if len(self._known) >= KNOWN_MAX:
            self._known.pop(next(iter(self._known)))
        self._known[text] = _Known(image, self._clock.now_s() + KNOWN_S)

    async def _pull(self, state: PodState, wanted: ImageWanted, name: ImageName) -> ImageRecord:
        begun_s = self._clock.now_s()
        backoff = state.pulls.get(name.text)
        if backoff is not None and begun_s < backoff.ready_at_s():
            message = back_off_pull_message(wanted.image, state.pull_errors.get(name.text, ""))
            self._say(state, wanted, "Normal", "BackOff", f'Back-off pulling image "{wanted.image}"')
            raise ImageError("ImagePullBackOff", message)
        self._say(state, wanted, "Normal", "Pulling", f'Pulling image "{wanted.image}"')
        try:
            image, took_s = await run_unless(state.stop, self._pull_and_tell(state, wanted, name))
        except (ContainerRuntimeError, BadCredentialsError) as error:
            message = f'Failed to pull image "{wanted.image}": {error}'
            self._say(state, wanted, "Warning", "Failed", message)
            state.pulls[name.text] = next_backoff(PULL_BACKOFF, backoff, self._clock.now_s())
            reason, words = pull_failure(wanted.image, str(error))
            state.pull_errors[name.text] = f"{reason}: {words}"
            raise ImageError(reason, words) from error
        state.pulls.pop(name.text, None)
        state.pull_errors.pop(name.text, None)
        waited_s = self._clock.now_s() - begun_s
        message = pulled_message(wanted.image, took_s, waited_s, image.size_bytes)
        self._say(state, wanted, "Normal", "Pulled", message)
        self._remember(name.text, image)
        return image

    async def _pull_and_tell(
        self, state: PodState, wanted: ImageWanted, name: ImageName
    ) -> tuple[ImageRecord, float]:
        def say(message: str) -> None:
            log.info("pod %s: %s", state.pod.key, message)
            self._recorder.record_progress(state.pod.involved, "PullProgress", message, wanted.field_path)

        reporter = PullReporter(wanted.image, self._clock, say)
        return await reporter.report(self._pull_in_turn(state, name, reporter.told))

    async def _pull_in_turn(self, state: PodState, name: ImageName, told: PullWatcher) -> tuple[ImageRecord, float]:
        turn = self._turns.setdefault(name.text, _Turn(asyncio.Lock()))
        turn.wanted += 1
        try:
            async with turn.lock, self._slots:
                begun_s = self._clock.now_s()
                told(PullProgress())
                image = await self._sources.pull(state.pod, name, told)
                return image, self._clock.now_s() - begun_s
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[name.text]

    def _say(self, state: PodState, wanted: ImageWanted, kind: str, reason: str, message: str) -> None:
        self._recorder.record(
            state.pod.involved, "Normal" if kind == "Normal" else "Warning", reason, message, wanted.field_path
        )
