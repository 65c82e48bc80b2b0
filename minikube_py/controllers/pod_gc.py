"""Pods that nobody else will ever remove: of nodes that are gone, never scheduled, or ended and too many.

1. Orphaned: bound to a node that has been missing for a quarantine and is missing when read afresh. The pod is failed
   and deleted without grace, since no kubelet will confirm it.
2. Unscheduled and being deleted: deleted without grace.
3. Ended pods beyond a threshold: the oldest go.

Upstream: pkg/controller/podgc.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minikube_py.api.meta import Obj, ObjectKey, format_time, is_deleting, key_of, metadata, name_of, uid_of
from minikube_py.api.resources import NODES, PODS
from minikube_py.client.interface import STRATEGIC, Change, DeleteOptions
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.first_seen import FirstSeen
from minikube_py.controllers.indexes import NODE_NAME, PODS_BY_NODE
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Delete,
    Failure,
    Item,
    Listers,
    Patch,
    Plan,
    RequireAbsent,
    Target,
)
from minikube_py.controllers.pod_state import is_terminal
from minikube_py.controllers.spec import ControllerSpec, Index, Watch

TERMINAL = "controllers/terminal"
ALL_ENDED = Item(PODS.qualified, ObjectKey("", ""))
"""The item that stands for all ended pods together."""
SURPLUS_MAX = 500
"""Ended pods deleted in one plan; the rest follows."""
_AT_ONCE = DeleteOptions(grace_period_s=0)


@dataclass(frozen=True, slots=True)
class PodGcView:
    """Either one pod that is nobody's, or all that have ended."""

    pods: tuple[Obj, ...]
    all_ended: bool = False
    node_name: str = ""
    """The missing node of an orphaned pod."""
    missing_s: float = 0.0
    """How long that node has been missing."""


def collect_orphan(seen: PodGcView, quarantine_s: float, now_s: float) -> Plan:
    """Decide about one pod: orphaned, or unscheduled and being deleted."""
    pod = seen.pods[0]
    target = Target(key_of(pod), uid_of(pod))
    if not seen.node_name:
        return Plan((Delete(PODS, target, _AT_ONCE),))
    if seen.missing_s < quarantine_s:
        return Plan(requeue_after_s=quarantine_s - seen.missing_s)
    actions: list[Action] = [RequireAbsent(NODES, Target(ObjectKey("", seen.node_name), ""))]
    if not is_terminal(pod):
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": format_time(now_s),
        }
        patch = {"status": {"phase": "Failed", "conditions": [condition]}}
        actions.append(Patch(PODS, key_of(pod), patch, uid=uid_of(pod), patch_type=STRATEGIC, subresource="status"))
    return Plan((*actions, Delete(PODS, target, _AT_ONCE)))


def collect_ended(seen: PodGcView, threshold: int) -> Plan:
    """Decide which of the ended pods go."""
    surplus = min(len(seen.pods) - threshold, SURPLUS_MAX)
    if threshold <= 0 or surplus <= 0:
        return NOTHING
    by_age = sorted(seen.pods, key=lambda pod: (metadata(pod).get("creationTimestamp") or "", key_of(pod)))
    return Plan(tuple(Delete(PODS, Target(key_of(pod), uid_of(pod)), _AT_ONCE) for pod in by_age[:surplus]))


def _node_of(pod: Obj) -> str:
    return str((pod.get("spec") or {}).get("nodeName", ""))


def observe(listers: Listers, item: Item, failure: Failure | None) -> PodGcView | None:
    """Collect the ended pods, or one pod that is nobody's."""
    if item == ALL_ENDED:
        return PodGcView(listers.by_index(PODS, TERMINAL, "true"), all_ended=True)
    pod = listers.get(PODS, item.key)
    return PodGcView((pod,), node_name=_node_of(pod)) if pod is not None and _is_lost(pod, listers) else None


def _is_lost(pod: Obj, listers: Listers) -> bool:
    name = _node_of(pod)
    return listers.get(NODES, ObjectKey("", name)) is None if name else is_deleting(pod)


def _items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    new = change.new
    if new is None:
        return ()
    lost = (Item(PODS.qualified, key_of(new)),) if _is_lost(new, listers) else ()
    ended = is_terminal(new) and (change.old is None or not is_terminal(change.old))
    return (*lost, ALL_ENDED) if ended else lost


def spec(config: ControllersConfig) -> ControllerSpec[PodGcView]:
    """Return the row of the table of controllers."""
    missing = FirstSeen()

    def items_of_node(change: Change, listers: Listers) -> Sequence[Item]:
        name = name_of(change.latest)
        if change.new is not None:
            missing.forget(name)
            return ()
        return [Item(PODS.qualified, key_of(pod)) for pod in listers.by_index(PODS, NODE_NAME, name)]

    def reconcile(seen: PodGcView, now_s: float) -> Plan:
        if seen.all_ended:
            return collect_ended(seen, config.terminated_pod_gc_threshold)
        since_s = missing.since_s(seen.node_name, now_s) if seen.node_name else now_s
        lost = replace(seen, missing_s=now_s - since_s)
        return collect_orphan(lost, config.orphan_quarantine_s, now_s)

    return ControllerSpec(
        name="pod-gc",
        component="pod-garbage-collector",
        watches=(Watch(PODS, _items_of_pod), Watch(NODES, items_of_node)),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_NODE, Index(PODS, TERMINAL, lambda pod: ("true",) if is_terminal(pod) else ())),
    )
