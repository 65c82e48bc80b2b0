"""ReplicaSet: keep as many active pods as spec.replicas says.

Pods that match and have no controller are adopted, owned ones that no longer match are released. Missing pods are
created in batches that double; of surplus ones those go first that are worth least (`pod_ranking`). A refusal by the
API server (quota, admission) becomes the condition ReplicaFailure and is tried again.

Upstream: pkg/controller/replicaset. Instead of expectations, the loop waits until the cache has seen the last plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, ObjectKey, controller_of, is_deleting, key_of, labels_of, metadata, uid_of
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resources import PODS, REPLICA_SETS
from minikube_py.client.interface import Change
from minikube_py.controllers.claims import claim
from minikube_py.controllers.conditions import Condition, remove_condition, set_condition
from minikube_py.controllers.indexes import CONTROLLER_UID, ORPHANS, ORPHANS_OF_PODS, by_controller
from minikube_py.controllers.plan import (
    Action,
    CreateBatch,
    DeleteBatch,
    Failure,
    Item,
    Listers,
    Plan,
    Target,
    Update,
    latest_item,
    owner_reference,
)
from minikube_py.controllers.pod_ranking import rank_for_deletion
from minikube_py.controllers.pod_state import count_available, is_active, is_ready, is_terminal
from minikube_py.controllers.spec import ControllerSpec, Watch

BURST_MAX = 500
"""Pods created or deleted in one plan; the rest follows when the cache has seen them."""


@dataclass(frozen=True, slots=True)
class ReplicaSetView:
    """One ReplicaSet and the pods that are or could be its own."""

    replica_set: Obj
    pods: tuple[Obj, ...]
    """Owned pods, and pods of the namespace without a controller."""
    siblings: tuple[Obj, ...] = ()
    """Active pods of all ReplicaSets of the same owner, its own among them: surplus goes where they crowd."""
    failure: Failure | None = None


def observe(listers: Listers, item: Item, failure: Failure | None) -> ReplicaSetView | None:
    """Collect the ReplicaSet, its pods, the orphans of its namespace and the pods of its siblings."""
    replica_set = listers.get(REPLICA_SETS, item.key)
    if replica_set is None:
        return None
    owned = listers.by_index(PODS, CONTROLLER_UID, uid_of(replica_set))
    orphans = listers.by_index(PODS, ORPHANS, item.key.namespace)
    owner = controller_of(replica_set)
    siblings: list[Obj] = []
    if owner is not None:
        for sibling in listers.by_index(REPLICA_SETS, CONTROLLER_UID, str(owner.get("uid", ""))):
            siblings += listers.by_index(PODS, CONTROLLER_UID, uid_of(sibling))
    return ReplicaSetView(replica_set, (*owned, *orphans), tuple(siblings) or owned, failure)


def reconcile(seen: ReplicaSetView, now_s: float) -> Plan:
    """Decide what brings the pods of the ReplicaSet to what its spec says."""
    replica_set = seen.replica_set
    spec = replica_set["spec"]
    selector = compile_label_selector(spec.get("selector"))
    candidates = [pod for pod in seen.pods if is_active(pod)]
    claimed = claim(REPLICA_SETS, replica_set, selector, PODS, candidates)
    if claimed.actions:
        return Plan(claimed.actions)
    manage = () if is_deleting(replica_set) else _manage(seen, claimed.kept, now_s)
    min_ready_s = float(spec.get("minReadySeconds") or 0)
    available, next_available_s = count_available(claimed.kept, min_ready_s, now_s)
    status = _compute_status(seen, claimed.kept, available, now_s)
    write = _write_status(replica_set, status)
    if seen.failure is not None:
        return Plan((*write, *manage), requeue_after_s=next_available_s)
    # A ReplicaSet just created gets its pods first and its first status when they are there: one write less.
    fresh = "observedGeneration" not in (replica_set.get("status") or {})
    return Plan(manage if manage and fresh else (*manage, *write), requeue_after_s=next_available_s)


def _manage(seen: ReplicaSetView, pods: Sequence[Obj], now_s: float) -> tuple[Action, ...]:
    replica_set = seen.replica_set
    wanted = int(replica_set["spec"].get("replicas", 1))
    missing = wanted - len(pods)
    if missing > 0:
        made = (build_pod(replica_set),) * min(missing, BURST_MAX)
        return (CreateBatch(PODS, made, replica_set, "pod"),)
    if missing < 0:
        surplus = min(-missing, BURST_MAX)
        siblings = [pod for pod in seen.siblings if is_active(pod)]
        first = rank_for_deletion(pods, siblings, now_s)[:surplus]
        targets = tuple(Target(key_of(pod), uid_of(pod)) for pod in first)
        return (DeleteBatch(PODS, targets, replica_set, "pod"),)
    return ()


def build_pod(replica_set: Obj) -> Obj:
    """Return a pod of the ReplicaSet's template (the API server completes its name)."""
    template = replica_set["spec"].get("template") or {}
    given = metadata(template)
    meta: Obj = {
        "generateName": f"{metadata(replica_set)['name']}-",
        "namespace": metadata(replica_set).get("namespace", ""),
        "ownerReferences": [owner_reference(REPLICA_SETS, replica_set)],
    }
    meta |= {field: given[field] for field in ("labels", "annotations", "finalizers") if given.get(field)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template.get("spec") or {}}


def _compute_status(seen: ReplicaSetView, pods: Sequence[Obj], available: int, now_s: float) -> Obj:
    replica_set = seen.replica_set
    old = replica_set.get("status") or {}
    template_labels = labels_of(replica_set["spec"].get("template") or {}).items()
    counts = {
        "fullyLabeledReplicas": sum(template_labels <= labels_of(pod).items() for pod in pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": available,
    }
    status: Obj = {"replicas": len(pods), **{name: count for name, count in counts.items() if count}}
    status["terminatingReplicas"] = _count_terminating(seen)
    status["observedGeneration"] = metadata(replica_set).get("generation", 0)
    conditions = remove_condition(old.get("conditions") or (), "ReplicaFailure")
    if seen.failure is not None and isinstance(seen.failure.action, CreateBatch | DeleteBatch):
        reason = "FailedCreate" if isinstance(seen.failure.action, CreateBatch) else "FailedDelete"
        wanted = Condition("ReplicaFailure", "True", reason, seen.failure.message)
        conditions = set_condition(old.get("conditions") or (), wanted, now_s)
    if conditions:
        status["conditions"] = list(conditions)
    return status


def _count_terminating(seen: ReplicaSetView) -> int:
    """Return how many of its own pods are going away: they are no replicas any more, and still take room."""
    uid = uid_of(seen.replica_set)
    going = [pod for pod in seen.pods if is_deleting(pod) and not is_terminal(pod)]
    own = [pod for pod in going if (controller_of(pod) or {}).get("uid") == uid]
    selector = compile_label_selector(seen.replica_set["spec"].get("selector")) if own else None
    return sum(selects(selector, labels_of(pod)) for pod in own)


def _write_status(replica_set: Obj, status: Obj) -> tuple[Action, ...]:
    old = replica_set.get("status") or {}
    if {k: v for k, v in old.items() if v not in (0, None, [])} == {k: v for k, v in status.items() if v} and (
        "observedGeneration" in old
    ):
        return ()
    return (Update(REPLICA_SETS, {**replica_set, "status": status}, subresource="status"),)


def items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the ReplicaSets that a change of a pod concerns: its controllers, old and new, or who may adopt it."""
    items: list[Item] = []
    for pod in (change.old, change.new):
        controller = controller_of(pod) if pod is not None else None
        if controller is not None and controller.get("kind") == REPLICA_SETS.kind:
            key = ObjectKey(metadata(change.latest).get("namespace", ""), str(controller.get("name", "")))
            items.append(Item(REPLICA_SETS.qualified, key))
    if change.new is not None and controller_of(change.new) is None and is_active(change.new):
        for replica_set in listers.list(REPLICA_SETS, metadata(change.new).get("namespace", "")):
            selector = compile_label_selector(replica_set["spec"].get("selector"))
            if selects(selector, labels_of(change.new)):
                items.append(Item(REPLICA_SETS.qualified, key_of(replica_set)))
    return items


def spec() -> ControllerSpec[ReplicaSetView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="replicaset",
        component="replicaset-controller",
        watches=(
            Watch(REPLICA_SETS, lambda change, listers: (latest_item(REPLICA_SETS, change),)),
            Watch(PODS, items_of_pod),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(by_controller(PODS), by_controller(REPLICA_SETS), ORPHANS_OF_PODS),
    )
