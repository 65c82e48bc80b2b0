"""Whether this node takes a pod that was bound to it: what the scheduler checked, once more, by the node itself.

Pods reach a node past the scheduler (spec.nodeName, DaemonSets of others, races of two schedulers), and a node knows
best what it has. A pod that is not taken fails for good; its controller makes another one.

The order is upstream's: system and pressure first, then resources, labels, name, ports, taints. Extended resources
that the node does not have are not looked at: cluster-level ones belong to somebody else.

Upstream: kubelet/lifecycle/predicate.go, scheduler.AdmissionCheck, eviction manager's Admit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import labels_of, name_of
from minikube_py.api.object_selectors import compile_expressions, selects
from minikube_py.api.quantity import amounts_of
from minikube_py.api.taints import NO_EXECUTE, NO_SCHEDULE, find_untolerated, taints_of, tolerates, tolerations_of
from minikube_py.kubelet.eviction_ranking import is_critical
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resources import pod_requests, whole
from minikube_py.kubelet.pod_sources import is_static
from minikube_py.kubelet.resources import qos_class

_COUNTED = ("cpu", "memory", "ephemeral-storage")
_MEMORY_TAINT = {"key": "node.kubernetes.io/memory-pressure", "effect": NO_SCHEDULE}
_REJECTED = "Pod was rejected: "


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a pod is not taken: the status' reason, and what the event says."""

    reason: str
    message: str

    @property
    def status_message(self) -> str:
        """Return the message of the pod's status."""
        return _REJECTED + self.message


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """What the node has and is."""

    node: Mapping[str, Any]
    """The Node object."""
    allocatable: Mapping[str, str]
    pressures: tuple[str, ...] = ()
    """Conditions that are true: MemoryPressure, DiskPressure, PIDPressure."""


def judge_pod(pod: Pod, room: NodeRoom, others: Sequence[Pod]) -> Rejection | None:
    """Return why the node does not take the pod, None when it does.

    Args:
        pod: the pod.
        room: the node.
        others: the pods that it has taken and that are not over.
    """
    return (
        _pressure(pod, room.pressures)
        or _system(pod)
        or _resources(pod, room.allocatable, others)
        or _affinity(pod, room.node)
        or _node_name(pod, room.node)
        or _ports(pod, others)
        or _taints(pod, room.node)
    )


def _predicate(name: str, why: str) -> Rejection:
    return Rejection(name, f"Predicate {name} failed: {why}")


def _pressure(pod: Pod, pressures: tuple[str, ...]) -> Rejection | None:
    if not pressures or is_critical(pod):
        return None
    if pressures == ("MemoryPressure",):
        tolerated = any(tolerates(toleration, _MEMORY_TAINT) for toleration in tolerations_of(pod.object))
        if tolerated or qos_class(pod) != "BestEffort":
            return None
    return Rejection("Evicted", f"The node had condition: [{' '.join(pressures)}]. ")


def _system(pod: Pod) -> Rejection | None:
    wanted = pod.labels.get("kubernetes.io/os")
    if wanted is not None and wanted != "linux":
        why = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
        return Rejection("PodOSSelectorNodeLabelDoesNotMatch", why)
    system = _spec(pod).get("os") or {}
    if system.get("name", "linux") != "linux":
        return Rejection("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
    return None


def _spec(pod: Pod) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = pod.object.get("spec") or {}
    return spec


def _resources(pod: Pod, allocatable: Mapping[str, str], others: Sequence[Pod]) -> Rejection | None:
    room = amounts_of(allocatable)
    if "pods" in room and len(others) + 1 > whole("pods", room["pods"]):
        return _insufficient("pods", 1, len(others), whole("pods", room["pods"]))
    requests = {name: amount for name, amount in pod_requests(pod).items() if amount > 0}
    names = [name for name in _COUNTED if name in requests]
    names += sorted(name for name in requests if name not in _COUNTED and name in room)
    for name in names:
        used = sum(whole(name, pod_requests(other).get(name, 0)) for other in others)
        wanted, capacity = whole(name, requests[name]), whole(name, room.get(name, 0))
        if wanted > capacity - used:
            return _insufficient(name, wanted, used, capacity)
    return None


def _insufficient(resource: str, requested: int, used: int, capacity: int) -> Rejection:
    numbers = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Rejection(f"OutOf{resource}", f"Node didn't have enough resource: {resource}, {numbers}")


def _affinity(pod: Pod, node: Mapping[str, Any]) -> Rejection | None:
    spec, labels = _spec(pod), labels_of(node)
    selector = spec.get("nodeSelector") or {}
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    fits = all(labels.get(key) == value for key, value in selector.items())
    if required is not None:
        fits = fits and any(_matches(term, node) for term in required.get("nodeSelectorTerms") or ())
    return None if fits else _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")


def _matches(term: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    by_label = selects(compile_expressions(expressions), labels_of(node))
    return by_label and selects(compile_expressions(fields), {"metadata.name": name_of(node)})


def _node_name(pod: Pod, node: Mapping[str, Any]) -> Rejection | None:
    if not pod.node_name or pod.node_name == name_of(node):
        return None
    return _predicate("NodeName", "node(s) didn't match the requested node name")


def _host_ports(pod: Pod) -> set[tuple[str, str, int]]:
    spec = _spec(pod)
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return {
        (str(port.get("hostIP") or "0.0.0.0"), str(port.get("protocol") or "TCP"), int(port["hostPort"]))
        for container in (*(spec.get("containers") or ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def _ports(pod: Pod, others: Iterable[Pod]) -> Rejection | None:
    wanted = _host_ports(pod)
    if not wanted:
        return None
    taken = {port for other in others for port in _host_ports(other)}
    for ip, protocol, number in sorted(wanted):
        for other_ip, other_protocol, other_number in taken:
            same = (protocol, number) == (other_protocol, other_number)
            if same and ("0.0.0.0" in (ip, other_ip) or ip == other_ip):
                return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def _taints(pod: Pod, node: Mapping[str, Any]) -> Rejection | None:
    if is_static(pod):
        return None
    untolerated = find_untolerated(taints_of(node), tolerations_of(pod.object), frozenset({NO_EXECUTE}))
    if untolerated is None:
        return None
    return _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
