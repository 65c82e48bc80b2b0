"""How fast nodes that are not Ready may be given up: one after another in each zone, and never all of the cluster.

When many nodes fall silent at once it is likelier that the network is broken, or we are, than that all have died. So
the NoExecute taint, which lets pods go, is given at a rate for each zone; slower, or not at all, when most of a zone
is gone; and taken back everywhere when no node of the cluster is Ready.

Upstream: pkg/controller/nodelifecycle (ComputeZoneState, handleDisruption, RateLimitedTimedQueue, burst one).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import labels_of
from minikube_py.controllers.config import ControllersConfig

Zone = tuple[str, str]
"""Region and zone, empty where the node names none."""
_PARTIAL_MIN = 3
"""Fewer nodes than this that are not Ready are never a disruption of their zone."""


@dataclass(frozen=True, slots=True)
class ZoneView:
    """How many nodes of a zone are Ready, and whether any node of the cluster is."""

    zone: Zone
    ready: int
    not_ready: int
    any_ready: bool


def zone_of(node: Mapping[str, Any]) -> Zone:
    """Return a node's region and zone."""
    labels = labels_of(node)
    return labels.get("topology.kubernetes.io/region", ""), labels.get("topology.kubernetes.io/zone", "")


def view_zone(zone: Zone, nodes: Iterable[tuple[Zone, bool]]) -> ZoneView:
    """Count the nodes, given as (zone, is Ready)."""
    ready = not_ready = 0
    any_ready = False
    for other, is_ready in nodes:
        any_ready = any_ready or is_ready
        if other == zone:
            ready, not_ready = ready + is_ready, not_ready + (not is_ready)
    return ZoneView(zone, ready, not_ready, any_ready)


def eviction_rate(seen: ZoneView, config: ControllersConfig) -> float:
    """Return how many nodes of the zone may be given up in a second; 0: none."""
    if not seen.any_ready:
        return 0.0
    total = seen.ready + seen.not_ready
    disrupted = (
        seen.ready > 0
        and seen.not_ready >= _PARTIAL_MIN
        and seen.not_ready / total >= config.unhealthy_zone_threshold
    )
    if not disrupted:
        return config.node_eviction_rate
    return config.secondary_node_eviction_rate if total > config.large_cluster_size_threshold else 0.0


class EvictionPace:
    """Gives turns, one zone for itself; bounded by the number of zones."""

    def __init__(self) -> None:
        self._given_s: dict[Zone, float] = {}

    def take_turn(self, zone: Zone, rate: float, now_s: float) -> bool:
        """Return whether one more node of the zone may be given up now."""
        if rate <= 0:
            return False
        before_s = self._given_s.get(zone)
        if before_s is not None and 0 <= now_s - before_s < 1 / rate:
            return False
        self._given_s[zone] = now_s
        return True
