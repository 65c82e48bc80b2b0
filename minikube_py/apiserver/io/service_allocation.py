"""Which cluster IPs and node ports are taken, kept up to date from the store, with what is being written just now."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Fields
from minikube_py.api.resources import SERVICES
from minikube_py.apiserver.allocators import NOTHING, Held, Ranges, Rng, allocate, held_by
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.store.interface import Store, StoreEvent


def ranges_of(config: ApiServerConfig) -> Ranges:
    """Return the ranges that a server is configured with."""
    first, last = config.service_node_port_range
    reserved = frozenset({config.cluster_dns}) if config.cluster_dns else frozenset()
    return Ranges(IPv4Network(config.service_cluster_ip_range), first, last, reserved)


class ServiceAllocation:
    """Gives addresses and ports; one for each store of Services."""

    def __init__(self, store: Store, ranges: Ranges, rng: Rng) -> None:
        self._ranges = ranges
        self._rng = rng
        self._held: dict[str, Held] = {}
        self._taken = NOTHING
        self._reserved: list[Held] = []
        for entry in store.range(SERVICES.storage_prefix):
            self._held[entry.key] = held_by(decode(entry))
        self._sum_up()
        store.on_commit(self._follow)

    def reservation(self) -> "Reservation":
        """Return a place to keep what one write is given until it is committed."""
        return Reservation(self)

    def _follow(self, events: Sequence[StoreEvent]) -> None:
        changed = False
        for event in events:
            if not event.key.startswith(SERVICES.storage_prefix):
                continue
            changed = True
            if event.entry is None:
                self._held.pop(event.key, None)
            else:
                self._held[event.key] = held_by(orjson.loads(event.entry.value))
        if changed:
            self._sum_up()

    def _sum_up(self) -> None:
        self._taken = Held(
            frozenset(ip for held in self._held.values() for ip in held.ips),
            frozenset(port for held in self._held.values() for port in held.node_ports),
        )

    def give(self, new: Obj, old: Mapping[str, Any] | None) -> tuple[Fields, Held]:
        """Give a Service what it needs; returns the faults, and what it has now to be kept reserved."""
        taken = self._taken
        for reserved in self._reserved:
            taken |= reserved
        faults = allocate(new, old, taken, self._ranges, self._rng)
        return faults, NOTHING if faults else held_by(new)

    def keep(self, held: Held) -> None:
        """Reserve until `release`."""
        self._reserved.append(held)

    def release(self, held: Held) -> None:
        """End a reservation."""
        self._reserved.remove(held)


class Reservation:
    """What one write was given; `with` releases it when the write has ended, well or not."""

    def __init__(self, allocation: ServiceAllocation) -> None:
        self._allocation = allocation
        self._kept: list[Held] = []

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._kept:
            self._allocation.release(held)
        self._kept.clear()

    def complete(self, new: Obj, old: Mapping[str, Any] | None) -> Fields:
        """Give (a decisions.Complete); a second try of the same write gives up what the first was given."""
        self.__exit__()
        faults, held = self._allocation.give(new, old)
        if held != NOTHING:
            self._allocation.keep(held)
            self._kept.append(held)
        return faults
