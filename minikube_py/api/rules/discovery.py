"""EndpointSlices: where the pods behind a Service can be reached.

Upstream: pkg/apis/discovery/v1 defaults.go, pkg/apis/discovery/validation.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.names import (
    Messages,
    dns_label_faults,
    dns_subdomain_faults,
    label_value_faults,
    parse_ip,
    port_number_faults,
    qualified_name_faults,
)
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
    check_immutable,
    duplicate,
    indexed,
    items,
    part,
    required,
)
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update

ENDPOINTS_MAX = 1000
PORTS_MAX = 20000
ADDRESSES_MAX = 100
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_LINK_LOCAL_MULTICAST = IPv4Network("224.0.0.0/24")


def set_defaults(endpoint_slice: Obj) -> None:
    """Fill in an EndpointSlice."""
    for port in endpoint_slice.get("ports") or ():
        if port.get("name") is None:
            port["name"] = ""
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for endpoint in endpoint_slice.get("endpoints") or ():
        endpoint.setdefault("conditions", {})


def _nothing(obj: Obj) -> None:
    """Start as it was given."""


def _keep(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing."""


def validate(endpoint_slice: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of an EndpointSlice."""
    return (*validate_metadata(endpoint_slice), *_validate_slice(endpoint_slice))


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed EndpointSlice; its address type stays."""
    return (
        *validate_metadata_update(new, old),
        *_validate_slice(new),
        *check_immutable("addressType", new.get("addressType"), old.get("addressType")),
    )


def _validate_slice(endpoint_slice: Mapping[str, Any]) -> Faults:
    kind = endpoint_slice.get("addressType") or ""
    if kind:
        yield from check_choice("addressType", kind, ADDRESS_TYPES)
    else:
        yield required("addressType")
    yield from _check_count(endpoint_slice, "endpoints", "", ENDPOINTS_MAX)
    for path, endpoint in indexed(endpoint_slice, "endpoints", ""):
        yield from _validate_endpoint(endpoint, kind, path)
    yield from _check_count(endpoint_slice, "ports", "", PORTS_MAX)
    names: set[str] = set()
    for path, port in indexed(endpoint_slice, "ports", ""):
        name = port.get("name") or ""
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        yield from _validate_port(port, path)


def _validate_port(port: Mapping[str, Any], path: str) -> Faults:
    name = port.get("name") or ""
    if name:
        yield from all_invalid(f"{path}.name", name, dns_label_faults(name))
    yield from check_choice(f"{path}.protocol", port.get("protocol"), _PROTOCOLS)
    if port.get("port") is not None:
        yield from all_invalid(f"{path}.port", port["port"], port_number_faults(port["port"]))
    if port.get("appProtocol") is not None:
        yield from all_invalid(f"{path}.appProtocol", port["appProtocol"], qualified_name_faults(port["appProtocol"]))


def _validate_endpoint(endpoint: Mapping[str, Any], kind: str, path: str) -> Faults:
    if not items(endpoint, "addresses"):
        yield required(f"{path}.addresses", "must contain at least 1 address")
    yield from _check_count(endpoint, "addresses", path, ADDRESSES_MAX)
    for here, address in indexed(endpoint, "addresses", path):
        yield from all_invalid(here, address, _address_faults(address, kind))
    if endpoint.get("hostname"):
        yield from all_invalid(f"{path}.hostname", endpoint["hostname"], dns_label_faults(endpoint["hostname"]))
    if endpoint.get("nodeName"):
        yield from all_invalid(f"{path}.nodeName", endpoint["nodeName"], dns_subdomain_faults(endpoint["nodeName"]))
    for here, zone in indexed(part(endpoint, "hints"), "forZones", f"{path}.hints"):
        name = zone.get("name") or ""
        yield from all_invalid(f"{here}.name", name, label_value_faults(name))


def _check_count(obj: Mapping[str, Any], field: str, path: str, limit: int) -> Faults:
    count = len(items(obj, field))
    if count > limit:
        where = f"{path}.{field}" if path else field
        yield FieldError("FieldValueTooMany", where, f"must have at most {limit} items", count)


def _address_faults(address: str, kind: str) -> Messages:
    if kind == "FQDN":
        messages = dns_subdomain_faults(address.removesuffix("."))
        dotted = messages or "." in address.removesuffix(".")
        return messages if dotted else ("should be a domain with at least two segments separated by dots",)
    if kind not in ("IPv4", "IPv6"):
        return ()
    parsed = parse_ip(address)
    if parsed is None or parsed.version != (4 if kind == "IPv4" else 6):
        return (f"must be a valid {kind} address",)
    return special_ip_faults(address)


def special_ip_faults(address: str) -> Messages:
    """Return why an address cannot be an endpoint: only this host could reach it (upstream: ValidateNonSpecialIP)."""
    parsed = parse_ip(address)
    if parsed is None:
        return ("must be a valid IP address",)
    if parsed.is_unspecified:
        return (f"may not be unspecified ({parsed})",)
    if parsed.is_loopback:
        return ("may not be in the loopback range (127.0.0.0/8, ::1/128)",)
    if parsed.is_link_local:
        return ("may not be in the link-local range (169.254.0.0/16, fe80::/10)",)
    if isinstance(parsed, IPv4Address) and parsed in _LINK_LOCAL_MULTICAST:
        return ("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",)
    return ()


ENDPOINT_SLICE_RULES = Rules(set_defaults, _nothing, _keep, validate, validate_update)
