"""What a load balancer is told when it asks whether this node has endpoints of a Service (healthCheckNodePort).

With externalTrafficPolicy Local only such nodes shall get connections from outside. Upstream: pkg/proxy/healthcheck.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import name_of, namespace_of
from minikube_py.proxy.endpoints_map import EndpointsByPort
from minikube_py.proxy.service_map import parse_service


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One Service that load balancers ask about."""

    namespace: str
    service: str
    port: int
    """Where they ask, on every address of the node."""
    local_endpoints: int
    """Addresses of ready endpoints on this node."""


def health_check_of(service: Mapping[str, Any], endpoints: EndpointsByPort) -> HealthCheck | None:
    """Return what a Service's health port tells; None when it has none."""
    port = next((port.health_port for port in parse_service(service)), 0)
    if not port:
        return None
    found = (endpoint for listed in endpoints.values() for endpoint in listed)
    local = {endpoint.address for endpoint in found if endpoint.is_local and endpoint.ready}
    return HealthCheck(namespace_of(service), name_of(service), port, len(local))


def render_answer(check: HealthCheck, *, proxy_is_healthy: bool) -> bytes:
    """Return the whole HTTP answer: 200 when connections may come to this node, else 503."""
    good = check.local_endpoints > 0 and proxy_is_healthy
    body = json.dumps(
        {
            "service": {"namespace": check.namespace, "name": check.service},
            "localEndpoints": check.local_endpoints,
            "serviceProxyHealthy": proxy_is_healthy,
        }
    ).encode()
    head = (
        f"HTTP/1.1 {'200 OK' if good else '503 Service Unavailable'}",
        "Content-Type: application/json",
        "X-Content-Type-Options: nosniff",
        f"X-Load-Balancing-Endpoint-Weight: {check.local_endpoints}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
