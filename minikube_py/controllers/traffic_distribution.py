"""From where an endpoint wants to be used, when its Service asks for near ones: the hints that proxies follow.

    PreferSameZone (PreferClose is its older name)   proxies of the endpoint's zone
    PreferSameNode                                   the proxy of its node, else those of its zone

Proxies that find no near endpoint use all. Upstream: k8s.io/endpointslice trafficdist.
"""

from minikube_py.api.meta import Obj

PREFER_SAME_NODE = "PreferSameNode"
_NEAR = frozenset({"PreferClose", "PreferSameZone", PREFER_SAME_NODE})


def hints_for(endpoint: Obj, service: Obj) -> Obj:
    """Return the hints of an endpoint; empty when it is for all, or not ready."""
    wish = service["spec"].get("trafficDistribution")
    if wish not in _NEAR or not endpoint["conditions"]["ready"]:
        return {}
    zone, node = endpoint.get("zone"), endpoint.get("nodeName")
    hints: Obj = {"forZones": [{"name": zone}]} if zone else {}
    if node and wish == PREFER_SAME_NODE:
        hints["forNodes"] = [{"name": node}]
    return hints
