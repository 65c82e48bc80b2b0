"""What the proxy wants to know of EndpointSlices: the endpoints of one Service, merged over its slices.

While an endpoint moves from one slice to another it stands in both; then the more useful state counts (ready before
serving before not). Upstream: pkg/proxy endpointslicecache.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.proxy.service_map import is_ipv4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port behind a Service port."""

    address: str
    port: int
    ready: bool
    serving: bool
    terminating: bool
    is_local: bool
    zone_hints: frozenset[str] = frozenset()
    node_hints: frozenset[str] = frozenset()

    @property
    def target(self) -> tuple[str, int]:
        """Return where connections go."""
        return (self.address, self.port)


EndpointsByPort = Mapping[str, tuple[Endpoint, ...]]
"""The endpoints of one Service by port name, each tuple sorted by address and port."""


def merge_slices(slices: Iterable[Mapping[str, Any]], node_name: str) -> EndpointsByPort:
    """Return the endpoints of all `slices` of one Service; FQDN and IPv6 slices are left out."""
    merged: dict[str, dict[tuple[str, int], Endpoint]] = {}
    for endpoint_slice in slices:
        if endpoint_slice.get("addressType") != "IPv4":
            continue
        for slice_port in endpoint_slice.get("ports") or ():
            if slice_port.get("port") is None:
                continue
            by_target = merged.setdefault(str(slice_port.get("name") or ""), {})
            for raw in endpoint_slice.get("endpoints") or ():
                endpoint = _parse_endpoint(raw, int(slice_port["port"]), node_name)
                if endpoint is not None and _rank(endpoint) >= _rank(by_target.get(endpoint.target)):
                    by_target[endpoint.target] = endpoint
    return {name: tuple(by_target[target] for target in sorted(by_target)) for name, by_target in merged.items()}


def _parse_endpoint(raw: Mapping[str, Any], port: int, node_name: str) -> Endpoint | None:
    addresses = raw.get("addresses") or ()
    if not addresses or not is_ipv4(addresses[0]):
        return None
    conditions = raw.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    hints = raw.get("hints") or {}
    return Endpoint(
        address=addresses[0],
        port=port,
        ready=ready,
        serving=ready if serving is None else bool(serving),
        terminating=bool(conditions.get("terminating")),
        is_local=raw.get("nodeName") == node_name,
        zone_hints=frozenset(str(hint.get("name")) for hint in hints.get("forZones") or ()),
        node_hints=frozenset(str(hint.get("name")) for hint in hints.get("forNodes") or ()),
    )


def _rank(endpoint: Endpoint | None) -> int:
    if endpoint is None:
        return -1
    return 2 if endpoint.ready else 1 if endpoint.serving else 0
