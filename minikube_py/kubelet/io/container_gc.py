"""Carries out what dead_records decides: removes old dead containers, sandboxes nobody needs, and left directories.

Runs only once all pods are known (upstream: allSourcesReady). Upstream: kuberuntime_gc.go, kubelet_volumes.go.
"""

import logging

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.dead_records import compute_dead_records
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")


class ContainerGc:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts) -> None:
        self._config = config
        self._ports = ports

    async def collect(self, active_uids: frozenset[str]) -> None:
        """Remove what is dead and not needed; `active_uids` are the pods that have a worker."""
        try:
            listing = await self._ports.runtime.listing()
            dead = compute_dead_records(listing, active_uids, self._config.dead_containers_max)
            for container in dead.containers:
                await self._ports.runtime.remove_container(container)
            for sandbox in dead.sandboxes:
                await self._ports.runtime.remove_pod_sandbox(sandbox)
        except ContainerRuntimeError as error:
            log.warning("dead containers are not removed now: %s", error.message)
            return
        known = {s.pod.uid for s in listing.sandboxes} | {c.pod.uid for c in listing.containers}
        for uid in await self._ports.files.pod_uids():
            if uid in active_uids or uid in known:
                continue
            try:
                await self._ports.files.remove_pod(self._config.pod_dir(uid))
            except OSError as error:
                log.warning("directory of pod %s is not removed now: %s", uid, error)
