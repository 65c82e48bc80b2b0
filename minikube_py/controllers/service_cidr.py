"""ServiceCIDRs: which range is ready, and none goes while addresses in it are held.

The API server gives addresses from every range that is ready. One that is being deleted stays until no IPAddress of
it is left that no other range covers, and for a while in any case: API servers that have not heard of the deletion
may still give an address from it.

Upstream: pkg/controller/servicecidrs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    copy_object,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    parse_time,
    uid_of,
)
from minikube_py.api.resources import IP_ADDRESSES, SERVICE_CIDRS
from minikube_py.api.rules.network_addresses import MANAGED_LABEL, SERVICE_MANAGER
from minikube_py.client.interface import Change
from minikube_py.controllers.conditions import Condition, find_condition, set_condition
from minikube_py.controllers.plan import NOTHING, Failure, Item, Listers, Patch, Plan, Update, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch

DELETION_GRACE_S = 10.0
"""So long after its deletion a range stays at least (upstream: deletionGracePeriod)."""
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
READY = "Ready"


@dataclass(frozen=True, slots=True)
class CidrView:
    """A range; `held`: an address in it that no other range covers, empty when there is none."""

    service_cidr: Obj
    held: str = ""


def observe(listers: Listers, item: Item, failure: Failure | None) -> CidrView | None:
    """Look for addresses that keep a range which is being deleted."""
    found = listers.get(SERVICE_CIDRS, item.key)
    if found is None:
        return None
    if not is_deleting(found):
        return CidrView(found)
    others = [cidr for cidr in listers.list(SERVICE_CIDRS) if cidr is not found and not is_deleting(cidr)]
    ours = (a for a in listers.list(IP_ADDRESSES) if labels_of(a).get(MANAGED_LABEL) == SERVICE_MANAGER)
    held = (name_of(address) for address in ours)
    return CidrView(found, next((ip for ip in held if _covers(found, ip) and not _any_covers(others, ip)), ""))


def _any_covers(cidrs: Sequence[Obj], ip: str) -> bool:
    return any(_covers(cidr, ip) for cidr in cidrs)


def _covers(service_cidr: Obj, ip: str) -> bool:
    return any(ip_address(ip) in ip_network(cidr) for cidr in (service_cidr.get("spec") or {}).get("cidrs") or ())


def reconcile(seen: CidrView, now_s: float) -> Plan:
    """Keep the finalizer and the condition right."""
    found, finalizers = seen.service_cidr, list(metadata(seen.service_cidr).get("finalizers") or ())
    if not is_deleting(found):
        if FINALIZER not in finalizers:
            return _finalizers(found, [*finalizers, FINALIZER])
        return _say(found, Condition(READY, "True", "", "Kubernetes Service CIDR is ready"), now_s)
    if seen.held:
        message = (
            "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
        )
        return _say(found, Condition(READY, "False", "Terminating", message), now_s)
    if FINALIZER not in finalizers:
        return NOTHING
    left_s = parse_time(metadata(found)["deletionTimestamp"]) + DELETION_GRACE_S - now_s
    if left_s > 0:
        return Plan(requeue_after_s=left_s)
    return _finalizers(found, [name for name in finalizers if name != FINALIZER])


def _finalizers(service_cidr: Obj, finalizers: list[str]) -> Plan:
    version = metadata(service_cidr).get("resourceVersion", "")
    patch: Obj = {"metadata": {"resourceVersion": version, "finalizers": finalizers or None}}
    return Plan((Patch(SERVICE_CIDRS, key_of(service_cidr), patch, uid=uid_of(service_cidr)),))


def _say(service_cidr: Obj, wanted: Condition, now_s: float) -> Plan:
    old = service_cidr.get("status") or {}
    current = find_condition(old.get("conditions") or (), READY) or {}
    if (current.get("status"), current.get("message")) == (wanted.status, wanted.message):
        return NOTHING
    changed = copy_object(service_cidr)
    conditions = set_condition(old.get("conditions") or (), wanted, now_s, force=True)
    changed["status"] = {**old, "conditions": list(conditions)}
    return Plan((Update(SERVICE_CIDRS, changed, subresource="status"),))


def _items_of_address(change: Change, listers: Listers) -> Sequence[Item]:
    """An address that is released may have been the last one of a range that goes."""
    if change.new is not None:
        return ()
    return [Item(SERVICE_CIDRS.qualified, key_of(cidr)) for cidr in listers.list(SERVICE_CIDRS) if is_deleting(cidr)]


def _items_of_cidr(change: Change, listers: Listers) -> Sequence[Item]:
    """A new range may cover the addresses of one that goes."""
    going = [cidr for cidr in listers.list(SERVICE_CIDRS) if is_deleting(cidr)]
    keys: dict[ObjectKey, None] = dict.fromkeys([latest_item(SERVICE_CIDRS, change).key, *map(key_of, going)])
    return [Item(SERVICE_CIDRS.qualified, key) for key in keys]


def spec() -> ControllerSpec[CidrView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="service-cidr",
        component="service-cidr-controller",
        watches=(Watch(SERVICE_CIDRS, _items_of_cidr), Watch(IP_ADDRESSES, _items_of_address)),
        observe=observe,
        reconcile=reconcile,
        workers_max=1,
    )
