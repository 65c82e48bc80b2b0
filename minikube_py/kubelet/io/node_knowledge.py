"""What the node loop learnt about this host, as the pods' workers need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from minikube_py.api.meta import Obj
from minikube_py.kubelet.container_config import NodeTraits
from minikube_py.kubelet.pod_resize import Amounts
from minikube_py.kubelet.resources import memory_bytes, milli_cpu


@dataclass(slots=True)
class NodeKnowledge:
    """Written by the node loop, read by everybody; filled before the first pod is looked at."""

    traits: NodeTraits = field(default_factory=lambda: NodeTraits(0, "cgroupfs", ""))
    allocatable: Mapping[str, str] = field(default_factory=dict)
    node: Obj = field(default_factory=dict)
    """The Node object as the API had it last; empty before the first report."""
    pressures: tuple[str, ...] = ()
    """Conditions that eviction sees, sorted: DiskPressure, MemoryPressure, PIDPressure."""
    shutting_down: bool = False
    """The host shuts down: no pod is taken any more."""
    claims: dict[str, Amounts] = field(default_factory=dict)
    """What each pod that is not over was given, by uid; written by the pods' workers."""

    def claimed_by_others(self, uid: str) -> Amounts:
        """Return what all other pods were given together."""
        return sum((amounts for other, amounts in self.claims.items() if other != uid), Amounts())

    def capacity(self) -> Amounts:
        """Return what pods can have of this node."""
        return Amounts(milli_cpu(self.allocatable), memory_bytes(self.allocatable))
