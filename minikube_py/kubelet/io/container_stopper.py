"""Stopping a container: the signal, the time that it is given, the kill.

Docker's own stop holds a connection for the whole grace period and cannot be shortened. Here the signal is sent, the
death awaited (an event tells at once; a look now and then does when no event comes), and the kill sent by our own
timer: the caller may give up at any await and call again with a shorter grace.

Upstream: kuberuntime killContainer, dockershim StopContainer.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_events import DockerEvents, happens_within

KILL_WAIT_S = 30.0
"""A process that outlives SIGKILL for so long hangs in the kernel."""
_LOOK_AGAIN_S = (0.05, 0.1, 0.2, 0.4, 1.0)


class ContainerStopper:
    """Stops the containers of one engine."""

    def __init__(self, api: DockerApi, events: DockerEvents, clock: Clock) -> None:
        self._api = api
        self._events = events
        self._clock = clock

    async def stop(self, container: str, grace_s: float) -> None:
        """Send the image's stop signal, wait up to `grace_s`, then kill; fine when it does not run or is gone.

        Raises:
            ContainerRuntimeError: TIMEOUT, it outlived SIGKILL by KILL_WAIT_S.
        """
        document = await self._api.find_container(container)
        if document is None or not is_running(document):
            return
        # Watched from before the signal on: the death that follows it cannot be missed, and need not be asked for.
        with self._events.watching(container) as death:
            if grace_s > 0:
                signal = str(document["Config"].get("StopSignal") or "SIGTERM")
                if not await self._signal(container, signal) or await self._died_within(container, death, grace_s):
                    return
            if not await self._signal(container, "SIGKILL") or await self._died_within(container, death, KILL_WAIT_S):
                return
        raise ContainerRuntimeError(
            RuntimeErrorKind.TIMEOUT, f"container {container} still runs {KILL_WAIT_S:g} s after SIGKILL"
        )

    async def _signal(self, container: str, signal: str) -> bool:
        """Send a signal; False when there was nobody to take it."""
        try:
            await self._api.kill_container(container, signal)
        except ContainerRuntimeError as error:
            if error.kind is RuntimeErrorKind.NOT_FOUND:
                return False
            if error.kind is not RuntimeErrorKind.CONFLICT:
                raise
            return is_running(await self._api.find_container(container))
        return True

    async def _died_within(self, container: str, death: asyncio.Event, seconds: float) -> bool:
        deadline = self._clock.now_s() + seconds
        pauses = iter(_LOOK_AGAIN_S)
        # Told of what happens, a look is only needed in case that the telling was lost.
        look_at_once = not self._events.is_following
        while True:
            if look_at_once and not is_running(await self._api.find_container(container)):
                return True
            look_at_once = True
            left = deadline - self._clock.now_s()
            if left <= 0:
                return False
            pause_s = _LOOK_AGAIN_S[-1] if self._events.is_following else next(pauses, _LOOK_AGAIN_S[-1])
            if await happens_within(death, min(left, pause_s)):
                return True


def is_running(document: Mapping[str, Any] | None) -> bool:
    """Return whether the container of an inspect document runs; False for one that is gone."""
    return document is not None and bool(document["State"].get("Running"))
