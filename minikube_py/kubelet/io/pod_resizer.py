"""Carries out in-place resizes of a pod's containers; the rules are in pod_resize."""

import logging

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerResources, ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.container_killer import ContainerKiller
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.pod_cgroups import PodCgroups
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_actions import ContainerKill, KillReason
from minikube_py.kubelet.pod_resize import (
    NO_RESIZE,
    asks_for_other_resources,
    compute_resizes,
    judge_resize,
    requested,
    resize_event,
)
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.resources import container_resources

log = logging.getLogger("kubelet")


class PodResizer:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        node: NodeKnowledge,
        killer: ContainerKiller,
        cgroups: PodCgroups,
    ) -> None:
        self._config = config
        self._ports = ports
        self._node = node
        self._killer = killer
        self._cgroups = cgroups

    def decide(self, state: PodState) -> None:
        """Give a pod what it asks for if the node has it; else note why not."""
        uid = state.pod.uid
        before = state.resize_pending
        state.resize_pending = NO_RESIZE
        if asks_for_other_resources(state.desired, state.allocated):
            capacity = self._node.capacity()
            verdict = judge_resize(state.desired, self._node.claimed_by_others(uid), capacity)
            if not verdict.reason:
                state.allocate()
                self._say(state, "Normal", "ResizeStarted", "started")
            else:
                state.resize_pending = verdict
                if verdict != before:
                    self._say(state, "Warning", f"Resize{verdict.reason}", verdict.reason, verdict.message)
        self._node.claims[uid] = requested(state.pod)

    def forget(self, uid: str) -> None:
        """Note that a pod needs nothing any more."""
        self._node.claims.pop(uid, None)

    async def apply(self, state: PodState) -> bool:
        """Bring running containers to what the pod was given; return whether something was done.

        Raises:
            ContainerRuntimeError: the runtime does not answer. (That it refuses is shown in the pod's condition.)
        """
        if not state.resizing:
            return False
        plan = compute_resizes(state.pod, state.status, lambda c: self._numbers(state, c))
        if plan.is_done:
            state.resizing = False
            state.resize_error = ""
            state.resize_tried = ()
            await self._cgroups.ensure(state.pod)
            self._say(state, "Normal", "ResizeCompleted", "completed")
            return True
        await self._cgroups.loosen(state.pod)
        for run in plan.restarts:
            kill = ContainerKill(run, KillReason.CHANGED, f"Container {run.name} resize requires restart")
            await self._killer.kill(state, kill, state.pod.termination_grace_s)
            state.status_is_current = False
        error = ""
        wanted = tuple((run.id, numbers) for run, numbers in plan.updates)
        if wanted and wanted == state.resize_tried:
            state.resize_tried = ()  # once more at the next look
            return False
        state.resize_tried = wanted
        for run, numbers in plan.updates:
            try:
                await self._ports.runtime.update_container(run.id, numbers)
            except ContainerRuntimeError as refusal:
                if refusal.kind is not RuntimeErrorKind.REFUSED:
                    raise
                error = refusal.message
            state.status_is_current = False
        if error and error != state.resize_error:
            self._say(state, "Warning", "ResizeError", "error", error)
        state.resize_error = error
        # A refusal is tried again with the pod's next look, not at once.
        return not error

    def _numbers(self, state: PodState, container: Container) -> ContainerResources:
        memory_bytes = self._node.traits.memory_bytes
        return container_resources(state.pod, container, memory_bytes, cpu_cfs_quota=self._config.cpu_cfs_quota)

    def _say(self, state: PodState, kind: str, reason: str, word: str, error: str = "") -> None:
        message = resize_event(word, state.desired, error)
        self._ports.recorder.record(state.pod.involved, "Normal" if kind == "Normal" else "Warning", reason, message)
