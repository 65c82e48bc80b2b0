"""Whether the server of an APIService can be asked: what its condition Available says, and why.

    ServiceNotFound       the Service is not there
    ServicePortError      it has no such port
    EndpointsNotFound     nobody has listed its endpoints
    MissingEndpoints      none of them is ready at this port
    FailedDiscoveryCheck  five requests for the discovery document were sent, and none was answered with 2xx
    Passed                one was

A Service without a cluster IP of its own (ExternalName) is asked without looking at endpoints.

Upstream: kube-aggregator pkg/controllers/status/remote.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from minikube_py.apiserver.api_services import ServiceReference

ATTEMPTS = 5
"""Requests for the discovery document that are sent at one time; the first good answer decides."""
ATTEMPT_TIMEOUT_S = 5.0
LOOK_AGAIN_S = 30.0
"""Every APIService of another server is checked so often, whatever events say."""
CHECK_USER = "system:kube-aggregator"
FAILED_CHECK = "FailedDiscoveryCheck"


class Verdict(NamedTuple):
    """The condition Available."""

    status: str
    reason: str
    message: str


PASSED = Verdict("True", "Passed", "all checks passed")


def check_service(
    target: ServiceReference, service: Mapping[str, Any] | None, slices: Sequence[Mapping[str, Any]]
) -> Verdict | None:
    """Return what is wrong with a Service, by its object and its EndpointSlices; None: it can be asked."""
    where = f'service/{target.name} in "{target.namespace}"'
    if service is None:
        return Verdict("False", "ServiceNotFound", f"{where} is not present")
    spec = service.get("spec") or {}
    if spec.get("type", "ClusterIP") != "ClusterIP":
        return None
    port = next((port for port in spec.get("ports") or () if port.get("port") == target.port), None)
    if port is None:
        return Verdict("False", "ServicePortError", f"{where} is not listening on port {target.port}")
    if not slices:
        return Verdict("False", "EndpointsNotFound", f"cannot find endpoints for {where}")
    name = str(port.get("name") or "")
    if not any(_has_ready(endpoint_slice, name) for endpoint_slice in slices):
        message = f'endpoints for {where} have no addresses with port name "{name}"'
        return Verdict("False", "MissingEndpoints", message)
    return None


def _has_ready(endpoint_slice: Mapping[str, Any], port_name: str) -> bool:
    if not any((port.get("name") or "") == port_name for port in endpoint_slice.get("ports") or ()):
        return False
    endpoints = endpoint_slice.get("endpoints") or ()
    return any(
        endpoint.get("addresses") and (endpoint.get("conditions") or {}).get("ready") is not False
        for endpoint in endpoints
    )


def failed_check(url: str, why: str) -> Verdict:
    """Return the verdict when no request for the discovery document at `url` was answered well."""
    return Verdict("False", FAILED_CHECK, f"failing or missing response from {url}: {why}")


def bad_status(url: str, code: int) -> str:
    """Return why an answer of this status is none; redirects count as failures too."""
    return "" if 200 <= code < 300 else f"bad status from {url}: {code}"
