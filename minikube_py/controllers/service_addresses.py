"""An IPAddress object for each cluster IP: made for every Service, released with it, repaired when it is wrong.

The API server gives addresses out from what the Services themselves hold; these objects show it, and keep others from
using an address twice: one that somebody else has made is not given to a Service. Objects that are not ours
(label ipaddress.kubernetes.io/managed-by) stay; a Service that has such an address is told by an Event.

Upstream: registry/core/service/ipallocator (creation), registry/core/service/ipallocator/controller (repair).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from minikube_py.api.resources import IP_ADDRESSES, SERVICES
from minikube_py.api.rules.network_addresses import FAMILY_LABEL, MANAGED_LABEL, SERVICE_MANAGER
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import NOTHING, Create, Delete, Failure, Item, Listers, Plan, Record, Target
from minikube_py.controllers.spec import ControllerSpec, Index, Watch

CLUSTER_IP = "controllers/cluster-ip"
"""Each cluster IP of a Service."""


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address: its object, and the Service that holds it (the oldest, should there be several)."""

    ip: str
    address: Obj | None
    service: Obj | None


def cluster_ips(service: Obj) -> Sequence[str]:
    """Return the addresses that a Service holds."""
    spec = service.get("spec") or {}
    found = dict.fromkeys((*(spec.get("clusterIPs") or ()), spec.get("clusterIP")))
    return tuple(str(ip) for ip in found if ip and ip != "None")


def observe(listers: Listers, item: Item, failure: Failure | None) -> AddressView | None:
    """Look up who holds an address, and its object."""
    ip = item.key.name
    holders = [service for service in listers.by_index(SERVICES, CLUSTER_IP, ip) if not is_deleting(service)]
    holders.sort(key=lambda service: (metadata(service).get("creationTimestamp") or "", key_of(service)))
    address = listers.get(IP_ADDRESSES, ObjectKey("", ip))
    if address is None and not holders:
        return None
    return AddressView(ip, address, holders[0] if holders else None)


def reconcile(seen: AddressView, now_s: float) -> Plan:
    """Make, release or repair the object of an address."""
    if seen.address is None:
        assert seen.service is not None
        return Plan((Create(IP_ADDRESSES, build_address(seen.ip, seen.service), exists_is_fine=True),))
    if is_deleting(seen.address):
        return NOTHING
    ours = labels_of(seen.address).get(MANAGED_LABEL) == SERVICE_MANAGER
    if seen.service is None:
        return _release(seen.address) if ours else NOTHING
    given = (seen.address.get("spec") or {}).get("parentRef") or {}
    if {field: value for field, value in given.items() if value} == _parent(seen.service):
        return NOTHING
    where = f"{namespace_of(seen.service)}/{name_of(seen.service)}"
    message = f"IPAddress {seen.ip} of Service {where} belongs to something else"
    told = Record(seen.service, "Warning", "IPAddressWrongReference", message)
    return Plan((told, *(_release(seen.address).actions if ours else ())))


def _release(address: Obj) -> Plan:
    return Plan((Delete(IP_ADDRESSES, Target(key_of(address), uid_of(address))),))


def _parent(service: Obj) -> Obj:
    return {"resource": SERVICES.plural, "namespace": namespace_of(service), "name": name_of(service)}


def build_address(ip: str, service: Obj) -> Obj:
    """Return the object of an address that a Service holds."""
    family = "IPv6" if ":" in ip else "IPv4"
    return {
        "apiVersion": IP_ADDRESSES.api_version,
        "kind": IP_ADDRESSES.kind,
        "metadata": {"name": ip, "labels": {FAMILY_LABEL: family, MANAGED_LABEL: SERVICE_MANAGER}},
        "spec": {"parentRef": _parent(service)},
    }


def _item(ip: str) -> Item:
    return Item(IP_ADDRESSES.qualified, ObjectKey("", ip))


def _items_of_service(change: Change, listers: Listers) -> Sequence[Item]:
    before = cluster_ips(change.old) if change.old is not None else ()
    after = cluster_ips(change.new) if change.new is not None else ()
    if before == after and change.new is not None and not is_deleting(change.new):
        return ()
    return [_item(ip) for ip in dict.fromkeys((*before, *after))]


def spec() -> ControllerSpec[AddressView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="service-addresses",
        component="ipallocator-repair-controller",
        watches=(
            Watch(SERVICES, _items_of_service),
            Watch(IP_ADDRESSES, lambda change, listers: (_item(name_of(change.latest)),)),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(Index(SERVICES, CLUSTER_IP, cluster_ips),),
    )
