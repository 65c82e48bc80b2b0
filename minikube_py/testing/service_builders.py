"""Services and EndpointSlices for tests: small, complete objects with the fields that proxy and DNS read."""

from collections.abc import Iterable, Mapping
from typing import Any

from minikube_py.api.meta import Obj


def a_service(
    name: str = "web",
    *,
    namespace: str = "default",
    cluster_ip: str = "10.96.0.20",
    ports: Iterable[Mapping[str, Any]] = ({"name": "http", "port": 80, "protocol": "TCP"},),
    **spec: Any,
) -> Obj:
    """Return a Service; further keywords are fields of its spec."""
    address = {} if not cluster_ip else {"clusterIP": cluster_ip, "clusterIPs": [cluster_ip]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ClusterIP", **address, "ports": [dict(port) for port in ports], **spec},
    }


def an_endpoint(address: str, *, node: str = "node-1", hostname: str = "", **conditions: bool) -> Obj:
    """Return an endpoint, ready unless `conditions` say otherwise."""
    named = {"hostname": hostname} if hostname else {}
    return {"addresses": [address], "nodeName": node, "conditions": {"ready": True, **conditions}, **named}


def a_slice(
    *endpoints: Obj,
    service: str = "web",
    namespace: str = "default",
    name: str = "",
    ports: Iterable[Mapping[str, Any]] = ({"name": "http", "port": 8080, "protocol": "TCP"},),
) -> Obj:
    """Return an EndpointSlice of a Service."""
    labels = {"kubernetes.io/service-name": service}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name or f"{service}-1", "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "ports": [dict(port) for port in ports],
        "endpoints": list(endpoints),
    }
