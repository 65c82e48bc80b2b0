"""What every part of an agent needs of its host."""

from dataclasses import dataclass
from random import Random, SystemRandom

from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.io.supervisor import Health
from minikube_py.kit.io.system_clock import SystemClock, system_ids


@dataclass(frozen=True, slots=True)
class Host:
    """Time, randomness, ids, and the table of who fares how."""

    clock: Clock
    ids: Ids
    rng: Random
    health: dict[str, Health]


def this_host() -> Host:
    """Return the real ones, with nobody in the table yet."""
    return Host(SystemClock(), system_ids(), SystemRandom(), {})
