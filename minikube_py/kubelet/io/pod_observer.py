"""Reads what the runtime has of one pod, with what ended containers left in their termination logs.

Upstream: kuberuntime GetPodStatus. The runtime is asked only when something can have changed since the last look.
"""

from dataclasses import replace

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord, RuntimeListing
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_runtime_status import (
    MESSAGE_POLICY,
    PodRuntimeStatus,
    parse_process_user,
    pod_runtime_status,
    restart_count_of,
)
from minikube_py.kubelet.ports import KubeletPorts

MESSAGE_BYTES_MAX = 4096
"""Upstream's bound for one container's termination message."""
MESSAGES_BYTES_MAX = 12 << 10
"""Upstream's bound for all of a pod's containers together: each has its equal share of it."""
_PROC_BYTES_MAX = 4096


class PodObserver:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts) -> None:
        self._config = config
        self._ports = ports

    async def observe(self, state: PodState) -> PodRuntimeStatus:
        """Bring `state.status` up to date and return it.

        Raises:
            ContainerRuntimeError: the runtime does not answer.
        """
        if not state.status_is_current:
            # Set before asking: what changes while the answer is on its way makes it stale again.
            state.status_is_current = True
            listing: RuntimeListing | PodRuntimeStatus | None = state.at_start
            state.at_start = None
            try:
                listing = listing or await self._ports.runtime.listing(state.pod.uid)
            except BaseException:
                state.status_is_current = False
                raise
            containers = [await self._with_message(state, record) for record in listing.containers]
            containers = [await self._with_user(state, record) for record in containers]
            state.status = pod_runtime_status(listing.sandboxes, containers)
            known = {record.id for record in containers}
            state.messages = {k: v for k, v in state.messages.items() if k in known}
            state.users = {k: v for k, v in state.users.items() if k in known}
        return state.status

    async def add_started(self, state: PodState, record: ContainerRecord | None) -> None:
        """Add a container that was just started to `state.status`: a pod that starts is not listed for it.

        Anything else than a running one (None: it is gone) is left to the next look.
        """
        if record is None or record.phase is not ContainerPhase.RUNNING:
            state.status_is_current = False
            return
        containers = (*state.status.containers, await self._with_user(state, record))
        state.status = pod_runtime_status(state.status.sandboxes, containers)

    async def _with_message(self, state: PodState, record: ContainerRecord) -> ContainerRecord:
        if record.phase is not ContainerPhase.EXITED:
            return record
        if record.id not in state.messages:
            state.messages[record.id] = await self._message(state, record)
        message = state.messages[record.id]
        return replace(record, message=message) if message else record

    async def _message(self, state: PodState, record: ContainerRecord) -> str:
        pod_dir = self._config.pod_dir(state.pod.uid)
        path = f"{pod_dir}/containers/{record.name}/{restart_count_of(record)}"
        share = MESSAGES_BYTES_MAX // max(len(state.pod.all_containers), 1)
        text = await self._ports.files.read_file(path, min(MESSAGE_BYTES_MAX, share))
        wants_log = record.annotations.get(MESSAGE_POLICY) == "FallbackToLogsOnError"
        if not text and wants_log and record.exit_code and record.log_path:
            text = await self._ports.files.log_tail(record.log_path)
        return text

    async def _with_user(self, state: PodState, record: ContainerRecord) -> ContainerRecord:
        """Add who the first process is: the engine knows a name at best, the kernel has the numbers."""
        if record.id not in state.users:
            if record.phase is not ContainerPhase.RUNNING or not record.pid:
                return record
            text = await self._ports.files.read_file(f"/proc/{record.pid}/status", _PROC_BYTES_MAX)
            user = parse_process_user(text)
            if user is None:
                return record
            state.users[record.id] = user
        return replace(record, user=state.users[record.id])
