"""When a Service is right, and how it may change.

Upstream: pkg/apis/core/validation ValidateService, ValidateServiceUpdate, ValidateServiceClusterIPsRelatedFields.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.names import (
    dns_1035_label_faults,
    dns_label_faults,
    dns_subdomain_faults,
    ip_faults,
    parse_ip,
    port_name_faults,
    port_number_faults,
    qualified_name_faults,
)
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
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
from minikube_py.api.rules.metadata import validate_labels, validate_metadata, validate_metadata_update

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
AFFINITY_TIMEOUT_S_MAX = 86400
HEADLESS = "None"
_POLICIES = ("Cluster", "Local")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_NOT_EXTERNAL = "may not be set for ExternalName services"
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")


def validate(service: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Service."""
    spec = part(service, "spec")
    return (*validate_metadata(service, dns_1035_label_faults), *validate_spec(spec))


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Service; its first cluster IP stays as long as its type has one."""
    spec, before = part(new, "spec"), part(old, "spec")
    return (
        *validate_metadata_update(new, old, dns_1035_label_faults),
        *_validate_cluster_ip_update(spec, before),
        *validate_spec(spec),
    )


def validate_spec(spec: Mapping[str, Any]) -> Faults:
    """Yield the faults of a Service's spec."""
    headless = HEADLESS in (spec.get("clusterIP"), *items(spec, "clusterIPs"))
    if not items(spec, "ports") and not headless and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    yield from _validate_type(spec)
    yield from _validate_ports(spec, headless)
    yield from validate_labels(part(spec, "selector"), "spec.selector")
    yield from _validate_affinity(spec)
    yield from _validate_cluster_ips(spec)
    yield from _validate_families(spec)
    yield from _validate_addresses(spec)
    yield from check_choice("spec.type", spec.get("type"), TYPES)
    yield from _validate_nodes_ports(spec)
    yield from _validate_policies(spec)


def _validate_type(spec: Mapping[str, Any]) -> Faults:
    kind = spec.get("type")
    ips = items(spec, "clusterIPs") or [ip for ip in (spec.get("clusterIP"),) if ip]
    if kind == "LoadBalancer" and HEADLESS in ips:
        yield invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for LoadBalancer services")
    if kind == "NodePort" and HEADLESS in ips:
        yield invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for NodePort services")
    if kind == "ExternalName":
        if ips:
            yield forbidden("spec.clusterIPs", _NOT_EXTERNAL)
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                yield forbidden(f"spec.{field}", _NOT_EXTERNAL)
        name = str(spec.get("externalName") or "").removesuffix(".")
        if name:
            yield from all_invalid("spec.externalName", spec["externalName"], dns_subdomain_faults(name))
        else:
            yield required("spec.externalName")


def _validate_ports(spec: Mapping[str, Any], headless: bool) -> Faults:
    several = len(items(spec, "ports")) > 1
    names: set[str] = set()
    for path, port in indexed(spec, "ports", "spec"):
        yield from _validate_port(port, path, several=several, headless=headless)
        name = port.get("name")
        if name and name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
    seen: set[tuple[object, object]] = set()
    for path, port in indexed(spec, "ports", "spec"):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            yield duplicate(path, {"protocol": key[0], "port": key[1]})
        seen.add(key)


def _validate_port(port: Mapping[str, Any], path: str, *, several: bool, headless: bool) -> Faults:
    name = port.get("name") or ""
    if several and not name:
        yield required(f"{path}.name")
    elif name:
        yield from all_invalid(f"{path}.name", name, dns_label_faults(name))
    yield from all_invalid(f"{path}.port", port.get("port", 0), port_number_faults(port.get("port", 0)))
    yield from check_choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    target = port.get("targetPort", 0)
    if isinstance(target, str):
        yield from all_invalid(f"{path}.targetPort", target, port_name_faults(target))
    else:
        yield from all_invalid(f"{path}.targetPort", target, port_number_faults(target))
    if port.get("appProtocol") is not None:
        yield from all_invalid(f"{path}.appProtocol", port["appProtocol"], qualified_name_faults(port["appProtocol"]))


def _validate_affinity(spec: Mapping[str, Any]) -> Faults:
    affinity = spec.get("sessionAffinity")
    yield from check_choice("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    timeout = part(part(spec, "sessionAffinityConfig"), "clientIP").get("timeoutSeconds")
    path = "spec.sessionAffinityConfig"
    if affinity == "ClientIP" and timeout is not None and not 0 < timeout <= AFFINITY_TIMEOUT_S_MAX:
        detail = f"must be greater than 0 and less than {AFFINITY_TIMEOUT_S_MAX}"
        yield invalid(f"{path}.clientIP.timeoutSeconds", timeout, detail)
    if affinity == "None" and spec.get("sessionAffinityConfig"):
        yield forbidden(path, "must not be set when session affinity is None")


def _validate_cluster_ips(spec: Mapping[str, Any]) -> Faults:
    ips = items(spec, "clusterIPs")
    first = spec.get("clusterIP") or ""
    if ips and not first:
        yield invalid("spec.clusterIPs", list(ips), "must be empty when `clusterIP` is not specified")
    elif ips and first != ips[0]:
        yield invalid("spec.clusterIPs", list(ips), "first value must match `clusterIP`")
    if len(ips) > len(_FAMILIES):
        yield invalid("spec.clusterIPs", list(ips), "may only hold up to 2 values")
    for index, ip in enumerate(ips or ([first] if first else [])):
        if ip == HEADLESS and index == 0:
            continue
        yield from all_invalid(f"spec.clusterIPs[{index}]", ip, ip_faults(ip))


def _validate_families(spec: Mapping[str, Any]) -> Faults:
    for index, family in enumerate(items(spec, "ipFamilies")):
        if family not in _FAMILIES:
            yield unsupported(f"spec.ipFamilies[{index}]", family, _FAMILIES)
        elif family in items(spec, "ipFamilies")[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    policy = spec.get("ipFamilyPolicy")
    if policy and policy not in _FAMILY_POLICIES:
        yield unsupported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES)
    if policy == "SingleStack":
        for what, field in (("cluster IPs", "clusterIPs"), ("IP families", "ipFamilies")):
            if len(items(spec, field)) == len(_FAMILIES):
                detail = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                yield invalid("spec.ipFamilyPolicy", policy, detail)


def _validate_addresses(spec: Mapping[str, Any]) -> Faults:
    for path, ip in indexed(spec, "externalIPs", "spec"):
        messages = ip_faults(ip)
        yield from all_invalid(path, ip, messages)
        address = None if messages else parse_ip(ip)
        if address is not None and (address.is_loopback or address.is_link_local or address.is_unspecified):
            yield invalid(path, ip, "may not be a loopback, link-local or unspecified address")


def _validate_nodes_ports(spec: Mapping[str, Any]) -> Faults:
    seen: set[tuple[object, object]] = set()
    for path, port in indexed(spec, "ports", "spec"):
        number = port.get("nodePort")
        if not number:
            continue
        if spec.get("type") in ("ClusterIP", "ExternalName"):
            yield forbidden(f"{path}.nodePort", f"may not be used when `type` is '{spec['type']}'")
        key = (port.get("protocol"), number)
        if key in seen:
            yield duplicate(f"{path}.nodePort", number)
        seen.add(key)


def _validate_policies(spec: Mapping[str, Any]) -> Faults:
    kind = spec.get("type")
    external = spec.get("externalTrafficPolicy")
    if external:
        if kind in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
            yield from check_choice("spec.externalTrafficPolicy", external, _POLICIES)
        else:
            detail = "may only be set for externally-accessible services"
            yield invalid("spec.externalTrafficPolicy", external, detail)
    if kind in ("ClusterIP", "LoadBalancer", "NodePort"):
        yield from check_choice("spec.internalTrafficPolicy", spec.get("internalTrafficPolicy"), _POLICIES)
    health = spec.get("healthCheckNodePort")
    yield from check_not_negative("spec.healthCheckNodePort", health)
    if health and not (kind == "LoadBalancer" and external == "Local"):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", health, detail)
    if kind != "LoadBalancer":
        for field in ("loadBalancerClass", "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges"):
            if spec.get(field) not in (None, []):
                yield forbidden(f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        yield unsupported("spec.trafficDistribution", distribution, _DISTRIBUTIONS)


def _validate_cluster_ip_update(spec: Mapping[str, Any], before: Mapping[str, Any]) -> Faults:
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    ips, held = items(spec, "clusterIPs"), items(before, "clusterIPs")
    if not held or not held[0]:
        return
    if not ips or not spec.get("clusterIP"):
        yield invalid("spec.clusterIPs[0]", list(ips), "primary clusterIP can not be unset")
    elif ips[0] != held[0]:
        yield invalid("spec.clusterIPs[0]", list(ips), "may not change once set")
