"""EndpointSlices of the Services with a selector.

Packing is stable: an endpoint stays in its slice as long as it lives, so one pod's change writes one slice. New
endpoints go into slices that change anyway, then into one with room for all of them, then into new slices of
ENDPOINTS_MAX. A slice to delete is turned into one to create where there is one. Each IP family of the Service has at
least one slice, be it empty, so that its readers can tell "none" from "not yet".

There is no batching delay: the slice of a deleted pod changes in the same moment, since proxies depend on it.

Upstream: k8s.io/endpointslice reconciler and pkg/controller/endpointslice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.endpoint_slices import SERVICE_NAME_LABEL, service_index
from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    annotations_of,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from minikube_py.api.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES
from minikube_py.client.interface import Change
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
    latest_item,
    owner_reference,
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
    resolve_port,
    select_pods,
    target_reference,
    trigger_time,
)
from minikube_py.controllers.spec import ControllerSpec, Index, Watch
from minikube_py.controllers.traffic_distribution import hints_for

ENDPOINTS_MAX = 100
"""Endpoints in one slice (upstream: --max-endpoints-per-slice)."""
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"
SLICES_OF_SERVICE = "controllers/slices-of-service"

Ports = tuple[tuple[tuple[str, Any], ...], ...]
"""The ports of a slice, hashable."""


@dataclass(frozen=True, slots=True)
class EndpointSliceView:
    """One Service, the pods that it selects, and the slices made for it so far."""

    service: Obj
    pods: tuple[Obj, ...]
    slices: tuple[Obj, ...]
    zones: Mapping[str, str]
    """Node name -> zone, for nodes that have one."""


def observe(listers: Listers, item: Item, failure: Failure | None) -> EndpointSliceView | None:
    """Collect the Service, its pods, their zones and its slices; None when none are made for it."""
    service = listers.get(SERVICES, item.key)
    if service is None or is_deleting(service) or not has_endpoints(service):
        return None
    pods = select_pods(listers, service)
    zones = {}
    for name in sorted({str((pod.get("spec") or {}).get("nodeName", "")) for pod in pods}):
        node = listers.get(NODES, ObjectKey("", name))
        zone = labels_of(node).get(ZONE, "") if node is not None else ""
        if zone:
            zones[name] = zone
    slices = listers.by_index(ENDPOINT_SLICES, SLICES_OF_SERVICE, str(item.key))
    return EndpointSliceView(service, pods, tuple(s for s in slices if not is_deleting(s)), zones)


def reconcile(seen: EndpointSliceView, now_s: float) -> Plan:
    """Decide which slices to create, change and delete."""
    actions: list[Action] = []
    families = tuple(seen.service["spec"].get("ipFamilies") or ("IPv4",))
    for family in families:
        existing = tuple(s for s in seen.slices if s.get("addressType") == family)
        actions += _reconcile_family(seen, family, existing)
    leftover = [s for s in seen.slices if s.get("addressType") not in families]
    actions += [Delete(ENDPOINT_SLICES, Target(key_of(s), uid_of(s))) for s in leftover]
    return Plan(tuple(actions)) if actions else NOTHING


def build_endpoint(service: Obj, pod: Obj, addresses: Sequence[str], zones: Mapping[str, str]) -> Obj:
    """Return the endpoint of one pod."""
    terminating, serving = is_deleting(pod), is_ready(pod)
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint: Obj = {
        "addresses": list(addresses),
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
    }
    node_name = (pod.get("spec") or {}).get("nodeName")
    more = (("hostname", hostname_of(pod, service)), ("nodeName", node_name), ("zone", zones.get(node_name or "")))
    endpoint |= {field: value for field, value in more if value}
    endpoint["targetRef"] = target_reference(pod)
    if hints := hints_for(endpoint, service):
        endpoint["hints"] = hints
    return endpoint


def build_ports(service: Obj, pod: Obj) -> Ports:
    """Return the ports that this pod offers for the Service, those left out whose name it does not have."""
    ports = []
    for service_port in service["spec"].get("ports") or ():
        number = resolve_port(pod, service_port)
        if number is None:
            continue
        port = [("name", service_port.get("name", "")), ("port", number)]
        port.append(("protocol", service_port.get("protocol", "TCP")))
        if service_port.get("appProtocol"):
            port.append(("appProtocol", service_port["appProtocol"]))
        ports.append(tuple(port))
    return tuple(ports)


def _ports_of(endpoint_slice: Obj) -> Ports:
    fields = ("name", "port", "protocol", "appProtocol")
    return tuple(
        tuple((field, port[field]) for field in fields if field in port and port[field] is not None)
        for port in endpoint_slice.get("ports") or ()
    )


def _desired(seen: EndpointSliceView, family: str) -> dict[Ports, dict[str, Obj]]:
    """Return the endpoints by ports and pod uid."""
    desired: dict[Ports, dict[str, Obj]] = {}
    for pod in seen.pods:
        addresses = pod_addresses(pod, family)
        if addresses and not is_terminal(pod):
            endpoint = build_endpoint(seen.service, pod, addresses, seen.zones)
            desired.setdefault(build_ports(seen.service, pod), {})[uid_of(pod)] = endpoint
    return desired


def _reconcile_family(seen: EndpointSliceView, family: str, existing: tuple[Obj, ...]) -> list[Action]:
    desired = _desired(seen, family)
    contents: list[tuple[Obj | None, Ports, list[Obj]]] = []
    unused: list[Obj] = [s for s in existing if _ports_of(s) not in desired]
    for ports, endpoints in desired.items():
        packed = _pack([s for s in existing if _ports_of(s) == ports], endpoints)
        contents += [(s, ports, inside) for s, inside in packed if inside]
        unused += [s for s, inside in packed if s is not None and not inside]
    if not contents:
        contents.append((None, (), []))
    latest = trigger_time(seen.service, seen.pods)
    actions: list[Action] = []
    for given, ports, inside in contents:
        # A slice to create takes the place of one to delete.
        before = given if given is not None else (unused.pop() if unused else None)
        action = _write(seen.service, family, before, (ports, inside), latest)
        if action is not None:
            actions.append(action)
    return actions + [Delete(ENDPOINT_SLICES, Target(key_of(s), uid_of(s))) for s in unused]


def _pack(existing: Sequence[Obj], endpoints: Mapping[str, Obj]) -> list[tuple[Obj | None, list[Obj]]]:
    """Return each slice's new content; None stands for a slice to create."""
    rest = dict(endpoints)
    packed: list[tuple[Obj | None, list[Obj]]] = []
    for endpoint_slice in existing:
        inside = []
        for endpoint in endpoint_slice.get("endpoints") or ():
            wanted = rest.pop(_uid(endpoint), None)
            if wanted is not None:
                inside.append(wanted)
        packed.append((endpoint_slice, inside))
    new = list(rest.values())
    for endpoint_slice, (_, inside) in zip(existing, packed, strict=True):
        if inside != (endpoint_slice.get("endpoints") or []):
            room = ENDPOINTS_MAX - len(inside)
            inside.extend(new[:room])
            new = new[room:]
    if new:
        roomy = [inside for _, inside in packed if len(inside) + len(new) <= ENDPOINTS_MAX]
        if roomy:
            max(roomy, key=len).extend(new)
            new = []
    packed += [(None, new[start : start + ENDPOINTS_MAX]) for start in range(0, len(new), ENDPOINTS_MAX)]
    return packed


def _uid(endpoint: Obj) -> str:
    return str((endpoint.get("targetRef") or {}).get("uid", ""))


def build_labels(service: Obj) -> dict[str, str]:
    """Return a slice's labels: the Service's, and those by which readers find slices."""
    reserved = (SERVICE_NAME_LABEL, MANAGED_BY, HEADLESS_LABEL)
    labels = {key: value for key, value in labels_of(service).items() if key not in reserved}
    labels |= {SERVICE_NAME_LABEL: name_of(service), MANAGED_BY: MANAGER}
    return labels | ({HEADLESS_LABEL: ""} if is_headless(service) else {})


def _write(
    service: Obj, family: str, before: Obj | None, content: tuple[Ports, list[Obj]], latest: str
) -> Action | None:
    ports, endpoints = content
    labels = build_labels(service)
    body: Obj = {"addressType": family, "endpoints": endpoints, "ports": [dict(port) for port in ports]}
    if before is None:
        meta: Obj = {
            "generateName": f"{name_of(service)}-",
            "namespace": namespace_of(service),
            "labels": labels,
            "ownerReferences": [owner_reference(SERVICES, service)],
        }
        if latest:
            meta["annotations"] = {TRIGGER_TIME: latest}
        return Create(
            ENDPOINT_SLICES,
            {"apiVersion": ENDPOINT_SLICES.api_version, "kind": "EndpointSlice", "metadata": meta, **body},
        )
    same = (before.get("endpoints") or []) == endpoints and _ports_of(before) == ports
    if same and labels_of(before) == labels:
        return None
    annotations = {key: value for key, value in annotations_of(before).items() if key != TRIGGER_TIME}
    if latest > annotations_of(before).get(TRIGGER_TIME, ""):
        annotations[TRIGGER_TIME] = latest
    changed = {key: value for key, value in metadata(before).items() if key != "annotations"}
    changed |= {"labels": labels} | ({"annotations": annotations} if annotations else {})
    return Update(ENDPOINT_SLICES, {**before, "metadata": changed, **body})


def _service_of(endpoint_slice: Obj) -> Sequence[str]:
    return service_index(endpoint_slice) if labels_of(endpoint_slice).get(MANAGED_BY) == MANAGER else ()


def _items_of_slice(change: Change, listers: Listers) -> Sequence[Item]:
    names = sorted({name for s in (change.old, change.new) if s is not None for name in _service_of(s)})
    keys = [ObjectKey(*name.split("/", 1)) for name in names]
    return [Item(SERVICES.qualified, key) for key in keys]


def _items_of_node(change: Change, listers: Listers) -> Sequence[Item]:
    zones = {labels_of(node).get(ZONE, "") for node in (change.old, change.new) if node is not None}
    if zones == {""} or (change.old is not None and change.new is not None and len(zones) == 1):
        return ()
    return [Item(SERVICES.qualified, key_of(service)) for service in listers.list(SERVICES)]


def spec() -> ControllerSpec[EndpointSliceView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="endpointslice",
        component="endpoint-slice-controller",
        watches=(
            Watch(SERVICES, lambda change, listers: (latest_item(SERVICES, change),)),
            Watch(PODS, items_of_pod),
            Watch(ENDPOINT_SLICES, _items_of_slice),
            Watch(NODES, _items_of_node),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_LABEL, SERVICES_BY_SELECTOR, Index(ENDPOINT_SLICES, SLICES_OF_SERVICE, _service_of)),
    )
