"""Services: what they get, what an update keeps, and when they are right.

Addresses and node ports are given by the API server, which knows what is taken; here is only what the Service says
about itself. That an update which does not mention the address keeps it, is decided here.

Upstream: pkg/apis/core/v1 SetDefaults_Service, registry/core/service strategy.go and alloc.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import part
from minikube_py.api.rules.service_update import (
    drop_unused,
    externally_accessible,
    keep_allocated,
    normalize_cluster_ips,
)
from minikube_py.api.rules.service_validation import validate, validate_update

HEADLESS = "None"
AFFINITY_TIMEOUT_S = 10800
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
    if externally_accessible(spec):
        _default(spec, "externalTrafficPolicy", "Cluster")
    if kind in _WITH_CLUSTER_IP:
        _default(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True


def prepare_create(service: Obj) -> None:
    """Start without a load balancer; put clusterIP, clusterIPs and the address families in step."""
    service["status"] = {"loadBalancer": {}}
    normalize_cluster_ips(service["spec"], {})
    _families(service["spec"], {})


def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
    """Keep the addresses and ports that the Service has, and drop what its new type has no use for."""
    spec, before = new["spec"], part(old, "spec")
    keep_allocated(spec, before)
    normalize_cluster_ips(spec, before)
    _families(spec, before)
    drop_unused(spec, before)
    if spec["type"] != "LoadBalancer" and part(new, "status").get("loadBalancer"):
        new["status"] = {**part(new, "status"), "loadBalancer": {}}


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


def _families(spec: Obj, before: Mapping[str, Any]) -> None:
    """Say which address families the Service uses; a headless one without a selector may use both.

    Upstream: initIPFamilyFields.
    """
    if spec["type"] == "ExternalName":
        return
    free = HEADLESS in (spec.get("clusterIPs") or ()) and not spec.get("selector")
    usual = "RequireDualStack" if free else "SingleStack"
    _default(spec, "ipFamilyPolicy", before.get("ipFamilyPolicy") or usual)
    single = spec["ipFamilyPolicy"] == "SingleStack"
    families: list[str] = spec.get("ipFamilies") or [_family_of(spec)]
    if single and families == before.get("ipFamilies"):
        families = families[:1]
    if free and not single and len(families) == 1:
        families = [*families, *(other for other in _FAMILIES if other not in families)]
    spec["ipFamilies"] = families


def _family_of(spec: Mapping[str, Any]) -> str:
    return "IPv6" if ":" in str(spec.get("clusterIP", "")) else "IPv4"


SERVICE_RULES = Rules(set_defaults, prepare_create, prepare_update, validate, validate_update)
