"""Columns of the core group's kinds except Pod, which has a module of its own.

Upstream: printers/internalversion (printNode, printService, printEndpoints, printEvent, ...).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE, UNKNOWN, since
from minikube_py.api.columns.workloads import format_labels, spec_of, status_of
from minikube_py.api.meta import labels_of
from minikube_py.api.resource import Column

ENDPOINTS_SHOWN_MAX = 3
"""Of endpoints and ports only so many are printed; `+ n more...` stands for the rest."""

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"


def shorten(items: list[str], empty: str) -> str:
    """Return the first ENDPOINTS_SHOWN_MAX items and how many more there are, or `empty`."""
    shown = ",".join(items[:ENDPOINTS_SHOWN_MAX])
    more = len(items) - ENDPOINTS_SHOWN_MAX
    return f"{shown} + {more} more..." if more > 0 else shown or empty


def _size(obj: Mapping[str, Any], *fields: str) -> int:
    return sum(len(obj.get(field) or ()) for field in fields)


NAMESPACE_COLUMNS = (
    NAME,
    Column("Status", lambda obj, _: status_of(obj).get("phase", ""), description="Active or Terminating."),
    AGE,
)
CONFIG_MAP_COLUMNS = (
    NAME,
    Column("Data", lambda obj, _: _size(obj, "data", "binaryData"), description="How many entries it has."),
    AGE,
)
SECRET_COLUMNS = (
    NAME,
    Column("Type", lambda obj, _: obj.get("type", ""), description="What kind of secret it is."),
    Column("Data", lambda obj, _: _size(obj, "data"), description="How many entries it has."),
    AGE,
)
SERVICE_ACCOUNT_COLUMNS = (
    NAME,
    Column("Secrets", lambda obj, _: _size(obj, "secrets"), description="How many secrets it lists."),
    AGE,
)


def _node_status(node: Mapping[str, Any], _: float) -> str:
    ready = [c.get("status") for c in status_of(node).get("conditions") or () if c.get("type") == "Ready"]
    words = [("Ready" if ready[-1] == "True" else "NotReady") if ready else "Unknown"]
    if spec_of(node).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(node: Mapping[str, Any], _: float) -> str:
    labels = labels_of(node)
    roles = {label.removeprefix(_ROLE_PREFIX) for label in labels if label.startswith(_ROLE_PREFIX)}
    roles.add(labels.get(_ROLE_LABEL, ""))
    return ",".join(sorted(roles - {""})) or NONE


def _node_address(node: Mapping[str, Any], kind: str) -> str:
    addresses = status_of(node).get("addresses") or ()
    return next((a["address"] for a in addresses if a.get("type") == kind and a.get("address")), NONE)


def _node_info(node: Mapping[str, Any], field: str) -> str:
    return (status_of(node).get("nodeInfo") or {}).get(field) or ""


NODE_COLUMNS = (
    NAME,
    Column("Status", _node_status, description="Whether the node is ready, and whether it takes new pods."),
    Column("Roles", _node_roles, description="The node's roles, from its labels."),
    AGE,
    Column("Version", lambda node, _: _node_info(node, "kubeletVersion"), description="The kubelet's version."),
    Column(
        "Internal-IP",
        lambda node, _: _node_address(node, "InternalIP"),
        description="The node's address inside the cluster.",
        priority=1,
    ),
    Column(
        "External-IP",
        lambda node, _: _node_address(node, "ExternalIP"),
        description="The node's address outside the cluster.",
        priority=1,
    ),
    Column(
        "OS-Image",
        lambda node, _: _node_info(node, "osImage") or UNKNOWN,
        description="The node's operating system.",
        priority=1,
    ),
    Column(
        "Kernel-Version",
        lambda node, _: _node_info(node, "kernelVersion") or UNKNOWN,
        description="The node's kernel.",
        priority=1,
    ),
    Column(
        "Container-Runtime",
        lambda node, _: _node_info(node, "containerRuntimeVersion") or UNKNOWN,
        description="The node's container runtime and its version.",
        priority=1,
    ),
)


def _cluster_ip(service: Mapping[str, Any], _: float) -> str:
    spec = spec_of(service)
    addresses = spec.get("clusterIPs") or (spec.get("clusterIP"),)
    return addresses[0] or NONE


def _external_ip(service: Mapping[str, Any], _: float) -> str:
    spec = spec_of(service)
    external = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) or NONE
        case "LoadBalancer":
            ingress = (status_of(service).get("loadBalancer") or {}).get("ingress") or ()
            balanced = {point.get("ip") or point.get("hostname") or "" for point in ingress} - {""}
            return ",".join(sorted(balanced) + external) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return UNKNOWN


def _service_ports(service: Mapping[str, Any], _: float) -> str:
    shown = []
    for port in spec_of(service).get("ports") or ():
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or NONE


SERVICE_COLUMNS = (
    NAME,
    Column("Type", lambda obj, _: spec_of(obj).get("type", ""), description="How the service is exposed."),
    Column("Cluster-IP", _cluster_ip, description="The service's address inside the cluster."),
    Column("External-IP", _external_ip, description="Where the service is reached from outside."),
    Column("Port(s)", _service_ports, description="The service's ports, node ports and protocols."),
    AGE,
    Column(
        "Selector",
        lambda obj, _: format_labels(spec_of(obj).get("selector")),
        description="Which pods answer for the service.",
        priority=1,
    ),
)


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _endpoints(endpoints: Mapping[str, Any], _: float) -> str:
    shown: list[str] = []
    for subset in endpoints.get("subsets") or ():
        ips = [address["ip"] for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        shown += [_host_port(ip, port["port"]) for port in ports for ip in ips] if ports else ips
    return shorten(shown, NONE)


ENDPOINTS_COLUMNS = (
    NAME,
    Column("Endpoints", _endpoints, description="Addresses and ports that answer for the service."),
    AGE,
)


def _first_seen(event: Mapping[str, Any], wall_s: float) -> str:
    return since(event.get("firstTimestamp") or event.get("eventTime"), wall_s)


def _last_seen(event: Mapping[str, Any], wall_s: float) -> str:
    if event.get("series"):
        return since(event["series"].get("lastObservedTime"), wall_s)
    return since(event["lastTimestamp"], wall_s) if event.get("lastTimestamp") else _first_seen(event, wall_s)


def _event_count(event: Mapping[str, Any], _: float) -> int:
    if event.get("series"):
        return int(event["series"].get("count", 0))
    return int(event.get("count") or 1)


def _event_object(event: Mapping[str, Any], _: float) -> str:
    target = event.get("involvedObject") or {}
    kind = str(target.get("kind", "")).lower()
    return f"{kind}/{target['name']}" if target.get("name") else kind


def _event_source(event: Mapping[str, Any], _: float) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


EVENT_COLUMNS = (
    Column("Last Seen", _last_seen, description="How long ago it happened last."),
    Column("Type", lambda obj, _: obj.get("type", ""), description="Normal or Warning."),
    Column("Reason", lambda obj, _: obj.get("reason", ""), description="Why the event came, in one word."),
    Column("Object", _event_object, description="What the event is about."),
    Column(
        "Subobject",
        lambda obj, _: (obj.get("involvedObject") or {}).get("fieldPath", ""),
        description="Which part of the object the event is about.",
        priority=1,
    ),
    Column("Source", _event_source, description="Which component reports the event, and from where.", priority=1),
    Column("Message", lambda obj, _: obj.get("message", "").strip(), description="What happened, for people."),
    Column("First Seen", _first_seen, description="How long ago it happened first.", priority=1),
    Column("Count", _event_count, description="How often it happened.", priority=1),
    Column(NAME.name, NAME.cell, format="name", description=NAME.description, priority=1),
)
