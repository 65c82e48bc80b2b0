"""Endpoints, the older form of EndpointSlices: one object for each Service, its addresses grouped by their ports.

Written because clients still read them; nothing of ours does. Pods that are going away are left out, other than in
EndpointSlices. Beyond ADDRESSES_MAX addresses the rest is left out and the object says so.

Upstream: pkg/controller/endpoint and api/endpoints (RepackSubsets).
"""

from dataclasses import dataclass

from minikube_py.api.meta import (
    Obj,
    annotations_of,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from minikube_py.api.resources import ENDPOINTS, PODS, SERVICES
from minikube_py.controllers.endpointslice import Ports, build_ports
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Create,
    Delete,
    Failure,
    Item,
    Listers,
    Plan,
    Target,
    Update,
)
from minikube_py.controllers.pod_state import is_ready, is_terminal
from minikube_py.controllers.service_pods import (
    HEADLESS_LABEL,
    PODS_BY_LABEL,
    SERVICES_BY_SELECTOR,
    TRIGGER_TIME,
    has_endpoints,
    hostname_of,
    is_headless,
    items_of_pod,
    pod_addresses,
    select_pods,
    target_reference,
    trigger_time,
)
from minikube_py.controllers.spec import ControllerSpec, Watch

ADDRESSES_MAX = 1000
"""Addresses in one Endpoints object; more are left out, ready ones last."""
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"


@dataclass(frozen=True, slots=True)
class EndpointsView:
    """`service` None: it is gone, and `endpoints`, if ours, are left over."""

    service: Obj | None
    pods: tuple[Obj, ...]
    endpoints: Obj | None


def observe(listers: Listers, item: Item, failure: Failure | None) -> EndpointsView | None:
    """Collect the Service, its pods and its Endpoints."""
    service = listers.get(SERVICES, item.key)
    endpoints = listers.get(ENDPOINTS, item.key)
    if service is None:
        return EndpointsView(None, (), endpoints) if endpoints is not None else None
    if not has_endpoints(service):
        return None
    return EndpointsView(service, select_pods(listers, service), endpoints)


def reconcile(seen: EndpointsView, now_s: float) -> Plan:
    """Decide whether to write the Endpoints."""
    if seen.service is None:
        ours = seen.endpoints is not None and labels_of(seen.endpoints).get(MANAGED_BY) == MANAGER
        if seen.endpoints is None or not ours:
            return NOTHING
        return Plan((Delete(ENDPOINTS, Target(key_of(seen.endpoints), uid_of(seen.endpoints))),))
    action = _write(seen.service, seen, build_subsets(seen.service, seen.pods))
    return Plan((action,)) if action is not None else NOTHING


def build_subsets(service: Obj, pods: tuple[Obj, ...]) -> list[Obj]:
    """Return the subsets: one for each distinct set of ports, ready and not ready addresses sorted by IP."""
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    family = (service["spec"].get("ipFamilies") or ("IPv4",))[0]
    groups: dict[Ports, tuple[list[Obj], list[Obj]]] = {}
    for pod in pods:
        addresses = pod_addresses(pod, family)
        if not addresses or is_terminal(pod) or (is_deleting(pod) and not published):
            continue
        ports = tuple(sorted(build_ports(service, pod)))
        if not ports and service["spec"].get("ports"):
            continue
        ready, waiting = groups.setdefault(ports, ([], []))
        (ready if published or is_ready(pod) else waiting).append(_address(service, pod, addresses[0]))
    subsets = []
    for ports, (ready, waiting) in sorted(groups.items()):
        subset: Obj = {}
        if ready:
            subset["addresses"] = sorted(ready, key=lambda address: str(address["ip"]))
        if waiting:
            subset["notReadyAddresses"] = sorted(waiting, key=lambda address: str(address["ip"]))
        if ports:
            subset["ports"] = [_port(dict(port)) for port in ports]
        subsets.append(subset)
    return subsets


def _port(port: Obj) -> Obj:
    return {key: value for key, value in port.items() if key != "name" or value}


def _address(service: Obj, pod: Obj, ip: str) -> Obj:
    address: Obj = {"ip": ip}
    more = (("hostname", hostname_of(pod, service)), ("nodeName", (pod.get("spec") or {}).get("nodeName")))
    address |= {field: value for field, value in more if value}
    address["targetRef"] = target_reference(pod)
    return address


def truncated(subsets: list[Obj]) -> list[Obj]:
    """Return the subsets with at most ADDRESSES_MAX addresses, ready ones kept before the others."""
    room = ADDRESSES_MAX
    kept = [dict(subset) for subset in subsets]
    for field in ("addresses", "notReadyAddresses"):
        for subset in kept:
            if field in subset:
                subset[field] = subset[field][:room]
                room -= len(subset[field])
    kept = [{key: value for key, value in subset.items() if value} for subset in kept]
    return [subset for subset in kept if subset.get("addresses") or subset.get("notReadyAddresses")]


def _write(service: Obj, seen: EndpointsView, subsets: list[Obj]) -> Action | None:
    total = sum(len(subset.get(field) or ()) for subset in subsets for field in ("addresses", "notReadyAddresses"))
    over = total > ADDRESSES_MAX
    if over:
        subsets = truncated(subsets)
    labels = {key: value for key, value in labels_of(service).items() if key != HEADLESS_LABEL}
    labels[MANAGED_BY] = MANAGER
    if is_headless(service):
        labels[HEADLESS_LABEL] = ""
    before = seen.endpoints
    old = annotations_of(before) if before is not None else {}
    same_content = before is not None and (before.get("subsets") or []) == subsets
    if (
        same_content
        and before is not None
        and labels_of(before) == labels
        and (old.get(OVER_CAPACITY) is not None) == over
    ):
        return None
    annotations = {key: value for key, value in old.items() if key not in (TRIGGER_TIME, OVER_CAPACITY)}
    if over:
        annotations[OVER_CAPACITY] = "truncated"
    latest = trigger_time(service, seen.pods)
    if latest > old.get(TRIGGER_TIME, ""):
        annotations[TRIGGER_TIME] = latest
    meta: Obj = {key: value for key, value in metadata(before or {}).items() if key != "annotations"}
    meta |= {"name": name_of(service), "namespace": namespace_of(service), "labels": labels}
    if annotations:
        meta["annotations"] = annotations
    obj: Obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta}
    if subsets:
        obj["subsets"] = subsets
    return Create(ENDPOINTS, obj) if before is None else Update(ENDPOINTS, obj)


def spec() -> ControllerSpec[EndpointsView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="endpoints",
        component="endpoint-controller",
        watches=(
            Watch(SERVICES, lambda change, listers: (Item(SERVICES.qualified, key_of(change.latest)),)),
            Watch(PODS, items_of_pod),
            Watch(ENDPOINTS, lambda change, listers: (Item(SERVICES.qualified, key_of(change.latest)),)),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_LABEL, SERVICES_BY_SELECTOR),
    )
