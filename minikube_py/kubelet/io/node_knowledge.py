"""What the node loop learnt about this host, as the pods' workers need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from minikube_py.api.meta import Obj
from minikube_py.kubelet.container_config import NodeTraits


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
