"""Eviction by NoExecute taints: a pod goes at once when it does not tolerate one, else when its time is over.

The clock of `tolerationSeconds` starts when the taint was added (timeAdded), so it goes on through restarts; for a
taint that does not say when, it starts when it was first seen here. Upstream: pkg/controller/tainteviction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, ObjectKey, format_time, is_deleting, key_of, uid_of
from minikube_py.api.resources import NODES, PODS
from minikube_py.api.taints import NO_EXECUTE, taints_of, tolerates, tolerations_of
from minikube_py.client.interface import STRATEGIC, Change
from minikube_py.controllers.first_seen import FirstSeen
from minikube_py.controllers.indexes import NODE_NAME, PODS_BY_NODE
from minikube_py.controllers.plan import NOTHING, Delete, Failure, Item, Listers, Patch, Plan, Record, Target
from minikube_py.controllers.pod_state import is_terminal
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.controllers.timestamps import seconds_of


@dataclass(frozen=True, slots=True)
class Taint:
    """One NoExecute taint, and since when it stands (wall clock)."""

    taint: Obj
    since_s: float


@dataclass(frozen=True, slots=True)
class TaintedPodView:
    """A pod on a node with NoExecute taints."""

    pod: Obj
    taints: tuple[Obj, ...]


def evict_at_s(pod: Obj, taints: Sequence[Taint]) -> float | None:
    """Return when the pod has to go (in the past: now); None: it may stay."""
    moments = []
    for taint in taints:
        matching = [t for t in tolerations_of(pod) if tolerates(t, taint.taint)]
        if not matching:
            return taint.since_s
        limits = [max(0, int(t["tolerationSeconds"])) for t in matching if t.get("tolerationSeconds") is not None]
        if limits:
            moments.append(taint.since_s + min(limits))
    return min(moments, default=None)


def decide(pod: Obj, taints: Sequence[Taint], now_s: float) -> Plan:
    """Decide whether the pod goes now, later or never."""
    at_s = evict_at_s(pod, taints)
    if at_s is None:
        return NOTHING
    if at_s > now_s:
        return Plan(requeue_after_s=at_s - now_s)
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
        "lastTransitionTime": format_time(now_s),
    }
    patch = {"status": {"conditions": [condition]}}
    return Plan(
        (
            Patch(PODS, key_of(pod), patch, uid=uid_of(pod), patch_type=STRATEGIC, subresource="status"),
            Record(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key_of(pod)}"),
            Delete(PODS, Target(key_of(pod), uid_of(pod))),
        )
    )


def _no_execute(node: Obj | None) -> tuple[Obj, ...]:
    return tuple(t for t in taints_of(node) if t.get("effect") == NO_EXECUTE) if node is not None else ()


def observe(listers: Listers, item: Item, failure: Failure | None) -> TaintedPodView | None:
    """Collect the pod and its node's NoExecute taints."""
    pod = listers.get(PODS, item.key)
    if pod is None or is_deleting(pod) or is_terminal(pod):
        return None
    node = listers.get(NODES, ObjectKey("", str((pod.get("spec") or {}).get("nodeName", ""))))
    taints = _no_execute(node)
    return TaintedPodView(pod, taints) if taints else None


def _items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    if change.new is None:
        return ()
    node = listers.get(NODES, ObjectKey("", str((change.new.get("spec") or {}).get("nodeName", ""))))
    return (Item(PODS.qualified, key_of(change.new)),) if _no_execute(node) else ()


def _items_of_node(change: Change, listers: Listers) -> Sequence[Item]:
    if change.new is None or _no_execute(change.new) in ((), _no_execute(change.old)):
        return ()
    pods = listers.by_index(PODS, NODE_NAME, key_of(change.new).name)
    return [Item(PODS.qualified, key_of(pod)) for pod in pods]


def spec() -> ControllerSpec[TaintedPodView]:
    """Return the row of the table of controllers."""
    first_seen = FirstSeen()

    def reconcile(seen: TaintedPodView, now_s: float) -> Plan:
        taints = []
        for taint in seen.taints:
            key = (uid_of(seen.pod), taint.get("key"), taint.get("value"))
            taints.append(Taint(taint, seconds_of(taint.get("timeAdded")) or first_seen.since_s(key, now_s)))
        return decide(seen.pod, taints, now_s)

    return ControllerSpec(
        name="taint-eviction",
        component="taint-eviction-controller",
        watches=(Watch(PODS, _items_of_pod), Watch(NODES, _items_of_node)),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_NODE,),
        workers_max=8,
    )
