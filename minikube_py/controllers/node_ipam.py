"""A range of pod addresses for each node, out of the cluster's: spec.podCIDR, set once and never changed.

One worker, and the loop waits for the cache after each write: two nodes never get the same range. A node that has a
range from elsewhere keeps it, and it counts as taken. Upstream: pkg/controller/nodeipam (RangeAllocator).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, uid_of
from minikube_py.api.resources import NODES
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Failure, Item, Listers, Patch, Plan, Record
from minikube_py.controllers.spec import ControllerSpec, Watch

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class NodeIpamView:
    """One node without a range, the ranges that others have, and where ranges come from."""

    node: Obj
    taken: tuple[Network, ...]
    cluster: Network
    prefix_length: int


def pod_cidr_of(node: Obj) -> str:
    """Return spec.podCIDR, empty when the node has none."""
    return str((node.get("spec") or {}).get("podCIDR") or "")


def read_network(text: str) -> Network | None:
    """Return a range; None when there is none or it cannot be read (then it takes nothing from us either)."""
    try:
        return ip_network(text) if text else None
    except ValueError:
        return None


def find_free(cluster: Network, prefix_length: int, taken: Sequence[Network]) -> Network | None:
    """Return the lowest range of that length which overlaps none that is taken; None: all are used up."""
    used = {network for network in taken if network.prefixlen == prefix_length}
    odd = [network for network in taken if network.prefixlen != prefix_length]
    for candidate in cluster.subnets(new_prefix=max(prefix_length, cluster.prefixlen)):
        if candidate not in used and not any(_overlap(candidate, network) for network in odd):
            return candidate
    return None


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def reconcile(seen: NodeIpamView, now_s: float) -> Plan:
    """Decide which range the node gets."""
    free = find_free(seen.cluster, seen.prefix_length, seen.taken)
    if free is None:
        return Plan(
            (Record(seen.node, "Normal", "CIDRNotAvailable", _NOT_AVAILABLE.format(seen.node["metadata"]["name"])),)
        )
    patch = {"spec": {"podCIDR": str(free), "podCIDRs": [str(free)]}}
    return Plan((Patch(NODES, key_of(seen.node), patch, uid=uid_of(seen.node)),))


_NOT_AVAILABLE = "Node {} status is now: CIDRNotAvailable"


def _items_of(change: Change, listers: Listers) -> Sequence[Item]:
    """A node without a range; and when a range becomes free, all nodes that wait for one."""
    if change.new is not None:
        return () if pod_cidr_of(change.new) else (Item(NODES.qualified, key_of(change.new)),)
    return [Item(NODES.qualified, key_of(node)) for node in listers.list(NODES) if not pod_cidr_of(node)]


def spec(cluster_cidr: str, prefix_length: int) -> ControllerSpec[NodeIpamView]:
    """Return the row of the table of controllers."""
    cluster = ip_network(cluster_cidr)

    def observe(listers: Listers, item: Item, failure: Failure | None) -> NodeIpamView | None:
        node = listers.get(NODES, ObjectKey("", item.key.name))
        if node is None or is_deleting(node) or pod_cidr_of(node):
            return None
        taken = tuple(network for other in listers.list(NODES) if (network := read_network(pod_cidr_of(other))))
        return NodeIpamView(node, taken, cluster, prefix_length)

    return ControllerSpec(
        name="node-ipam",
        component="cidrAllocator",
        watches=(Watch(NODES, _items_of),),
        observe=observe,
        reconcile=reconcile,
        workers_max=1,
    )
