"""What the node loop learnt about this host, as the pods' workers need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from minikube_py.kubelet.container_config import NodeTraits


@dataclass(slots=True)
class NodeKnowledge:
    """Written by the node loop, read by everybody; filled before the first pod is looked at."""

    traits: NodeTraits = field(default_factory=lambda: NodeTraits(0, "cgroupfs", ""))
    allocatable: Mapping[str, str] = field(default_factory=dict)
