"""Which keys have had their time: Events live for an hour, and never more of them than a bound; pure.

A key's time begins again with every write (upstream: a lease on the key, kube-apiserver's --event-ttl). There is no
timer: the store asks after each of its commits, and the renewals of node Leases come every few seconds.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.store.interface import StoreEvent

BATCH_MAX = 100
"""Keys that are let go at once, so that a commit stays short; more go with the next ones."""


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """How long keys under `prefix` live after their last write, and how many there may be (the oldest go first)."""

    prefix: str
    after_s: float
    keys_max: int


class Expiry:
    """The keys under one rule, in the order of their last write."""

    def __init__(self, rule: ExpiryRule) -> None:
        self._rule = rule
        self._written_s: OrderedDict[str, float] = OrderedDict()

    def note(self, events: Sequence[StoreEvent], now_s: float) -> None:
        """Take over what was written or deleted."""
        for event in events:
            if not event.key.startswith(self._rule.prefix):
                continue
            self._written_s.pop(event.key, None)
            if event.entry is not None:
                self._written_s[event.key] = now_s

    def due(self, now_s: float) -> tuple[str, ...]:
        """Return keys that are to be deleted now, the oldest first, at most BATCH_MAX."""
        surplus = len(self._written_s) - self._rule.keys_max
        keys: list[str] = []
        for key, written_s in self._written_s.items():
            if len(keys) == BATCH_MAX or (len(keys) >= surplus and now_s - written_s < self._rule.after_s):
                break
            keys.append(key)
        return tuple(keys)
