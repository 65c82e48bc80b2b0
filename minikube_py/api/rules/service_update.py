"""What an update of a Service keeps of what was allocated, and what it drops with a change of type.

A client may send the manifest that it created the Service with again, without the address and the node ports that it
was given: they stay. A client may change nothing but the type: what only the old type needs goes, unless the client
changes that too; then validation tells it.

Upstream: registry/core/service storage.go patchAllocatedValues and normalizeClusterIPs, strategy.go
dropTypeDependentFields; in this order, and before validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.rules.faults import items

_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


def keep_allocated(spec: Obj, before: Mapping[str, Any]) -> None:
    """Give a new spec, in place, the address and the ports that the old one has and it does not mention."""
    if _needs_cluster_ip(spec) and _needs_cluster_ip(before):
        _keep(spec, before, "clusterIP", "clusterIPs")
    if _needs_node_ports(spec) and _needs_node_ports(before):
        _keep_node_ports(spec, before)
    if needs_health_port(spec) and needs_health_port(before):
        _keep(spec, before, "healthCheckNodePort")


def normalize_cluster_ips(spec: Obj, before: Mapping[str, Any]) -> None:
    """Put clusterIPs in step, in place, with a clusterIP that alone was given or changed.

    Args:
        spec: the new spec.
        before: the old one; empty for a creation.
    """
    ip, old_ip = spec.get("clusterIP") or "", before.get("clusterIP") or ""
    ips, old_ips = items(spec, "clusterIPs"), items(before, "clusterIPs")
    if ip == old_ip and not ips and old_ips:
        spec["clusterIPs"] = list(old_ips)
    elif ip != old_ip and list(ips) == list(old_ips):
        spec["clusterIPs"] = [ip] if ip else []


def drop_unused(spec: Obj, before: Mapping[str, Any]) -> None:
    """Drop from a new spec, in place, what its type has no use for and its client left as it was."""
    if _needs_cluster_ip(before) and not _needs_cluster_ip(spec):
        _drop_same(spec, before, "clusterIP", "clusterIPs")
        _drop_same(spec, before, "ipFamilies")
        _drop_same(spec, before, "ipFamilyPolicy")
    if _needs_node_ports(before) and not _needs_node_ports(spec) and _node_ports(spec) <= _node_ports(before):
        for port in items(spec, "ports"):
            port.pop("nodePort", None)
    if needs_health_port(before) and not needs_health_port(spec):
        _drop_same(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" != spec.get("type"):
        _drop_same(spec, before, "allocateLoadBalancerNodePorts")
        _drop_same(spec, before, "loadBalancerClass")
    if externally_accessible(before) and not externally_accessible(spec):
        _drop_same(spec, before, "externalTrafficPolicy")


def externally_accessible(spec: Mapping[str, Any]) -> bool:
    """Return whether a Service is reached from outside the cluster (upstream: ExternallyAccessible)."""
    return _needs_node_ports(spec) or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_port(spec: Mapping[str, Any]) -> bool:
    """Return whether a load balancer asks nodes for the Service's endpoints."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _needs_cluster_ip(spec: Mapping[str, Any]) -> bool:
    return spec.get("type") != "ExternalName"


def _needs_node_ports(spec: Mapping[str, Any]) -> bool:
    return spec.get("type") in _WITH_NODE_PORTS


def _keep_node_ports(spec: Obj, before: Mapping[str, Any]) -> None:
    """Give each port the node port of the old port of its name, unless another port has it now."""
    held = {port.get("name") or "": port.get("nodePort") for port in items(before, "ports")}
    used = _node_ports(spec)
    for port in items(spec, "ports"):
        number = held.get(port.get("name") or "")
        if number and number not in used and not port.get("nodePort"):
            port["nodePort"] = number


def _node_ports(spec: Mapping[str, Any]) -> set[int]:
    return {port["nodePort"] for port in items(spec, "ports") if port.get("nodePort")}


def _keep(spec: Obj, before: Mapping[str, Any], *fields: str) -> None:
    for field in fields:
        if not spec.get(field) and before.get(field):
            spec[field] = before[field]


def _drop_same(spec: Obj, before: Mapping[str, Any], *fields: str) -> None:
    """Drop fields that go together, if none of them changed."""
    if all((spec.get(field) or None) == (before.get(field) or None) for field in fields):
        for field in fields:
            spec.pop(field, None)
