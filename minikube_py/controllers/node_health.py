"""When a node was last heard of, by the clock of who listens.

Clocks of nodes differ, so what counts is when its lease or its status *changed* here, not the time written in it.
Who has not looked cannot judge: when this process itself stood still (suspended, overloaded, its clock set forward),
every node gets a fresh grace period.

Upstream: node lifecycle controller (nodeHealthData, probeTimestamp).
"""

from collections.abc import Hashable
from dataclasses import dataclass

STALLED_PERIODS = 4
"""A gap of so many periods between two looks says: it was us who stood still."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last sign of life, when it came, and when we last looked."""

    sign: Hashable
    heard_s: float
    looked_s: float


class NodeHealth:
    """Remembers the last sign of life of each node, looked at once a period; bounded by the number of nodes."""

    def __init__(self, period_s: float) -> None:
        self._stalled_s = STALLED_PERIODS * period_s
        self._heard: dict[str, Heard] = {}

    def look(self, name: str, sign: Hashable, now_s: float) -> Heard:
        """Note a node's present sign (renewTime, heartbeat) and return when it last changed."""
        before = self._heard.get(name)
        heard_s = now_s
        if before is not None and before.sign == sign and 0 <= now_s - before.looked_s <= self._stalled_s:
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
