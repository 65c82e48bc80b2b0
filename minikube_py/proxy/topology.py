"""Which endpoints of a Service port this node uses.

1. Cluster policy: the ready ones, narrowed to this node or this zone when every ready endpoint carries such a hint
   and one of them names us.
2. No ready endpoint at all: those that still serve while they terminate.
3. Local policy: the same two steps among this node's endpoints, without hints.
4. "No endpoints" means none anywhere: it decides between reject and drop.

Upstream: pkg/proxy topology.go CategorizeEndpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.proxy.endpoints_map import Endpoint


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What hints are compared with."""

    name: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Endpoints for one policy, in a stable order; `last_resort` when all of them terminate."""

    endpoints: tuple[Endpoint, ...]
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Selected:
    """The endpoints for both policies."""

    cluster: Choice
    local: Choice

    @property
    def has_any(self) -> bool:
        """Return whether some endpoint anywhere could serve: whatever a policy leaves is of these."""
        return bool(self.cluster.endpoints)


def select_endpoints(endpoints: Sequence[Endpoint], node: NodeFacts) -> Selected:
    """Return which of `endpoints` connections may be sent to."""
    ready = tuple(endpoint for endpoint in endpoints if endpoint.ready)
    cluster = Choice(_follow_hints(ready, node)) if ready else _last_resort(endpoints)
    local_endpoints = tuple(endpoint for endpoint in endpoints if endpoint.is_local)
    local_ready = tuple(endpoint for endpoint in local_endpoints if endpoint.ready)
    local = Choice(local_ready) if local_ready else _last_resort(local_endpoints)
    return Selected(cluster, local)


def _last_resort(endpoints: Sequence[Endpoint]) -> Choice:
    return Choice(tuple(e for e in endpoints if e.serving and e.terminating), last_resort=True)


def _follow_hints(ready: tuple[Endpoint, ...], node: NodeFacts) -> tuple[Endpoint, ...]:
    if all(endpoint.node_hints for endpoint in ready):
        here = tuple(endpoint for endpoint in ready if node.name in endpoint.node_hints)
        if here:
            return here
    if node.zone and all(endpoint.zone_hints for endpoint in ready):
        in_zone = tuple(endpoint for endpoint in ready if node.zone in endpoint.zone_hints)
        if in_zone:
            return in_zone
    return ready
