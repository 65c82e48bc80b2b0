"""What the proxy wants to know of a Service: one frozen value for each of its ports.

Headless and ExternalName Services, and those that another proxy serves, have none. Only IPv4 so far. Upstream:
pkg/proxy serviceport.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from minikube_py.api.meta import labels_of, name_of, namespace_of

PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
PROTOCOLS: Mapping[str, int] = {"tcp": 6, "udp": 17, "sctp": 132}
"""The protocols of Service ports, by the name that nft uses, with their numbers."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of one Service, with everything that decides who may enter and where it leads."""

    namespace: str
    service: str
    port_name: str
    protocol: str
    port: int
    cluster_ips: tuple[str, ...]
    external_ips: tuple[str, ...] = ()
    """spec.externalIPs and the load balancer's IPs."""
    node_port: int = 0
    external_local: bool = False
    internal_local: bool = False
    client_ip_affinity: bool = False

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}:{self.port_name or self.port}"


def parse_service(service: Mapping[str, Any]) -> tuple[ServicePort, ...]:
    """Return the Service's ports in the order of its spec; empty when this proxy has nothing to do for it."""
    spec = service.get("spec") or {}
    cluster_ips = _ipv4(spec.get("clusterIPs") or [spec.get("clusterIP")])
    if spec.get("type") == "ExternalName" or not cluster_ips or PROXY_NAME_LABEL in labels_of(service):
        return ()
    ports = (spec_port for spec_port in spec.get("ports") or () if _protocol(spec_port) in PROTOCOLS)
    external_ips = _ipv4((*(spec.get("externalIPs") or ()), *_load_balancer_ips(service)))
    return tuple(
        ServicePort(
            namespace=namespace_of(service),
            service=name_of(service),
            port_name=str(spec_port.get("name") or ""),
            protocol=_protocol(spec_port),
            port=int(spec_port["port"]),
            cluster_ips=cluster_ips,
            external_ips=external_ips,
            node_port=int(spec_port.get("nodePort") or 0) if spec.get("type") in {"NodePort", "LoadBalancer"} else 0,
            external_local=spec.get("externalTrafficPolicy") == "Local",
            internal_local=spec.get("internalTrafficPolicy") == "Local",
            client_ip_affinity=spec.get("sessionAffinity") == "ClientIP",
        )
        for spec_port in ports
    )


def _protocol(spec_port: Mapping[str, Any]) -> str:
    return str(spec_port.get("protocol") or "TCP").lower()


def _load_balancer_ips(service: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the load balancer's IPs; with ipMode Proxy the balancer wants to see the traffic itself."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return tuple(entry.get("ip") for entry in ingress if entry.get("ipMode", "VIP") == "VIP")


def _ipv4(addresses: Any) -> tuple[str, ...]:
    """Return the IPv4 addresses among `addresses`, each once, in order."""
    return tuple(dict.fromkeys(text for text in addresses if is_ipv4(text)))


def is_ipv4(text: Any) -> bool:
    """Return whether `text` is an IPv4 address in its usual form."""
    try:
        return bool(str(IPv4Address(text)) == text)
    except ValueError:
        return False
