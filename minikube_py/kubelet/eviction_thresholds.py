"""Eviction thresholds: what the kubelet's flags mean, and how much of a signal each of them asks for.

`memory.available<100Mi` means: when less than that is available, pods are evicted. A percentage is of the capacity.
Hard thresholds act at once; soft ones after a grace period. A minimum reclaim is added once a threshold was met, so
that the node does not swing around it. 0% and 100% switch a signal off.

Upstream: kubelet/eviction/helpers.go (ParseThresholdConfig), eviction/api/types.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack, unpack

from minikube_py.api.quantity import NANO, Quantity, QuantityError, parse_quantity
from minikube_py.kit.durations import parse_duration

MEMORY, ALLOCATABLE_MEMORY = "memory.available", "allocatableMemory.available"
NODE_FS, NODE_INODES = "nodefs.available", "nodefs.inodesFree"
IMAGE_FS, IMAGE_INODES = "imagefs.available", "imagefs.inodesFree"
PIDS = "pid.available"

CONDITION_OF: Mapping[str, str] = {
    MEMORY: "MemoryPressure",
    ALLOCATABLE_MEMORY: "MemoryPressure",
    NODE_FS: "DiskPressure",
    NODE_INODES: "DiskPressure",
    IMAGE_FS: "DiskPressure",
    IMAGE_INODES: "DiskPressure",
    PIDS: "PIDPressure",
}
"""Signal -> the node's condition."""
RESOURCE_OF: Mapping[str, str] = {
    MEMORY: "memory",
    ALLOCATABLE_MEMORY: "memory",
    NODE_FS: "ephemeral-storage",
    NODE_INODES: "inodes",
    IMAGE_FS: "ephemeral-storage",
    IMAGE_INODES: "inodes",
    PIDS: "pids",
}
"""Signal -> the resource that is named in messages."""
SIGNALS = tuple(signal for signal in CONDITION_OF if signal != ALLOCATABLE_MEMORY)
Texts = tuple[tuple[str, str], ...]
"""(signal, text) as the flags give them."""


class ThresholdError(ValueError):
    """A flag that cannot be used; the message names signal and value."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity, or a part of the capacity (0 to 1)."""

    quantity: Quantity | None = None
    part: float = 0.0

    def of(self, capacity: int) -> Quantity:
        """Return the quantity that it is of a capacity in whole units."""
        return self.quantity or Quantity(int(capacity * self.part) * NANO, "BinarySI")


@dataclass(frozen=True, slots=True)
class Threshold:
    """Less than `amount` of a signal is too little."""

    signal: str
    amount: Amount
    grace_s: float = 0.0
    """How long it must last; 0: a hard threshold."""
    reclaim: Amount = Amount(Quantity(0))

    @property
    def is_hard(self) -> bool:
        """Return whether it acts at once."""
        return self.grace_s == 0.0

    def is_met(self, available: int, capacity: int, *, with_reclaim: bool) -> bool:
        """Return whether too little is available (with `with_reclaim`: even less than was to be won back)."""
        wanted = self.amount.of(capacity).nano
        if with_reclaim:
            wanted += self.reclaim.of(capacity).nano
        return wanted > available * NANO


def parse_amount(signal: str, text: str) -> Amount | None:
    """Return a threshold's amount; None when it is switched off.

    Raises:
        ThresholdError: no such signal, or no quantity or percentage above 0.
    """
    if signal not in SIGNALS:
        raise ThresholdError(f"unsupported eviction signal {signal}; there are {', '.join(SIGNALS)}")
    if text.endswith("%"):
        if text in ("0%", "100%"):
            return None
        try:
            part = _float32(float(text[:-1])) / 100
        except ValueError:
            raise ThresholdError(f"{signal}: {text!r} is not a percentage") from None
        if not 0 < part <= 1:
            raise ThresholdError(f"{signal}: {text!r} must be between 0% and 100%")
        return Amount(part=_float32(part))
    try:
        quantity = parse_quantity(text)
    except QuantityError as error:
        raise ThresholdError(f"{signal}: {text!r}: {error}") from None
    if quantity.nano <= 0:
        raise ThresholdError(f"eviction threshold {signal} must be positive: {text}")
    return Amount(quantity)


def _float32(value: float) -> float:
    """Round as upstream's float32 does: the bytes of a percentage come out the same."""
    rounded: float = unpack("f", pack("f", value))[0]
    return rounded


def parse_thresholds(hard: Texts, soft: Texts, grace: Texts, reclaim: Texts) -> tuple[Threshold, ...]:
    """Return all thresholds, hard ones first; the hard one of memory also guards all pods together.

    Raises:
        ThresholdError: a flag cannot be used, or a soft threshold has no grace period.
        DurationError: a grace period is no duration.
    """
    reclaims = {signal: _reclaim(signal, text) for signal, text in reclaim}
    graces = {signal: parse_duration(text) for signal, text in grace}
    found: list[Threshold] = []
    for signal, text in hard:
        amount = parse_amount(signal, text)
        if amount is not None:
            found.append(Threshold(signal, amount, 0.0, reclaims.get(signal, Amount(Quantity(0)))))
    for signal, text in soft:
        amount = parse_amount(signal, text)
        if signal not in graces:
            raise ThresholdError(f"grace period must be specified for the soft eviction threshold {signal}")
        if amount is not None:
            found.append(Threshold(signal, amount, graces[signal], reclaims.get(signal, Amount(Quantity(0)))))
    together = [
        Threshold(ALLOCATABLE_MEMORY, t.amount, 0.0, t.reclaim) for t in found if t.signal == MEMORY and t.is_hard
    ]
    return (*found, *together)


def _reclaim(signal: str, text: str) -> Amount:
    if text in ("0", "0%"):
        return Amount(Quantity(0))
    return parse_amount(signal, text) or Amount(part=1.0)


def hard_reservation(hard: Texts, signal: str, capacity: int) -> int:
    """Return how much of a capacity a hard threshold keeps from pods, in whole units.

    Raises:
        ThresholdError: the flag cannot be used.
    """
    amounts = [parse_amount(name, text) for name, text in hard if name == signal]
    return max((amount.of(capacity).value for amount in amounts if amount is not None), default=0)
