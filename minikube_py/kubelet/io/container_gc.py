"""Carries out what dead_records decides: removes old dead containers, sandboxes nobody needs, and left directories.

Runs only once all pods are known (upstream: allSourcesReady). Upstream: kuberuntime_gc.go, kubelet_volumes.go.
"""

import logging
from collections.abc import Callable, Iterable

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeListing
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
            active_uids: tells the pods that have a worker; asked whenever something was looked at, since pods that
                came meanwhile are in no older answer, and have files already.
            keep_max: how many dead runs of each container stay; None: as configured.
        """
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
        await self._sweep(listing, active_uids)

    def _policy(self, keep_max: int | None) -> DeadPolicy:
        if keep_max is not None:
            return DeadPolicy(keep_max)
        config = self._config
        newest_s = self._ports.clock.wall_s() - config.dead_container_minimum_age_s
        return DeadPolicy(config.dead_containers_max, config.dead_containers_total_max, newest_s)

    async def _sweep(self, listing: RuntimeListing, active_uids: Callable[[], frozenset[str]]) -> None:
        known = {s.pod.uid for s in listing.sandboxes} | {c.pod.uid for c in listing.containers}
        for uid in await self._ports.files.pod_uids():
            if uid in known or uid in active_uids():
                continue
            try:
                await self._ports.files.remove_pod(self._config.pod_dir(uid))
            except OSError as error:
                log.warning("directory of pod %s is not removed now: %s", uid, error)
        await self._ports.files.sweep_logs(frozenset(known | active_uids()))


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
