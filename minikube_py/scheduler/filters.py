"""Which nodes can take a pod, and why the others cannot: one small rule after the other, in upstream's order.

Each rule returns the reasons why the node is out, in upstream's words (people search for them); the first rule with
reasons ends the node. A reason is `hopeless` when removing pods from the node would not change it.

Upstream: pkg/scheduler/framework/plugins.
"""

from collections.abc import Callable
from dataclasses import dataclass

from minikube_py.api.meta import ObjectKey
from minikube_py.api.persistent_volumes import NodeFacts
from minikube_py.api.taints import (
    HARD_EFFECTS,
    NO_SCHEDULE,
    UNSCHEDULABLE,
    find_untolerated,
    tolerates,
    tolerations_of,
)
from minikube_py.scheduler.node_info import PODS, NodeInfo, PodInfo
from minikube_py.scheduler.snapshot import Facts
from minikube_py.scheduler.volumes import ONE_POD_ONLY, claims_of, refuse_node


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node is out."""

    reasons: tuple[str, ...]
    hopeless: bool


Filter = Callable[[PodInfo, NodeInfo, Facts], Refusal | None]


def node_unschedulable(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse cordoned nodes, unless the pod tolerates that."""
    taint = {"key": UNSCHEDULABLE, "effect": NO_SCHEDULE}
    if node.unschedulable and not any(tolerates(toleration, taint) for toleration in tolerations_of(pod.obj)):
        return Refusal(("node(s) were unschedulable",), hopeless=True)
    return None


def node_name(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse all but the node that the pod names."""
    wanted = pod.spec.get("nodeName")
    if wanted and wanted != node.name:
        return Refusal(("node(s) didn't match the requested node name",), hopeless=True)
    return None


def taint_toleration(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes with a taint (NoSchedule, NoExecute) that the pod does not tolerate."""
    if find_untolerated(node.taints, tolerations_of(pod.obj), HARD_EFFECTS) is None:
        return None
    return Refusal(("node(s) had untolerated taint(s)",), hopeless=True)


def node_affinity(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes that nodeSelector or required node affinity do not choose."""
    if pod.terms.match_node(node.name, node.labels):
        return None
    return Refusal(("node(s) didn't match Pod's node affinity/selector",), hopeless=True)


def node_ports(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes where a host port of the pod is taken."""
    if any(port.clashes(taken) for port in pod.host_ports for taken in node.host_ports):
        return Refusal(("node(s) didn't have free ports for the requested pod ports",), hopeless=False)
    return None


def resources_fit(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes without room: all that is lacking is named; what not even the empty node has is hopeless."""
    reasons = []
    hopeless = False
    if node.used.get(PODS, 0) + 1 > node.allocatable.get(PODS, 0):
        reasons.append("Too many pods")
    for name, wanted in pod.requests.items():
        if wanted > 0 and wanted > node.free(name):
            reasons.append(f"Insufficient {name}")
            hopeless = hopeless or wanted > node.allocatable.get(name, 0)
    return Refusal(tuple(reasons), hopeless) if reasons else None


def volumes(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes where the pod's volumes are not, and cannot be."""
    asked = facts.volumes
    if not (asked.bound or asked.waiting):
        return None
    used: frozenset[ObjectKey] = frozenset()
    if asked.exclusive:
        used = frozenset(
            ObjectKey(other.key.namespace, name) for other in node.pods for name, _ in claims_of(other.obj)
        )
    reason = refuse_node(asked, NodeFacts(node.name, node.labels), used)
    return Refusal((reason,), hopeless=reason != ONE_POD_ONLY) if reason else None


def topology_spread(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes that would make the pods of a required constraint too uneven."""
    reason = "node(s) didn't match pod topology spread constraints"
    for spread in facts.spreads:
        if not spread.constraint.required:
            continue
        value = node.labels.get(spread.constraint.topology_key)
        if value is None:
            return Refusal((f"{reason} (missing required label)",), hopeless=True)
        if spread.skew(value) > spread.constraint.max_skew:
            return Refusal((reason,), hopeless=False)
    return None


def pod_affinity(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Refuse nodes that required affinity and anti-affinity, the pod's or others', rule out."""
    if not (pod.terms.affinity or facts.far or facts.closed):
        return None
    keys = [term.topology_key for term in pod.terms.affinity]
    domains = [(key, node.labels[key]) for key in keys if key in node.labels]
    all_near = len(domains) == len(keys) and all(facts.near.get(domain, 0) > 0 for domain in domains)
    if keys and not all_near and not (facts.may_be_first and len(domains) == len(keys)):
        return Refusal(("node(s) didn't match pod affinity rules",), hopeless=True)
    here = set(node.labels.items())
    if facts.far & here:
        return Refusal(("node(s) didn't match pod anti-affinity rules",), hopeless=False)
    if facts.closed & here:
        return Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",), hopeless=False)
    return None


FILTERS: tuple[Filter, ...] = (
    node_unschedulable,
    node_name,
    taint_toleration,
    node_affinity,
    node_ports,
    resources_fit,
    volumes,
    topology_spread,
    pod_affinity,
)


def refuse(pod: PodInfo, node: NodeInfo, facts: Facts) -> Refusal | None:
    """Return why the node is out, None when it can take the pod."""
    for rule in FILTERS:
        refusal = rule(pod, node, facts)
        if refusal is not None:
            return refusal
    return None
