"""IPAddresses and ServiceCIDRs: who holds which cluster IP, and from where they are given.

Upstream: pkg/apis/networking/validation ValidateIPAddress, ValidateServiceCIDR.
"""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from minikube_py.api.names import Messages, parse_ip
from minikube_py.api.rules.faults import Faults, check_immutable, indexed, invalid, items, part, required
from minikube_py.api.rules.network_policies import BAD_CIDR
from minikube_py.api.rules.rule_sets import make_rules, start_with

FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family"
MANAGED_LABEL = "ipaddress.kubernetes.io/managed-by"
SERVICE_MANAGER = "ipallocator.k8s.io"
"""Whose IPAddresses follow the Services; all others are somebody else's."""
CIDRS_MAX = 2
"""One of each address family."""


def address_name_faults(name: str) -> Messages:
    """Return what keeps a text from being an IPAddress's name: the address in its one canonical form."""
    parsed = parse_ip(name)
    if parsed is None:
        return ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)
    return () if str(parsed) == name else (f'must be in canonical form ("{parsed}")',)


def check_address(address: Mapping[str, Any]) -> Faults:
    """Yield the faults of an IPAddress."""
    parent = part(address, "spec").get("parentRef")
    if parent is None:
        yield required("spec.parentRef")
        return
    for field in ("resource", "name"):
        if not parent.get(field):
            yield required(f"spec.parentRef.{field}")


def check_address_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of handing an address on."""
    path = "spec.parentRef"
    yield from check_immutable(path, part(new, "spec").get("parentRef"), part(old, "spec").get("parentRef"))


def check_service_cidr(service_cidr: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ServiceCIDR."""
    cidrs = items(part(service_cidr, "spec"), "cidrs")
    if not cidrs:
        yield required("spec.cidrs", "at least one CIDR required")
        return
    if len(cidrs) > CIDRS_MAX:
        yield invalid("spec", dict(part(service_cidr, "spec")), f"may only hold up to {CIDRS_MAX} values")
        return
    families = []
    for path, text in indexed(part(service_cidr, "spec"), "cidrs", "spec"):
        try:
            network = ip_network(text) if "/" in text else None
        except ValueError:
            network = None
        if network is None:
            yield invalid(path, text, BAD_CIDR)
        else:
            families.append(network.version)
    if len(families) == CIDRS_MAX and len(set(families)) < CIDRS_MAX:
        yield invalid("spec.cidrs", list(cidrs), "may specify no more than one IP for each IP family")


def check_service_cidr_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing a range: it may only get one of the other family."""
    after, before = items(part(new, "spec"), "cidrs"), items(part(old, "spec"), "cidrs")
    if len(after) < len(before) or list(after[: len(before)]) != list(before):
        yield invalid("spec.cidrs", list(after), "field is immutable")


ADDRESS_RULES = make_rules(check_address, check_address_update, name_check=address_name_faults)
SERVICE_CIDR_RULES = make_rules(check_service_cidr, check_service_cidr_update, prepare_create=start_with({}))
