"""Ends what the engine left of containers and pods that nobody knows any more.

The host is looked at first and the engine asked afterwards: a start that is under way has a record before it has
a process, so what has none by then will not get one. Upstream: kubelet cleanupOrphanedPodCgroups.
"""

import logging
from collections.abc import Callable, Iterable

from minikube_py.kubelet.cgroup_names import tier_cgroup
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerId, ContainerRuntimeError
from minikube_py.kubelet.engine_leftovers import HostTraces
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.resources import cgroup_parents

log = logging.getLogger("kubelet")


class LeftoverSweep:
    """One for the kubelet; not before all pods of the node are known."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        knowledge: NodeKnowledge,
        states: Callable[[], Iterable[PodState]],
    ) -> None:
        self._config = config
        self._ports = ports
        self._knowledge = knowledge
        self._states = states

    async def sweep(self) -> None:
        """Look once."""
        driver = self._knowledge.traits.cgroup_driver
        try:
            found = await self._ports.leftovers.find(tier_cgroup("Guaranteed", self._config.cgroup_root, driver))
            orphans = await self._orphans(found)
            for shim in orphans.shims:
                await self._ports.leftovers.end_shim(shim)
            names = [cgroup.path for cgroup in orphans.cgroups]
            for uid in sorted(orphans.pod_uids):
                names += cgroup_parents(uid, self._config.cgroup_root, driver)
            for name in names:
                await self._ports.files.remove_cgroup(name)
        except (ContainerRuntimeError, OSError) as error:
            log.warning("what the engine may have left of old containers is not removed now: %s", error)
            return
        if orphans != HostTraces():
            log.warning(
                "removed what was left of %d containers and %d pods that are gone: %s",
                len(orphans.container_ids),
                len(orphans.pod_uids),
                ", ".join(sorted(orphans.pod_uids | orphans.container_ids)),
            )

    async def _orphans(self, found: HostTraces) -> HostTraces:
        listing = await self._ports.runtime.listing()
        listed = {*(s.id for s in listing.sandboxes), *(c.id for c in listing.containers)}
        unlisted = [c for c in sorted(found.container_ids - listed) if not await self._is_known(c)]
        pods = {*(s.pod.uid for s in listing.sandboxes), *(c.pod.uid for c in listing.containers)}
        pods |= {state.pod.uid for state in self._states()}
        # Another agent's on this host, in spite of all.
        pods |= {cgroup.pod_uid for cgroup in found.cgroups if cgroup.container_id not in unlisted}
        return found.only(found.pod_uids - pods, frozenset(unlisted))

    async def _is_known(self, container: str) -> bool:
        """Return whether the engine has a container that is not listed as this node's: somebody else's then."""
        return await self._ports.runtime.has_container(ContainerId(container))
