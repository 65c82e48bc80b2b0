"""Keeps the cgroups above containers right: each pod's own, the QoS classes', and that of all pods.

A host that does not let the agent write them is no reason to refuse a pod: its containers have their limits from the
engine, and the log says once what is missing. Upstream: kubelet cm/pod_container_manager_linux.go.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from minikube_py.api.quantity import NANO
from minikube_py.kubelet.cgroup_names import tier_cgroup
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.node_status import reserved
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_cgroup import CgroupLimits, burstable_shares, pod_limits_of
from minikube_py.kubelet.pod_resources import whole
from minikube_py.kubelet.ports import CgroupWriter
from minikube_py.kubelet.resources import cgroup_parent, cpu_shares

log = logging.getLogger("kubelet")


class PodCgroups:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        writer: CgroupWriter,
        knowledge: NodeKnowledge,
        states: Callable[[], Iterable[PodState]],
    ) -> None:
        self._config = config
        self._writer = writer
        self._knowledge = knowledge
        self._states = states
        self._written: dict[str, CgroupLimits] = {}
        self._refused = False

    async def ensure(self, pod: Pod) -> None:
        """Make the cgroup of a pod that is about to start, and count it in its class."""
        await self.refresh()
        await self._write(self._name(pod), self._limits(pod))

    async def loosen(self, pod: Pod) -> None:
        """Take a pod's common limits away while its containers' own are changed; `ensure` brings the new ones."""
        await self._write(self._name(pod), replace(self._limits(pod), quota_us=0, memory_bytes=0))

    def _name(self, pod: Pod) -> str:
        return cgroup_parent(pod, self._config.cgroup_root, self._knowledge.traits.cgroup_driver)

    def _limits(self, pod: Pod) -> CgroupLimits:
        return pod_limits_of(
            pod,
            self._config.pod_pids_limit,
            cpu_cfs_quota=self._config.cpu_cfs_quota,
            page_sizes=[size for size, _ in self._knowledge.traits.huge_pages],
        )

    async def refresh(self) -> None:
        """Bring the cgroups of the classes and of all pods up to date."""
        aside, traits = reserved(self._config), self._knowledge.traits
        cpus = max(traits.cpus * NANO - aside.get("cpu", 0), 0)
        wanted = {
            "Guaranteed": CgroupLimits(
                shares=cpu_shares(whole("cpu", cpus)),
                memory_bytes=max(traits.memory_bytes - aside.get("memory", 0) // NANO, 0),
            ),
            "Burstable": CgroupLimits(shares=burstable_shares(s.pod for s in self._states() if not s.over)),
            "BestEffort": CgroupLimits(),
        }
        for tier, limits in wanted.items():
            name = tier_cgroup(tier, self._config.cgroup_root, traits.cgroup_driver)
            if self._written.get(name) != limits and await self._write(name, limits):
                self._written[name] = limits

    async def _write(self, name: str, limits: CgroupLimits) -> bool:
        try:
            await self._writer.write(name, limits, self._knowledge.traits.cgroup_version)
        except OSError as error:
            if not self._refused:
                self._refused = True
                log.warning("cgroups of pods are not limited here, only those of containers: %s", error)
            return False
        return True
