"""Cluster IPs and node ports of Services: who has which, and what a new or changed Service gets.

What is taken is read from the Services themselves, so nothing can leak or disagree after a restart. Between the
decision and the commit the writer keeps a reservation (`io/service_allocation`), so that two creations that wait for
the disk at the same time do not get the same address.

Invariants: no two Services have the same cluster IP; no two have the same node port, and inside one Service a node
port may serve TCP and UDP; a Service keeps what it has as long as its type needs it.

Upstream: registry/core/service/storage/alloc.go.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Fields
from minikube_py.api.rules.service_update import needs_health_port
from minikube_py.apiserver.service_ranges import Ranges, Rng, Taken, free_ip, free_port

NO_IP = "None"
_FAMILY = "IPv4"
"""The addresses that a cluster's Services have."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one Service has."""

    ips: frozenset[str] = frozenset()
    node_ports: frozenset[int] = frozenset()

    def has_ip(self, ip: str) -> bool:
        """Return whether this address is held."""
        return ip in self.ips

    def has_port(self, number: int) -> bool:
        """Return whether this node port is held."""
        return number in self.node_ports


NOTHING = Held()


def held_by(service: Mapping[str, Any]) -> Held:
    """Return the cluster IPs and node ports that a stored Service has."""
    spec = service.get("spec") or {}
    ips = [*(spec.get("clusterIPs") or ()), spec.get("clusterIP")]
    ports = [port.get("nodePort") for port in spec.get("ports") or ()] + [spec.get("healthCheckNodePort")]
    return Held(
        frozenset(ip for ip in ips if ip and ip != NO_IP),
        frozenset(int(port) for port in ports if port),
    )


def allocate(service: Obj, old: Mapping[str, Any] | None, taken: Taken, ranges: Ranges, rng: Rng) -> Fields:
    """Give a Service what its type needs; the (private) object is changed in place.

    Args:
        service: the Service about to be stored, defaulted.
        old: what is stored, on update.
        taken: what all other Services have.
        ranges: from where to give.
        rng: chooses; upstream chooses at random too, so that an address is not reused at once.

    Returns:
        The faults: an address or port asked for that is taken or outside its range.
    """
    spec = service.setdefault("spec", {})
    kept = held_by(old) if old is not None else NOTHING
    if faults := _family_faults(spec):
        return faults
    return (*_allocate_ip(spec, kept, taken, ranges, rng), *_allocate_ports(spec, kept, taken, ranges, rng))


def _family_faults(spec: Mapping[str, Any]) -> Fields:
    """Return the faults of asking for address families that the cluster does not have."""
    headless = NO_IP in (spec.get("clusterIPs") or ())
    if spec.get("type") == "ExternalName" or (headless and not spec.get("selector")):
        return ()
    faults: list[FieldError] = []
    if (policy := spec.get("ipFamilyPolicy")) == "RequireDualStack":
        detail = "this cluster is not configured for dual-stack services"
        faults.append(FieldError("FieldValueInvalid", "spec.ipFamilyPolicy", detail, policy))
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family != _FAMILY:
            detail = "not configured on this cluster"
            faults.append(FieldError("FieldValueInvalid", f"spec.ipFamilies[{index}]", detail, family))
    return tuple(faults)


def _allocate_ip(spec: Obj, kept: Held, taken: Taken, ranges: Ranges, rng: Rng) -> Fields:
    if spec.get("type") == "ExternalName":
        return ()
    asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    if asked == NO_IP or asked in kept.ips:
        spec["clusterIP"], spec["clusterIPs"] = asked, spec.get("clusterIPs") or [asked]
        return ()
    if asked:
        why = _ip_fault(asked, taken, ranges)
    else:
        asked = free_ip(taken, ranges, rng)
        why = "" if asked else "range is full"
    if why:
        shown = _Shown(f'["{asked}"]' if asked else "[]")
        return (FieldError("FieldValueInvalid", "spec.clusterIPs", f"failed to allocate IP {asked}: {why}", shown),)
    spec["clusterIP"], spec["clusterIPs"] = asked, [asked]
    return ()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A value that is shown in a message without quotes around it."""

    text: str

    def __str__(self) -> str:
        return self.text


def _ip_fault(asked: str, taken: Taken, ranges: Ranges) -> str:
    try:
        fits = ranges.usable(IPv4Address(asked))
    except ValueError:
        fits = False
    if not fits:
        return "the provided network does not match the current range"
    return "provided IP is already allocated" if taken.has_ip(asked) else ""


def _allocate_ports(spec: Obj, kept: Held, taken: Taken, ranges: Ranges, rng: Rng) -> Fields:
    if not _needs_node_ports(spec):
        return ()
    ports: Sequence[Obj] = spec.get("ports") or ()
    asked = {int(port["nodePort"]) for port in ports if port.get("nodePort")}
    faults: list[FieldError] = []
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}].nodePort"
        if number := port.get("nodePort"):
            why = "" if number in kept.node_ports else _port_fault(int(number), taken, ranges)
            if why:
                faults.append(FieldError("FieldValueInvalid", field, why, number))
            continue
        shared = _shared_port(port, ports)
        given = shared or free_port(taken, asked, ranges, rng)
        if not given:
            faults.append(FieldError("InternalError", field, "failed to allocate a nodePort: range is full"))
            continue
        port["nodePort"] = given
        asked.add(given)
    faults.extend(_allocate_health_port(spec, kept, taken, asked, (ranges, rng)))
    return tuple(faults)


def _needs_node_ports(spec: Mapping[str, Any]) -> bool:
    if spec.get("type") == "LoadBalancer":
        wanted = spec.get("allocateLoadBalancerNodePorts", True)
        return bool(wanted) or any(port.get("nodePort") for port in spec.get("ports") or ())
    return spec.get("type") == "NodePort"


def _shared_port(port: Mapping[str, Any], ports: Sequence[Mapping[str, Any]]) -> int:
    """Return the node port of the same port number with another protocol (53/TCP and 53/UDP get one)."""
    for other in ports:
        same = other is not port and other.get("port") == port.get("port")
        if same and other.get("protocol") != port.get("protocol") and other.get("nodePort"):
            return int(other["nodePort"])
    return 0


def _port_fault(number: int, taken: Taken, ranges: Ranges) -> str:
    first, last = ranges.first_node_port, ranges.last_node_port
    if not first <= number <= last:
        return f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
    return "provided port is already allocated" if taken.has_port(number) else ""


def _allocate_health_port(spec: Obj, kept: Held, taken: Taken, asked: Set[int], source: tuple[Ranges, Rng]) -> Fields:
    """Give a load balancer with externalTrafficPolicy Local the port on which it asks nodes for their endpoints."""
    if not needs_health_port(spec):
        return ()
    ranges, rng = source
    field = "spec.healthCheckNodePort"
    if number := spec.get("healthCheckNodePort"):
        why = "" if number in kept.node_ports else _port_fault(int(number), taken, ranges)
        return (FieldError("FieldValueInvalid", field, why, number),) if why else ()
    given = free_port(taken, asked, ranges, rng)
    if not given:
        return (FieldError("InternalError", field, "failed to allocate a nodePort: range is full"),)
    spec["healthCheckNodePort"] = given
    return ()
