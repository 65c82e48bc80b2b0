"""Carries out what dead_records decides: removes old dead containers, sandboxes nobody needs, and left directories.

Runs only once all pods are known (upstream: allSourcesReady). Upstream: kuberuntime_gc.go, kubelet_volumes.go.
"""

import logging
from collections.abc import Callable, Iterable

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.dead_records import DeadPolicy, compute_dead_records
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")


class ContainerGc:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts) -> None:
        self._config = config
        self._ports = ports

    async def collect(self, active_uids: Callable[[], frozenset[str]], *, keep_max: int | None = None) -> None:
        """Remove what is dead and not needed.

        Args:
            active_uids: tells the pods that have a worker; asked after something was looked at, since pods that came
                meanwhile are in no older answer, and have files already.
            keep_max: how many dead runs of each container stay; None: as configured.
        """
        # Names before what is known: whoever has files by now, and neither container nor worker later, is gone.
        named = await self._ports.files.pod_uids(), await self._ports.files.log_uids()
        try:
            listing = await self._ports.runtime.listing()
            dead = compute_dead_records(listing, active_uids(), self._policy(keep_max))
            for container in dead.containers:
                await self._ports.runtime.remove_container(container)
            for sandbox in dead.sandboxes:
                await self._ports.runtime.remove_pod_sandbox(sandbox)
        except ContainerRuntimeError as error:
            log.warning("dead containers are not removed now: %s", error.message)
            return
        contained = {s.pod.uid for s in listing.sandboxes} | {c.pod.uid for c in listing.containers}
        with_directory, with_logs = (frozenset(uids) - contained for uids in named)
        for uid in sorted(with_directory):
            if uid not in active_uids():
                await self._remove_directory(uid)
        await self._ports.files.remove_logs(with_logs - active_uids())

    def _policy(self, keep_max: int | None) -> DeadPolicy:
        if keep_max is not None:
            return DeadPolicy(keep_max)
        config = self._config
        newest_s = self._ports.clock.wall_s() - config.dead_container_minimum_age_s
        return DeadPolicy(config.dead_containers_max, config.dead_containers_total_max, newest_s)

    async def _remove_directory(self, uid: str) -> None:
        try:
            await self._ports.files.remove_pod(self._config.pod_dir(uid))
        except OSError as error:
            log.warning("directory of pod %s is not removed now: %s", uid, error)


class DeadContainersReclaim:
    """Removes every dead container that no status needs, when the disk is nearly full (ports.Reclaim)."""

    def __init__(self, gc: ContainerGc, states: Callable[[], Iterable[PodState]]) -> None:
        self._gc = gc
        self._states = states

    async def reclaim(self) -> None:
        """Remove them: also the last runs, kept for `logs --previous`, and those of pods that are over."""
        await self._gc.collect(
            lambda: frozenset(state.pod.uid for state in self._states() if not state.over), keep_max=0
        )
