"""When a node was last heard of, by the clock of who listens.

Clocks of nodes differ, so what counts is when its lease or its status *changed* here, not the time written in it.
Who has not looked cannot judge: when this process itself stood still (suspended, overloaded, its clock set forward),
every node gets a fresh grace period.

Upstream: node lifecycle controller (nodeHealthData, probeTimestamp).
"""

from collections.abc import Hashable
from dataclasses import dataclass

LOOK_EVERY_S = 5.0
"""How often a node is looked at (upstream: --node-monitor-period); more often when the grace period is short."""
STALLED_S = 4 * LOOK_EVERY_S
"""A gap between two looks that says: it was us who stood still."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last sign of life, when it came, and when we last looked."""

    sign: Hashable
    heard_s: float
    looked_s: float


class NodeHealth:
    """Remembers the last sign of life of each node; bounded by the number of nodes."""

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}

    def look(self, name: str, sign: Hashable, now_s: float) -> Heard:
        """Note a node's present sign (renewTime, heartbeat) and return when it last changed."""
        before = self._heard.get(name)
        heard_s = now_s
        if before is not None and before.sign == sign and 0 <= now_s - before.looked_s <= STALLED_S:
            heard_s = before.heard_s
        heard = Heard(sign, heard_s, now_s)
        self._heard[name] = heard
        return heard

    def is_known(self, name: str) -> bool:
        """Return whether the node was looked at before."""
        return name in self._heard

    def forget(self, name: str) -> None:
        """Forget a node that is gone."""
        self._heard.pop(name, None)
