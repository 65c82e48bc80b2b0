"""What the proxy wants to know of a Service: one frozen value for each of its ports.

Headless and ExternalName Services, and those that another proxy serves, have none. Only IPv4 so far. Upstream:
pkg/proxy serviceport.go.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Any

from minikube_py.api.meta import labels_of, name_of, namespace_of

DEFAULT_AFFINITY_S = 10800
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
    affinity_s: int = 0
    """Session affinity by client IP: how long a silent client keeps its endpoint; 0: none."""
    source_ranges: tuple[str, ...] = ()
    """Who may come to `load_balancer_ips`, as networks that do not overlap; empty: everybody."""
    load_balancer_ips: tuple[str, ...] = ()
    """Those of `external_ips` that are the load balancer's."""
    health_port: int = 0
    """Port at which load balancers ask whether this node has endpoints of its own; 0: none."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}:{self.port_name or self.port}"


def parse_service(service: Mapping[str, Any]) -> tuple[ServicePort, ...]:
    """Return the Service's ports in the order of its spec; empty when this proxy has nothing to do for it."""
    spec = service.get("spec") or {}
    cluster_ips = _ipv4(spec.get("clusterIPs") or [spec.get("clusterIP")])
    if spec.get("type") == "ExternalName" or not cluster_ips or PROXY_NAME_LABEL in labels_of(service):
        return ()
    ports = (spec_port for spec_port in spec.get("ports") or () if _protocol(spec_port) in PROTOCOLS)
    balancer_ips = _ipv4(_load_balancer_ips(service))
    external_ips = _ipv4((*(spec.get("externalIPs") or ()), *balancer_ips))
    is_balanced = spec.get("type") == "LoadBalancer"
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
            affinity_s=_affinity_s(spec),
            source_ranges=_source_ranges(spec) if is_balanced else (),
            load_balancer_ips=balancer_ips,
            health_port=int(spec.get("healthCheckNodePort") or 0) if is_balanced else 0,
        )
        for spec_port in ports
    )


def _protocol(spec_port: Mapping[str, Any]) -> str:
    return str(spec_port.get("protocol") or "TCP").lower()


def _load_balancer_ips(service: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the load balancer's IPs; with ipMode Proxy the balancer wants to see the traffic itself."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return tuple(entry.get("ip") for entry in ingress if entry.get("ipMode", "VIP") == "VIP")


def _affinity_s(spec: Mapping[str, Any]) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    client_ip = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(client_ip.get("timeoutSeconds") or DEFAULT_AFFINITY_S)


def _source_ranges(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the IPv4 ranges, merged where they overlap: the kernel's sets take no element twice."""
    networks: list[IPv4Network] = []
    for text in spec.get("loadBalancerSourceRanges") or ():
        with suppress(ValueError):
            networks.append(IPv4Network(str(text).strip(), strict=False))
    return tuple(str(network) for network in collapse_addresses(networks))


def _ipv4(addresses: Any) -> tuple[str, ...]:
    """Return the IPv4 addresses among `addresses`, each once, in order."""
    return tuple(dict.fromkeys(text for text in addresses if is_ipv4(text)))


def is_ipv4(text: Any) -> bool:
    """Return whether `text` is an IPv4 address in its usual form."""
    try:
        return bool(str(IPv4Address(text)) == text)
    except ValueError:
        return False
