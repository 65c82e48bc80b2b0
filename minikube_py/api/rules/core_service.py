"""Services: what they get, what an update keeps, and when they are right.

Addresses and node ports are given by the API server, which knows what is taken; here is only what the Service says
about itself. That an update which does not mention the address keeps it, is decided here.

Upstream: pkg/apis/core/v1 SetDefaults_Service, registry/core/service strategy.go and alloc.go, ValidateService.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import part
from minikube_py.api.rules.service_validation import validate, validate_update

HEADLESS = "None"
AFFINITY_TIMEOUT_S = 10800
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_WITH_CLUSTER_IP = ("ClusterIP", "NodePort", "LoadBalancer")
_FAMILIES = ("IPv4", "IPv6")


def set_defaults(service: Obj) -> None:
    """Fill in a Service."""
    spec = service.setdefault("spec", {})
    _default(spec, "sessionAffinity", "None")
    _default(spec, "type", "ClusterIP")
    _affinity(spec)
    for port in spec.get("ports") or ():
        _default(port, "protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    kind = spec["type"]
    if kind in _WITH_NODE_PORTS or (kind == "ClusterIP" and spec.get("externalIPs")):
        _default(spec, "externalTrafficPolicy", "Cluster")
    if kind in _WITH_CLUSTER_IP:
        _default(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True


def prepare_create(service: Obj) -> None:
    """Start without a load balancer; put clusterIP, clusterIPs and the address families in step."""
    service["status"] = {"loadBalancer": {}}
    spec = service["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    _families(spec)


def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
    """Keep the addresses and ports that the Service has, and drop what its new type has no use for."""
    spec, before = new["spec"], part(old, "spec")
    _keep_cluster_ips(spec, before)
    _drop_unused(spec, before)
    _keep_node_ports(spec, before)
    _families(spec)


def _default(obj: Obj, field: str, value: object) -> None:
    if not obj.get(field):
        obj[field] = value


def _affinity(spec: Obj) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client_ip = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        if client_ip.get("timeoutSeconds") is None:
            client_ip["timeoutSeconds"] = AFFINITY_TIMEOUT_S


def _families(spec: Obj) -> None:
    """Say which address families the Service uses; a headless one without a selector may use both."""
    if spec["type"] == "ExternalName":
        spec.pop("ipFamilies", None)
        spec.pop("ipFamilyPolicy", None)
        return
    free = HEADLESS in (spec.get("clusterIPs") or ()) and not spec.get("selector")
    _default(spec, "ipFamilyPolicy", "RequireDualStack" if free else "SingleStack")
    if not spec.get("ipFamilies"):
        both = free and spec["ipFamilyPolicy"] != "SingleStack"
        spec["ipFamilies"] = list(_FAMILIES) if both else [_family_of(spec)]


def _family_of(spec: Mapping[str, Any]) -> str:
    return "IPv6" if ":" in str(spec.get("clusterIP", "")) else "IPv4"


def _keep_cluster_ips(spec: Obj, before: Mapping[str, Any]) -> None:
    """Take clusterIP and clusterIPs from the old Service where the update leaves them out, or changes only one."""
    if spec["type"] == "ExternalName" or before.get("type") == "ExternalName":
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        return
    if not spec.get("clusterIP") and (not spec.get("clusterIPs") or _same(spec, before, "clusterIPs")):
        # left out, or taken away: what has been allocated stays (upstream: patchAllocatedValues)
        for field in ("clusterIP", "clusterIPs"):
            if field in before:
                spec[field] = before[field]
    elif spec.get("clusterIP", "") != before.get("clusterIP", "") and _same(spec, before, "clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]] if spec.get("clusterIP") else []
    elif "clusterIPs" not in spec and spec.get("clusterIP") == before.get("clusterIP"):
        spec["clusterIPs"] = before.get("clusterIPs", [])
    elif not spec.get("clusterIP") and spec.get("clusterIPs"):
        spec["clusterIP"] = spec["clusterIPs"][0]


def _same(spec: Mapping[str, Any], before: Mapping[str, Any], field: str) -> bool:
    return field not in spec or spec.get(field) == before.get(field)


def _drop_unused(spec: Obj, before: Mapping[str, Any]) -> None:
    """Drop what the old type needed and the new one does not, when the client just sent it along."""
    kind, was = spec["type"], before.get("type")
    if kind == "ExternalName" and was != kind and _same(spec, before, "clusterIPs"):
        for field in ("clusterIP", "clusterIPs", "internalTrafficPolicy"):
            spec.pop(field, None)
    if was in _WITH_NODE_PORTS and kind not in _WITH_NODE_PORTS:
        held = {port.get("nodePort") for port in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            if port.get("nodePort") in held:
                port.pop("nodePort", None)
        if not spec.get("externalIPs") and _same(spec, before, "externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
    if was == "LoadBalancer" and kind != was:
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"):
            if _same(spec, before, field):
                spec.pop(field, None)


def _keep_node_ports(spec: Obj, before: Mapping[str, Any]) -> None:
    if spec["type"] not in _WITH_NODE_PORTS or before.get("type") not in _WITH_NODE_PORTS:
        return
    held = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in before.get("ports") or ()}
    asked = {port.get("nodePort") for port in spec.get("ports") or ()}
    for port in spec.get("ports") or ():
        number = held.get((port.get("port"), port.get("protocol")))
        if number and not port.get("nodePort") and number not in asked:
            port["nodePort"] = number


SERVICE_RULES = Rules(set_defaults, prepare_create, prepare_update, validate, validate_update)
