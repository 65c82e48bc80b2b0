"""How many pods the controllers of a group of pods want: the base from which disruption budgets take percentages.

A pod's controller is asked through what /scale would show: ReplicaSets (those of a Deployment answer for the
Deployment), ReplicationControllers, StatefulSets, and custom resources that have /scale. A pod whose controller is
gone, is another one of its name, or has no /scale makes the number unknowable; a pod without controller counts for
nothing.

Upstream: pkg/controller/disruption (getExpectedScale and its finders).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.jsonpath import value_at
from minikube_py.api.meta import Obj, ObjectKey, controller_of, name_of, namespace_of, uid_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import (
    DEPLOYMENTS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    RESOURCES,
    STATEFUL_SETS,
)
from minikube_py.controllers.plan import Listers

SCALED = (DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS)


@dataclass(frozen=True, slots=True)
class Expectation:
    """`fault` says why the count is not known; `unmanaged` pods have no controller."""

    count: int = 0
    unmanaged: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Scaled:
    uid: str
    replicas: int


def expectation(listers: Listers, pods: Sequence[Obj]) -> Expectation:
    """Return how many pods the controllers of `pods` want together."""
    wanted: dict[str, _Scaled] = {}
    asked: dict[str, str] = {}
    unmanaged = 0
    for pod in pods:
        reference = controller_of(pod)
        if reference is None:
            unmanaged += 1
            continue
        uid = str(reference.get("uid", ""))
        if uid in asked:
            continue
        found = _find(listers, namespace_of(pod), reference)
        if isinstance(found, str):
            return Expectation(unmanaged=unmanaged, fault=found)
        if found is None:
            return Expectation(unmanaged=unmanaged, fault=f'found no controllers for pod "{name_of(pod)}"')
        asked[uid] = found.uid
        wanted[found.uid] = found
    return Expectation(sum(scaled.replicas for scaled in wanted.values()), unmanaged)


def shape_of(obj: Obj) -> tuple[Any, ...]:
    """Return what of a controller can change an expectation."""
    spec = obj.get("spec") or {}
    return uid_of(obj), spec.get("replicas"), {name: spec[name] for name in sorted(spec) if "eplica" in name}


def _find(listers: Listers, namespace: str, reference: Mapping[str, Any]) -> _Scaled | str | None:
    """Return the controller behind a reference; None: there is none; a text: why it cannot be asked."""
    group, kind = str(reference.get("apiVersion", "")).rpartition("/")[0], str(reference.get("kind", ""))
    finder = _FINDERS.get((group, kind))
    if finder is not None:
        return finder(listers, namespace, reference)
    for row in listers.custom():
        if (row.group, row.kind) == (group, kind):
            return _custom(listers, row, namespace, reference)
    known = next((row for row in RESOURCES if (row.group, row.kind) == (group, kind)), None)
    return f"{known.qualified} does not implement the scale subresource" if known is not None else None


def _same(listers: Listers, resource: Resource, namespace: str, reference: Mapping[str, Any]) -> Obj | None:
    obj = listers.get(resource, ObjectKey(namespace if resource.namespaced else "", str(reference.get("name", ""))))
    return obj if obj is not None and uid_of(obj) == reference.get("uid") else None


def _plain(resource: Resource) -> Callable[[Listers, str, Mapping[str, Any]], _Scaled | None]:
    def find(listers: Listers, namespace: str, reference: Mapping[str, Any]) -> _Scaled | None:
        obj = _same(listers, resource, namespace, reference)
        return _Scaled(uid_of(obj), int(obj["spec"].get("replicas", 1))) if obj is not None else None

    return find


_DEPLOYMENT = _plain(DEPLOYMENTS)
_REPLICA_SET = _plain(REPLICA_SETS)


def _replica_set(listers: Listers, namespace: str, reference: Mapping[str, Any]) -> _Scaled | None:
    obj = _same(listers, REPLICA_SETS, namespace, reference)
    owner = controller_of(obj) if obj is not None else None
    if owner is not None and owner.get("kind") == DEPLOYMENTS.kind:
        return _DEPLOYMENT(listers, namespace, owner)
    return _REPLICA_SET(listers, namespace, reference)


def _custom(listers: Listers, row: Resource, namespace: str, reference: Mapping[str, Any]) -> _Scaled | str | None:
    if row.scale is None:
        return f"{row.qualified} does not implement the scale subresource"
    obj = _same(listers, row, namespace, reference)
    return _Scaled(uid_of(obj), int(value_at(obj, row.scale.spec_replicas) or 0)) if obj is not None else None


_FINDERS: Mapping[tuple[str, str], Callable[[Listers, str, Mapping[str, Any]], _Scaled | None]] = {
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "Deployment"): _DEPLOYMENT,
    ("apps", "StatefulSet"): _plain(STATEFUL_SETS),
    ("", "ReplicationController"): _plain(REPLICATION_CONTROLLERS),
}
