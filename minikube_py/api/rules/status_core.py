"""What the status of a pod, a node, a claim, a namespace, a quota, and of what a load balancer serves may say.

Upstream: pkg/apis/{core,networking,flowcontrol,admissionregistration}/validation (Validate*StatusUpdate).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from minikube_py.api.names import dns_subdomain_faults, qualified_name_faults
from minikube_py.api.quantity import QuantityError, parse_quantity
from minikube_py.api.rules.conditions import check_conditions
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_not_negative,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)

_IP_RULE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_RESIZE_STATES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizePending",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
)


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _check_quantities(status: Mapping[str, Any], field: str, detail: str) -> Faults:
    for name, text in part(status, field).items():
        try:
            negative = parse_quantity(str(text)).nano < 0
        except QuantityError:
            negative = True
        if negative:
            yield invalid(f"status.{field}[{name}]", text, detail)


def validate_pod(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a pod's status."""
    status, before = part(new, "status"), part(old, "status")
    nominated = status.get("nominatedNodeName") or ""
    if nominated and nominated != before.get("nominatedNodeName"):
        yield from all_invalid("status.nominatedNodeName", nominated, dns_subdomain_faults(nominated))
    yield from _check_container_states(new, old)
    if before.get("qosClass") and status.get("qosClass", before["qosClass"]) != before["qosClass"]:
        yield invalid("status.qosClass", status.get("qosClass"), "field is immutable")
    yield from _check_pod_ips(status, "podIP", "podIPs", "ip")
    yield from _check_pod_ips(status, "hostIP", "hostIPs", "ip")
    yield from check_not_negative("status.observedGeneration", status.get("observedGeneration"))


def _check_pod_ips(status: Mapping[str, Any], one: str, many: str, key: str) -> Faults:
    seen: set[str] = set()
    for path, entry in indexed(status, many, "status"):
        ip = entry.get(key) or ""
        if not _is_ip(ip):
            yield invalid(f"{path}.{key}", ip, _IP_RULE)
        elif ip in seen:
            yield duplicate(path, ip)
        seen.add(ip)
    addresses = [entry.get(key) for entry in items(status, many)]
    if len(addresses) > 2 or (len(addresses) == 2 and (":" in addresses[0]) == (":" in addresses[1])):
        yield invalid(f"status.{many}", addresses, "may specify no more than one IP for each IP family")
    if status.get(one) and addresses and addresses[0] != status[one]:
        yield invalid(f"status.{many}[0].{key}", addresses[0], f"must be equal to `{one}`")


def _check_container_states(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """A container that has ended and may not be started again stays ended."""
    policy = part(new, "spec").get("restartPolicy", "Always")
    if policy == "Always":
        return
    sidecars = {
        container.get("name")
        for container in items(part(new, "spec"), "initContainers")
        if container.get("restartPolicy") == "Always"
    }
    for field in ("containerStatuses", "initContainerStatuses"):
        states = {entry.get("name"): part(entry, "state") for entry in items(part(new, "status"), field)}
        for path, entry in indexed(part(old, "status"), field, "status"):
            ended = part(entry, "state").get("terminated")
            if not ended or entry.get("name") in sidecars or (policy == "OnFailure" and ended.get("exitCode")):
                continue
            after = states.get(entry.get("name"))
            if after is not None and after.get("terminated") is None:
                yield forbidden(f"{path}.state", "may not be transitioned to non-terminated state")


def validate_node(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a node's status."""
    status = part(new, "status")
    for field in ("capacity", "allocatable"):
        yield from _check_quantities(status, field, "must be greater than or equal to 0")
    seen: set[tuple[Any, Any]] = set()
    for path, address in indexed(status, "addresses", "status"):
        key = (address.get("type"), address.get("address"))
        if key in seen:
            yield duplicate(path, dict(address))
        seen.add(key)


def validate_claim(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PersistentVolumeClaim's status."""
    status = part(new, "status")
    for field in ("capacity", "allocatedResources"):
        yield from _check_quantities(status, field, "must be a valid resource quantity")
    for name, state in part(status, "allocatedResourceStatuses").items():
        path = f"status.allocatedResourceStatuses[{name}]"
        if name != "storage" and "/" not in name:
            yield invalid(path, name, "allocatedResources must be storage or a name with a domain")
        yield from all_invalid(path, name, qualified_name_faults(name))
        if state not in _RESIZE_STATES:
            yield unsupported(path, state, _RESIZE_STATES)


def validate_namespace(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a Namespace's status: its phase says whether it is going."""
    going, phase = bool(part(new, "metadata").get("deletionTimestamp")), part(new, "status").get("phase") or "Active"
    if not going and phase != "Active":
        yield invalid("status.phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")
    elif going and phase != "Terminating":
        yield invalid("status.phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")


def validate_quota(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceQuota's status."""
    status = part(new, "status")
    for field in ("hard", "used"):
        for name in part(status, field):
            yield from all_invalid(f"status.{field}[{name}]", name, qualified_name_faults(name))
        yield from _check_quantities(status, field, "must be greater than or equal to 0")


def validate_service(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a Service's status: what its load balancer serves."""
    balancer = part(part(new, "status"), "loadBalancer")
    kind, path = part(new, "spec").get("type"), "status.loadBalancer"
    if items(balancer, "ingress") and kind != "LoadBalancer":
        yield forbidden(f"{path}.ingress", "may only be used when `spec.type` is LoadBalancer")
        return
    for where, entry in indexed(balancer, "ingress", path):
        yield from _check_balancer(entry, where)
        mode = entry.get("ipMode")
        if mode is not None and not entry.get("ip"):
            yield forbidden(f"{where}.ipMode", "may not be specified when `ip` is not set")
        elif mode is not None and mode not in ("VIP", "Proxy"):
            yield unsupported(f"{where}.ipMode", mode, ("Proxy", "VIP"))


def validate_ingress(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of an Ingress's status."""
    for path, entry in indexed(part(part(new, "status"), "loadBalancer"), "ingress", "status.loadBalancer"):
        yield from _check_balancer(entry, path)


def _check_balancer(entry: Mapping[str, Any], path: str) -> Faults:
    ip, hostname = entry.get("ip") or "", entry.get("hostname") or ""
    if ip and not _is_ip(ip):
        yield invalid(f"{path}.ip", ip, _IP_RULE)
    if hostname:
        yield from all_invalid(f"{path}.hostname", hostname, dns_subdomain_faults(hostname))
        if _is_ip(hostname):
            yield invalid(f"{path}.hostname", hostname, "must be a DNS name, not an IP address")


def validate_typed_conditions(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of conditions that need nothing but a type (FlowSchema, PriorityLevelConfiguration)."""
    seen: set[str] = set()
    for path, condition in indexed(part(new, "status"), "conditions", "status"):
        kind = condition.get("type") or ""
        if not kind:
            yield required(f"{path}.type", "must not be empty")
        elif kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)


def validate_conditions(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of conditions of the common form."""
    yield from check_conditions(part(new, "status"), "status")
