"""Which cluster IPs and node ports are taken, kept up to date from the store, with what is being written just now."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from minikube_py.api.meta import Obj, labels_of, name_of
from minikube_py.api.resource import Fields
from minikube_py.api.resources import IP_ADDRESSES, SERVICE_CIDRS, SERVICES
from minikube_py.api.rules.network_addresses import MANAGED_LABEL, SERVICE_MANAGER
from minikube_py.apiserver.allocators import NOTHING, Held, allocate, held_by
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.decisions import Complete
from minikube_py.apiserver.service_ranges import Ranges, Rng, ready_networks
from minikube_py.store.interface import Entry, Store, StoreEvent


def ranges_of(config: ApiServerConfig) -> Ranges:
    """Return the ranges that a server is configured with; further ServiceCIDRs add to them."""
    first, last = config.service_node_port_range
    reserved = frozenset({config.cluster_dns}) if config.cluster_dns else frozenset()
    return Ranges((IPv4Network(config.service_cluster_ip_range),), first, last, reserved)


class ServiceAllocation:
    """Gives addresses and ports; one for each store of Services.

    Each address is counted once for the stored Service that has it and once for each reservation, so that it stays
    taken while a write passes from one to the other.
    """

    def __init__(self, store: Store, ranges: Ranges, rng: Rng) -> None:
        (self._configured,) = ranges.networks
        self._ranges = ranges
        self._service_cidrs = {entry.key: decode(entry) for entry in store.range(SERVICE_CIDRS.storage_prefix)}
        self._choose_networks()
        self._rng = rng
        self._ips: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()
        for entry in store.range(SERVICES.storage_prefix):
            self.keep(_held_by(entry))
        for entry in store.range(IP_ADDRESSES.storage_prefix):
            self.keep(_held_by_others(entry))
        store.on_commit(self._follow)

    def has_ip(self, ip: str) -> bool:
        """Return whether a Service has this address (allocators.Taken)."""
        return ip in self._ips

    def has_port(self, number: int) -> bool:
        """Return whether a Service has this node port (allocators.Taken)."""
        return number in self._ports

    @contextmanager
    def holding(self) -> Iterator[Complete]:
        """Give Services what they need, and hold what one write is given until it is committed."""
        with Reservation(self) as reservation:
            yield reservation.complete

    def _follow(self, events: Sequence[StoreEvent]) -> None:
        for event in events:
            if event.key.startswith(SERVICES.storage_prefix):
                self.keep(_held_by(event.entry))
                self.release(_held_by(event.previous))
            elif event.key.startswith(IP_ADDRESSES.storage_prefix):
                self.keep(_held_by_others(event.entry))
                self.release(_held_by_others(event.previous))
            elif event.key.startswith(SERVICE_CIDRS.storage_prefix):
                self._service_cidrs.pop(event.key, None)
                if event.entry is not None:
                    self._service_cidrs[event.key] = decode(event.entry)
                self._choose_networks()

    def _choose_networks(self) -> None:
        networks = ready_networks(self._service_cidrs.values(), self._configured)
        self._ranges = replace(self._ranges, networks=networks)

    def give(self, new: Obj, old: Mapping[str, Any] | None) -> tuple[Fields, Held]:
        """Give a Service what it needs; returns the faults, and what it has now to be kept reserved."""
        faults = allocate(new, old, self, self._ranges, self._rng)
        return faults, NOTHING if faults else held_by(new)

    def keep(self, held: Held) -> None:
        """Count these as taken once more."""
        self._ips.update(held.ips)
        self._ports.update(held.node_ports)

    def release(self, held: Held) -> None:
        """Count these as taken once less."""
        _subtract(self._ips, held.ips)
        _subtract(self._ports, held.node_ports)


def _held_by(entry: Entry | None) -> Held:
    return NOTHING if entry is None else held_by(decode(entry))


def _held_by_others(entry: Entry | None) -> Held:
    """Return the address of an IPAddress that does not follow a Service: it is not given to one."""
    if entry is None:
        return NOTHING
    obj = decode(entry)
    return NOTHING if labels_of(obj).get(MANAGED_LABEL) == SERVICE_MANAGER else Held(frozenset({name_of(obj)}))


def _subtract(counter: Counter[Any], values: frozenset[Any]) -> None:
    for value in values:
        counter[value] -= 1
        if counter[value] <= 0:
            del counter[value]


class Reservation:
    """What one write was given; `with` releases it when the write has ended, well or not."""

    def __init__(self, allocation: ServiceAllocation) -> None:
        self._allocation = allocation
        self._kept = NOTHING

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        self._allocation.release(self._kept)
        self._kept = NOTHING

    def complete(self, new: Obj, old: Mapping[str, Any] | None) -> Fields:
        """Give (a decisions.Complete); a second try of the same write gives up what the first was given."""
        self.__exit__()
        faults, self._kept = self._allocation.give(new, old)
        self._allocation.keep(self._kept)
        return faults
