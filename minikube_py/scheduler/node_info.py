"""Pods and nodes as the scheduler counts them: requests, free room, ports, terms; frozen, made once for each object.

Amounts are integers: CPU in thousandths of a core, everything else in whole units (upstream: framework.Resource).
What a pod asks for is the larger of two moments: all containers and sidecars running, and the most hungry step of
its initialisation with the sidecars started before that step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    uid_of,
)
from minikube_py.api.quantity import QuantityError, parse_quantity
from minikube_py.scheduler.terms import PodTerms, compile_terms

Amounts = Mapping[str, int]
"""Resource name -> amount."""

PODS = "pods"
DEFAULT_CPU_MILLI = 100
DEFAULT_MEMORY = 200 << 20
"""What a container that asks for nothing counts for in scores, so that best-effort pods spread too (as upstream); one
that asks for 0 counts for that."""


def amount(resource: str, text: object) -> int:
    """Return a quantity as the scheduler counts it; what cannot be read counts as nothing."""
    try:
        quantity = parse_quantity(str(text))
    except QuantityError:
        return 0
    return quantity.milli if resource == "cpu" else quantity.value


def _requests_of(container: Mapping[str, Any]) -> dict[str, int]:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {name: amount(name, text) for name, text in requests.items()}


def _requests_for_score(container: Mapping[str, Any]) -> dict[str, int]:
    requests = _requests_of(container)
    return {"cpu": requests.get("cpu", DEFAULT_CPU_MILLI), "memory": requests.get("memory", DEFAULT_MEMORY)}


def _added(one: Amounts, other: Amounts) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *(n for n in other if n not in one))}


def _larger(one: Amounts, other: Amounts) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in (*one, *(n for n in other if n not in one))}


def compute_requests(pod: Mapping[str, Any], *, for_score: bool = False) -> Amounts:
    """Return what the pod asks for (upstream: component-helpers resource.PodRequests)."""
    of = _requests_for_score if for_score else _requests_of
    spec = pod.get("spec") or {}
    sidecars: dict[str, int] = {}
    initialising: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        step = _added(sidecars, of(container))
        if container.get("restartPolicy") == "Always":
            sidecars = step
        initialising = _larger(initialising, step)
    running = sidecars
    for container in spec.get("containers") or ():
        running = _added(running, of(container))
    total = _larger(running, initialising)
    for name, text in ((spec.get("resources") or {}).get("requests") or {}).items():
        total[name] = amount(name, text)
    overhead = {name: amount(name, text) for name, text in (spec.get("overhead") or {}).items()}
    return _added(total, overhead)


@dataclass(frozen=True, slots=True)
class HostPort:
    """One port of the host that a pod takes."""

    ip: str
    protocol: str
    port: int

    def clashes(self, other: "HostPort") -> bool:
        """Return whether both cannot be on one node; 0.0.0.0 is every address."""
        same = self.port == other.port and self.protocol == other.protocol
        return same and ("0.0.0.0" in (self.ip, other.ip) or self.ip == other.ip)


def host_ports_of(pod: Mapping[str, Any]) -> tuple[HostPort, ...]:
    """Return the host ports of all containers, sidecars included."""
    spec = pod.get("spec") or {}
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return tuple(
        HostPort(port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(port["hostPort"]))
        for container in (*(spec.get("containers") or ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


@dataclass(frozen=True, slots=True)
class PodInfo:
    """One pod, read once."""

    key: ObjectKey
    uid: str
    obj: Obj
    labels: Mapping[str, str]
    requests: Amounts
    score_requests: Amounts
    host_ports: tuple[HostPort, ...]
    priority: int
    owner_uid: str
    """uid of the controller, empty when there is none: its pods are spread."""
    deleting: bool
    terms: PodTerms

    @property
    def spec(self) -> Obj:
        """Return the pod's spec."""
        return self.obj.get("spec") or {}


def read_pod(pod: Obj) -> PodInfo:
    """Return what the scheduler needs of a pod."""
    return PodInfo(
        key=key_of(pod),
        uid=uid_of(pod),
        obj=pod,
        labels=labels_of(pod),
        requests=compute_requests(pod),
        score_requests=compute_requests(pod, for_score=True),
        host_ports=host_ports_of(pod),
        priority=int((pod.get("spec") or {}).get("priority") or 0),
        owner_uid=str((controller_of(pod) or {}).get("uid", "")),
        deleting=is_deleting(pod),
        terms=compile_terms(pod),
    )


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """One node with its pods and what they take."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Obj, ...]
    unschedulable: bool
    allocatable: Amounts
    images: Mapping[str, int] = field(default_factory=dict)
    """Image name -> size in bytes."""
    pods: tuple[PodInfo, ...] = ()
    used: Amounts = field(default_factory=dict)
    score_used: Amounts = field(default_factory=dict)
    host_ports: tuple[HostPort, ...] = ()
    has_anti_affinity: bool = False

    def free(self, resource: str) -> int:
        """Return how much of a resource is left."""
        return self.allocatable.get(resource, 0) - self.used.get(resource, 0)


def read_node(node: Obj, pods: Iterable[PodInfo] = ()) -> NodeInfo:
    """Return what the scheduler needs of a node with these pods on it."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    images = {
        str(name): int(image.get("sizeBytes") or 0)
        for image in status.get("images") or ()
        for name in image.get("names") or ()
    }
    empty = NodeInfo(
        name=name_of(node),
        labels=labels_of(node),
        taints=tuple(spec.get("taints") or ()),
        unschedulable=bool(spec.get("unschedulable")),
        allocatable={name: amount(name, text) for name, text in allocatable.items()},
        images=images,
    )
    return with_pods(empty, tuple(pods))


def with_pods(node: NodeInfo, pods: tuple[PodInfo, ...]) -> NodeInfo:
    """Return the node with exactly these pods."""
    used: dict[str, int] = {}
    score_used: dict[str, int] = {}
    for pod in pods:
        used = _added(used, pod.requests)
        score_used = _added(score_used, pod.score_requests)
    used[PODS] = len(pods)
    return NodeInfo(
        name=node.name,
        labels=node.labels,
        taints=node.taints,
        unschedulable=node.unschedulable,
        allocatable=node.allocatable,
        images=node.images,
        pods=pods,
        used=used,
        score_used=score_used,
        host_ports=tuple(port for pod in pods for port in pod.host_ports),
        has_anti_affinity=any(pod.terms.anti_affinity for pod in pods),
    )
