"""Pods that nobody else will ever remove: of nodes that are gone or given up, never scheduled, or ended and too many.

1. Orphaned: bound to a node that has been missing for a quarantine and is missing when read afresh.
2. Being deleted on a node that is not ready and that somebody has declared `out-of-service` by a taint.
3. Unscheduled and being deleted.
4. Ended pods beyond a threshold: evicted ones first, then the oldest.

1 to 3 are failed, unless they ended, and deleted without grace, since no kubelet will confirm them.

Upstream: pkg/controller/podgc.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from minikube_py.api.meta import Obj, ObjectKey, format_time, is_deleting, key_of, metadata, name_of, uid_of
from minikube_py.api.resources import NODES, PODS
from minikube_py.api.taints import OUT_OF_SERVICE, taints_of
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
from minikube_py.controllers.pod_state import is_ready, is_terminal
from minikube_py.controllers.spec import ControllerSpec, Index, Watch

TERMINAL = "controllers/terminal"
ALL_ENDED = Item(PODS.qualified, ObjectKey("", ""))
"""The item that stands for all ended pods together."""
SURPLUS_MAX = 500
"""Ended pods deleted in one plan; the rest follows."""
_AT_ONCE = DeleteOptions(grace_period_s=0)


class Fate(Enum):
    """Why a pod is looked at."""

    ENDED = "ended"
    ORPHANED = "its node is missing"
    ABANDONED = "being deleted where nobody will do it"


@dataclass(frozen=True, slots=True)
class PodGcView:
    """One pod that is nobody's, or all that have ended."""

    pods: tuple[Obj, ...]
    fate: Fate


def collect_orphan(pod: Obj, missing_s: float, quarantine_s: float, now_s: float) -> Plan:
    """Decide about a pod whose node has been missing for `missing_s`."""
    if missing_s < quarantine_s:
        return Plan(requeue_after_s=quarantine_s - missing_s)
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByPodGC",
        "message": "PodGC: node no longer exists",
        "lastTransitionTime": format_time(now_s),
    }
    gone = RequireAbsent(NODES, Target(ObjectKey("", _node_of(pod)), ""))
    return Plan((gone, *_fail_and_delete(pod, {"conditions": [condition]})))


def collect_abandoned(pod: Obj) -> Plan:
    """Decide about a pod that is being deleted and that no kubelet will ever finish."""
    return Plan(_fail_and_delete(pod, {}))


def _fail_and_delete(pod: Obj, more: Obj) -> tuple[Action, ...]:
    key, uid = key_of(pod), uid_of(pod)
    deletion = Delete(PODS, Target(key, uid), _AT_ONCE)
    if is_terminal(pod):
        return (deletion,)
    patch: Obj = {"status": {"phase": "Failed", **more}}
    return (Patch(PODS, key, patch, uid=uid, patch_type=STRATEGIC, subresource="status"), deletion)


def collect_ended(pods: Sequence[Obj], threshold: int) -> Plan:
    """Decide which of the ended pods go."""
    surplus = min(len(pods) - threshold, SURPLUS_MAX)
    if threshold <= 0 or surplus <= 0:
        return NOTHING
    first = sorted(pods, key=_when_it_goes)[:surplus]
    return Plan(tuple(Delete(PODS, Target(key_of(pod), uid_of(pod)), _AT_ONCE) for pod in first))


def _when_it_goes(pod: Obj) -> tuple[bool, str, ObjectKey]:
    """Return the order of going: evicted pods are nobody's history, so that ended Jobs' pods stay longer."""
    evicted = (pod.get("status") or {}).get("reason") == "Evicted"
    return not evicted, str(metadata(pod).get("creationTimestamp") or ""), key_of(pod)


def _node_of(pod: Obj) -> str:
    return str((pod.get("spec") or {}).get("nodeName", ""))


def _fate(pod: Obj, listers: Listers) -> Fate | None:
    name = _node_of(pod)
    if not name:
        return Fate.ABANDONED if is_deleting(pod) else None
    node = listers.get(NODES, ObjectKey("", name))
    if node is None:
        return Fate.ORPHANED
    return Fate.ABANDONED if is_deleting(pod) and _is_out_of_service(node) else None


def _is_out_of_service(node: Obj) -> bool:
    return not is_ready(node) and any(taint.get("key") == OUT_OF_SERVICE for taint in taints_of(node))


def observe(listers: Listers, item: Item, failure: Failure | None) -> PodGcView | None:
    """Collect the ended pods, or one pod that is nobody's."""
    if item == ALL_ENDED:
        return PodGcView(listers.by_index(PODS, TERMINAL, "true"), Fate.ENDED)
    pod = listers.get(PODS, item.key)
    fate = _fate(pod, listers) if pod is not None else None
    return PodGcView((pod,), fate) if pod is not None and fate is not None else None


def _items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    new = change.new
    if new is None:
        return ()
    lost = (Item(PODS.qualified, key_of(new)),) if _fate(new, listers) is not None else ()
    ended = is_terminal(new) and (change.old is None or not is_terminal(change.old))
    return (*lost, ALL_ENDED) if ended else lost


def spec(config: ControllersConfig) -> ControllerSpec[PodGcView]:
    """Return the row of the table of controllers."""
    missing = FirstSeen()

    def items_of_node(change: Change, listers: Listers) -> Sequence[Item]:
        name = name_of(change.latest)
        if change.new is not None:
            missing.forget(name)
            if not _is_out_of_service(change.new):
                return ()
        return [Item(PODS.qualified, key_of(pod)) for pod in listers.by_index(PODS, NODE_NAME, name)]

    def reconcile(seen: PodGcView, now_s: float) -> Plan:
        match seen.fate:
            case Fate.ENDED:
                return collect_ended(seen.pods, config.terminated_pod_gc_threshold)
            case Fate.ABANDONED:
                return collect_abandoned(seen.pods[0])
            case Fate.ORPHANED:
                missing_s = now_s - missing.since_s(_node_of(seen.pods[0]), now_s)
                return collect_orphan(seen.pods[0], missing_s, config.orphan_quarantine_s, now_s)

    return ControllerSpec(
        name="pod-gc",
        component="pod-garbage-collector",
        watches=(Watch(PODS, _items_of_pod), Watch(NODES, items_of_node)),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_NODE, Index(PODS, TERMINAL, lambda pod: ("true",) if is_terminal(pod) else ())),
    )
