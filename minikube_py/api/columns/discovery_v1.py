"""Columns of the discovery.k8s.io group's kinds (upstream: printers/internalversion printEndpointSlice)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.core_v1 import shorten
from minikube_py.api.resource import Column

_UNSET = "<unset>"


def _ports(endpoint_slice: Mapping[str, Any], _: float) -> str:
    ports = endpoint_slice.get("ports") or ()
    return shorten([str(port.get("port") or port.get("name") or "*") for port in ports], _UNSET)


def _addresses(endpoint_slice: Mapping[str, Any], _: float) -> str:
    endpoints = endpoint_slice.get("endpoints") or ()
    return shorten([address for endpoint in endpoints for address in endpoint.get("addresses") or ()], _UNSET)


ENDPOINT_SLICE_COLUMNS = (
    NAME,
    Column(
        "AddressType",
        lambda obj, _: obj.get("addressType", ""),
        description="What the addresses are: IPv4, IPv6 or FQDN.",
    ),
    Column("Ports", _ports, description="Ports on which every endpoint answers."),
    Column("Endpoints", _addresses, description="Addresses of the endpoints."),
    AGE,
)
