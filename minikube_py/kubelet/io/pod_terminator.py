"""Stops a pod for good, in the order in which nothing is lost and nothing is left.

1. Its endpoint leaves the kernel: no new connection is sent to a process that is about to stop.
2. preStop, TERM, KILL for the regular containers at once, then for the sidecars in reverse order, all in one grace.
3. The last rule goes that leads to the pod: nothing runs in it, but its network still refuses connections, which
   would wait for an answer in vain without it. The sandbox stops; only then its address is set free (the link goes
   with the namespace, so nobody can have the same address twice).
4. Containers and sandbox are removed, volumes unmounted, directories and cgroups deleted.
5. The terminal status is written, then the object is deleted with grace 0 and its uid as precondition.

Each step can be done again: a kubelet that was killed in between starts over. Upstream: syncTerminatingPod,
syncTerminatedPod, status manager.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from minikube_py.api.errors import ConflictError, NotFoundError
from minikube_py.api.resources import PODS, SERVICES
from minikube_py.client.interface import DeleteOptions
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRecord
from minikube_py.kubelet.io.container_killer import FORCED_GRACE_S, ContainerKiller
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_actions import ContainerKill, KillReason
from minikube_py.kubelet.pod_runtime_status import GRACE_PERIOD
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.resources import cgroup_parents

log = logging.getLogger("kubelet")


class PodTerminator:
    """One for the kubelet."""

    def __init__(
        self, config: KubeletConfig, ports: KubeletPorts, killer: ContainerKiller, slots: asyncio.Semaphore
    ) -> None:
        self._config = config
        self._ports = ports
        self._killer = killer
        self._slots = slots
        self._services = ports.informers.informer(SERVICES)

    def grace_s(self, state: PodState) -> float:
        """Return how long the pod's containers have: as the delete said, else as the pod says."""
        pod, grace_s = state.pod, state.pod.deletion_grace_s
        if grace_s is not None:
            if pod.deletion_timestamp_s is not None:
                # After a restart of the kubelet only the rest of the period is left (the wait for rules is extra).
                extra_s = self._config.endpoint_drain_s + self._config.endpoint_drain_linger_s
                grace_s = min(grace_s, pod.deletion_timestamp_s + extra_s - self._ports.clock.wall_s())
            return max(grace_s, FORCED_GRACE_S)
        labels = [c.annotations.get(GRACE_PERIOD, "") for c in state.status.containers]
        known = [float(text) for text in labels if text.isdigit()]
        if not state.pod.containers and known:
            return max(known[0], FORCED_GRACE_S)
        return max(state.pod.termination_grace_s, FORCED_GRACE_S)

    async def withdraw_endpoint(self, state: PodState) -> None:
        """Wait until the kernel sends nothing new to the pod (bounded)."""
        if not state.pod_ip or not state.status.running or not self._is_selected(state):
            return
        if not state.pod.host_network:
            withdrawn = await self._ports.endpoint_drain.wait_withdrawn(state.pod_ip, self._config.endpoint_drain_s)
            if not withdrawn:
                log.warning("pod %s is stopped while rules still lead to it", state.pod.key)
        await self._ports.clock.sleep(self._config.endpoint_drain_linger_s)

    async def wait_unreachable(self, state: PodState) -> None:
        """Wait until no rule of this node leads to the pod, whose processes have ended (bounded)."""
        if state.pod_ip and not state.pod.host_network and self._is_selected(state):
            await self._ports.endpoint_drain.wait_unreachable(state.pod_ip, self._config.endpoint_gone_s)

    def _is_selected(self, state: PodState) -> bool:
        labels = state.pod.labels
        for service in self._services.list(state.pod.namespace):
            selector = (service.get("spec") or {}).get("selector") or {}
            if selector and all(labels.get(k) == v for k, v in selector.items()):
                return True
        return False

    async def kill_containers(self, state: PodState, grace_s: float) -> None:
        """Stop whatever runs: regular and unknown containers at once, then sidecars in reverse order.

        Raises:
            ContainerRuntimeError: the runtime could not stop one.
        """
        began_s = self._ports.clock.now_s()
        sidecars = [c.name for c in state.pod.init_containers if c.is_sidecar]
        first = [c for c in state.status.running if c.name not in sidecars]
        await self._kill_all(state, first, grace_s)
        for name in reversed(sidecars):
            left_s = max(grace_s - (self._ports.clock.now_s() - began_s), FORCED_GRACE_S)
            await self._kill_all(state, [c for c in state.status.running if c.name == name], left_s)

    async def _kill_all(self, state: PodState, records: list[ContainerRecord], grace_s: float) -> None:
        await self._each(
            [
                lambda r=record: self._killer.kill(  # type: ignore[misc]
                    state, ContainerKill(r, KillReason.POD_KILLED, f"Stopping container {r.name}"), grace_s
                )
                for record in records
            ]
        )

    async def _each(self, works: list[Callable[[], Awaitable[None]]]) -> None:
        async def run(work: Callable[[], Awaitable[None]]) -> None:
            await work()

        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(run(work))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def stop_sandboxes(self, state: PodState) -> None:
        """Stop every sandbox of the pod, then set its address free.

        Raises:
            ContainerRuntimeError: the runtime could not stop one.
        """
        for sandbox in state.status.sandboxes:
            if sandbox.ready:
                await self._ports.runtime.stop_pod_sandbox(sandbox.id)
        if not state.pod.host_network:
            await self._ports.network.detach(state.pod.uid)
        state.pod_ip = ""

    async def remove_records(self, state: PodState) -> None:
        """Remove all containers and sandboxes of the pod.

        Raises:
            ContainerRuntimeError: the runtime could not remove one.
        """
        async with self._slots:
            for container in state.status.containers:
                await self._ports.runtime.remove_container(container.id)
            for sandbox in state.status.sandboxes:
                await self._ports.runtime.remove_pod_sandbox(sandbox.id)

    async def remove_files(self, state: PodState, cgroup_driver: str) -> None:
        """Unmount and delete what the pod has on the host.

        Raises:
            OSError: a mount is still in use.
        """
        await self._ports.files.remove_pod(self._config.pod_dir(state.pod.uid))
        for parent in cgroup_parents(state.pod.uid, self._config.cgroup_root, cgroup_driver):
            await self._ports.files.remove_cgroup(parent)

    async def delete_object(self, state: PodState) -> None:
        """Delete the pod from the API, if it is still this one.

        Raises:
            StatusError: the API server did not take it.
        """
        if state.removed:
            return
        options = DeleteOptions(grace_period_s=0, uid=state.pod.uid)
        try:
            await self._ports.client.delete(PODS, state.pod.key, options)
        except (NotFoundError, ConflictError) as error:
            log.debug("pod %s is gone already: %s", state.pod.key, error)
