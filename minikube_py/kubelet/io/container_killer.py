"""Stops one container: preStop, then TERM, then KILL, all inside one grace period that may be shortened meanwhile.

Upstream: kuberuntime killContainer. The preStop hook comes from the pod, or from the container's annotations when the
pod's object is gone.
"""

import asyncio
import logging

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerRecord, ContainerRuntimeError, RuntimeErrorKind, RuntimeService
from minikube_py.kubelet.hooks import decode_handler, remaining_grace_s
from minikube_py.kubelet.io.hook_runner import HookError, HookRunner
from minikube_py.kubelet.io.interrupt import InterruptedByStopError, run_unless
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_actions import ContainerKill
from minikube_py.kubelet.pod_runtime_status import PRE_STOP
from minikube_py.kubelet.ports import EventSink

log = logging.getLogger("kubelet")

FORCED_GRACE_S = 1.0
"""What a container gets even when its pod is deleted with a grace period of 0."""


class ContainerKiller:
    """One for the kubelet."""

    def __init__(self, runtime: RuntimeService, hooks: HookRunner, recorder: EventSink, clock: Clock) -> None:
        self._runtime = runtime
        self._hooks = hooks
        self._recorder = recorder
        self._clock = clock

    async def kill(self, state: PodState, kill: ContainerKill, grace_s: float) -> None:
        """Stop a container within `grace_s`; returns when it is dead.

        Raises:
            ContainerRuntimeError: the runtime could not stop it.
        """
        record = kill.container
        container = state.pod.container(record.name)
        path = container.field_path if container else f"spec.containers{{{record.name}}}"
        self._recorder.record(state.pod.involved, "Normal", "Killing", kill.message, path)
        began_s = self._clock.now_s()
        if grace_s > 0:
            await self._pre_stop(state, record, grace_s)
        await self._stop(state, record, grace_s, began_s)

    async def _pre_stop(self, state: PodState, record: ContainerRecord, grace_s: float) -> None:
        container = state.pod.container(record.name)
        handler = container.pre_stop if container is not None and container.pre_stop is not None else None
        if handler is None:
            handler = decode_handler(record.annotations.get(PRE_STOP, ""))
        if handler is None:
            return
        try:
            async with asyncio.timeout(grace_s):
                await self._hooks.run(handler, record.id, container, state, grace_s)
        except TimeoutError:
            log.warning("preStop hook of %s in pod %s took the whole grace period", record.name, state.pod.key)
            self._failed(state, container)
        except HookError as error:
            log.info("preStop hook of %s in pod %s failed: %s", record.name, state.pod.key, error)
            self._failed(state, container)

    def _failed(self, state: PodState, container: Container | None) -> None:
        path = container.field_path if container else ""
        self._recorder.record(state.pod.involved, "Warning", "FailedPreStopHook", "PreStopHook failed", path)

    async def _stop(self, state: PodState, record: ContainerRecord, grace_s: float, began_s: float) -> None:
        while True:
            used_s = self._clock.now_s() - began_s
            left_s = max(remaining_grace_s(min(grace_s, _asked_grace_s(state, grace_s)), used_s), 0.0)
            state.grace_changed.clear()
            try:
                await run_unless(state.grace_changed, self._runtime.stop_container(record.id, left_s))
            except InterruptedByStopError:
                continue
            except ContainerRuntimeError as error:
                if error.kind is not RuntimeErrorKind.NOT_FOUND:
                    raise
            return


def _asked_grace_s(state: PodState, otherwise_s: float) -> float:
    asked_s = state.pod.deletion_grace_s
    return otherwise_s if asked_s is None else max(asked_s, FORCED_GRACE_S)
