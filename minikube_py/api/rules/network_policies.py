"""NetworkPolicies: which peers may talk to which pods.

Upstream: pkg/apis/networking/v1 defaults.go, pkg/apis/networking/validation ValidateNetworkPolicySpec.
"""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import port_name_faults, port_number_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import make_rules

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("Ingress", "Egress")
BAD_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def set_defaults(policy: Obj) -> None:
    """Fill in a NetworkPolicy: it is about what comes in, and about what goes out when it has rules for that."""
    spec = policy.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    for field in ("ingress", "egress"):
        for rule in spec.get(field) or ():
            for port in rule.get("ports") or ():
                if not port.get("protocol"):
                    port["protocol"] = "TCP"
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def check(policy: Mapping[str, Any]) -> Faults:
    """Yield the faults of a NetworkPolicy."""
    spec = part(policy, "spec")
    yield from validate_label_selector(part(spec, "podSelector"), "spec.podSelector")
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for path, rule in indexed(spec, field, "spec"):
            for here, port in indexed(rule, "ports", path):
                yield from _check_port(port, here)
            for here, peer in indexed(rule, peers, path):
                yield from _check_peer(peer, here)
    types = items(spec, "policyTypes")
    if len(types) > len(_TYPES):
        yield invalid("spec.policyTypes", list(types), "may not specify more than two policyTypes")
        return
    for path, kind in indexed(spec, "policyTypes", "spec"):
        if kind not in _TYPES:
            yield unsupported(path, kind, _TYPES)


def _check_port(port: Mapping[str, Any], path: str) -> Faults:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, _PROTOCOLS)
    if isinstance(number, str):
        yield from all_invalid(f"{path}.port", number, port_name_faults(number))
    elif number is not None:
        yield from all_invalid(f"{path}.port", number, port_number_faults(number))
    if end is None:
        return
    if number is None:
        yield required(f"{path}.endPort", "may not be specified when `port` is not specified")
    elif isinstance(number, str):
        yield invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
    elif end < number:
        yield invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
    elif end > 65535:
        yield from all_invalid(f"{path}.endPort", end, port_number_faults(end))


def _check_peer(peer: Mapping[str, Any], path: str) -> Faults:
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(field) is not None]
    for field in ("podSelector", "namespaceSelector"):
        if field in given:
            yield from validate_label_selector(peer[field], f"{path}.{field}")
    if not given:
        yield required(path, "must specify a peer")
    elif "ipBlock" in given:
        yield from _check_block(peer["ipBlock"], f"{path}.ipBlock")
        if len(given) > 1:
            yield forbidden(path, "may not specify both ipBlock and another peer")


def _check_block(block: Mapping[str, Any], path: str) -> Faults:
    text = block.get("cidr") or ""
    if not text:
        yield required(f"{path}.cidr")
        return
    try:
        whole = ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        whole = None
    if whole is None:
        yield invalid(f"{path}.cidr", text, BAD_CIDR)
        return
    for here, other in indexed(block, "except", path):
        try:
            hole = ip_network(other, strict=False) if "/" in other else None
        except ValueError:
            hole = None
        if hole is None:
            yield invalid(here, other, BAD_CIDR)
        elif (
            hole.version != whole.version
            or not whole.network_address <= hole.network_address <= whole.broadcast_address  # type: ignore[operator]
            or hole.prefixlen <= whole.prefixlen
        ):
            yield invalid(here, other, "must be a strict subset of `cidr`")


POLICY_RULES = make_rules(check, set_defaults=set_defaults)
