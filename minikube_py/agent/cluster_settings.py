"""Settings that all nodes of a cluster share: the masters have them, a host learns them when it joins.

A host may repeat one of them in its own flags; one that says something else is an error, since its pods would talk
past those of every other node.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from minikube_py.agent.errors import AgentError
from minikube_py.config import AgentConfig


def _port_range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last) + 1)


_SHARED: Mapping[str, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "cluster-cidr": ("cluster_cidr", str, IPv4Network),
    "service-cidr": ("service_cidr", str, IPv4Network),
    "cluster-dns": ("cluster_dns", str, IPv4Address),
    "cluster-domain": ("cluster_domain", str, str),
    "service-node-port-range": ("node_ports", lambda ports: f"{ports[0]}-{ports[-1]}", _port_range),
    "pod-network": ("pod_network", str, str),
    "vxlan-port": ("vxlan_port", int, int),
    "disable": ("disabled", sorted, frozenset),
}
"""Name -> its field in AgentConfig, and the way to JSON and back."""


def render_cluster_settings(config: AgentConfig) -> Mapping[str, Any]:
    """Return a master's settings as hosts get them, by the names of the flags."""
    return {name: render(getattr(config, field)) for name, (field, render, _) in _SHARED.items()}


def with_cluster_settings(config: AgentConfig, cluster: Mapping[str, Any]) -> AgentConfig:
    """Return a host's settings with those of its cluster.

    Raises:
        AgentError: a setting that was given on the host says something else.
    """
    shared = {field: parse(cluster[name]) for name, (field, _, parse) in _SHARED.items() if name in cluster}
    faults = [
        f"--{name} is {render(getattr(config, field))} here and {cluster[name]} in the cluster: leave it out"
        for name, (field, render, _) in _SHARED.items()
        if name in config.explicit and field in shared and getattr(config, field) != shared[field]
    ]
    if faults:
        raise AgentError("\n".join(faults))
    return replace(config, **shared)
