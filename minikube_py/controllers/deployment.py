"""Deployment: move the pods from old templates to the present one, within the strategy's bounds.

One round decides once, from what the cache shows: claim ReplicaSets; when paused or resized only scale; else roll
out (RollingUpdate: grow the new one, or else shrink the old ones; Recreate: empty the old ones, wait until their pods
are gone, grow the new one). What changed shows up in the cache and brings the next round.

Order of the writes of a round: ReplicaSets first, then the status (its resourceVersion is the one of this round),
then the revision annotation, which is a patch and needs none.

Upstream: pkg/controller/deployment.
"""

from dataclasses import dataclass, replace

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    controller_of,
    is_deleting,
    key_of,
    metadata,
    name_of,
    uid_of,
)
from minikube_py.api.object_selectors import compile_label_selector
from minikube_py.api.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from minikube_py.client.interface import DeleteOptions
from minikube_py.controllers.claims import claim
from minikube_py.controllers.conditions import Conditions, find_condition
from minikube_py.controllers.deployment_items import items_of_pod, items_of_replica_set
from minikube_py.controllers.deployment_scaling import (
    bounds_of,
    empty_old,
    grow_new,
    is_recreate,
    is_scaling_event,
    new_set_size,
    scale,
    shrink_old,
)
from minikube_py.controllers.deployment_sets import (
    REVISION,
    Sets,
    build_set,
    diff_sets,
    follow_deployment,
    new_set_name,
    normal_template,
    revision_of,
    size_of,
    sort_sets,
    status_count,
)
from minikube_py.controllers.deployment_status import (
    Progress,
    compute_counts,
    compute_rollout_status,
    conditions_of,
    is_complete,
    note_pause,
    progress_deadline_s,
    set_progressing,
)
from minikube_py.controllers.indexes import CONTROLLER_UID, ORPHANS, ORPHANS_OF_REPLICA_SETS, by_controller
from minikube_py.controllers.plan import (
    Action,
    Create,
    Delete,
    Failure,
    Item,
    Listers,
    Patch,
    Plan,
    Record,
    Target,
    Update,
    latest_item,
)
from minikube_py.controllers.pod_state import is_terminal
from minikube_py.controllers.spec import ControllerSpec, Watch


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """One Deployment and what stands below it."""

    deployment: Obj
    replica_sets: tuple[Obj, ...]
    """Owned ones, and ones of the namespace without a controller."""
    namesake: Obj | None = None
    """The ReplicaSet that has the name which the new one would get, whoever owns it."""
    pods: tuple[Obj, ...] = ()
    """Pods of the owned ReplicaSets; only for Recreate."""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round has decided so far."""

    deployment: Obj
    sets: Sets
    conditions: Conditions
    now_s: float


def observe(listers: Listers, item: Item, failure: Failure | None) -> DeploymentView | None:
    """Collect the Deployment, its ReplicaSets and, for Recreate, their pods."""
    deployment = listers.get(DEPLOYMENTS, item.key)
    if deployment is None:
        return None
    owned = listers.by_index(REPLICA_SETS, CONTROLLER_UID, uid_of(deployment))
    orphans = listers.by_index(REPLICA_SETS, ORPHANS, item.key.namespace)
    pods: list[Obj] = []
    if is_recreate(deployment):
        for replica_set in owned:
            pods += listers.by_index(PODS, CONTROLLER_UID, uid_of(replica_set))
    namesake = listers.get(REPLICA_SETS, ObjectKey(item.key.namespace, new_set_name(deployment)))
    return DeploymentView(deployment, (*owned, *orphans), namesake, tuple(pods), failure)


def reconcile(seen: DeploymentView, now_s: float) -> Plan:
    """Decide the next step of the Deployment."""
    deployment = seen.deployment
    selector = compile_label_selector(deployment["spec"].get("selector"))
    claimed = claim(DEPLOYMENTS, deployment, selector, REPLICA_SETS, seen.replica_sets)
    if claimed.actions:
        return Plan(claimed.actions)
    sets = sort_sets(deployment, claimed.kept)
    at = _Round(deployment, sets, note_pause(deployment, conditions_of(deployment), now_s), now_s)
    if is_deleting(deployment):
        return _finish(seen, at, Progress(compute_counts(deployment, sets, at.conditions, now_s), None))
    if deployment["spec"].get("paused") or is_scaling_event(deployment, sets):
        return _only_scale(seen, at)
    return _recreate(seen, at) if is_recreate(deployment) else _roll(seen, at)


def _only_scale(seen: DeploymentView, at: _Round) -> Plan:
    followed = _follow(at)
    scaled = replace(followed, sets=scale(at.deployment, followed.sets))
    status = compute_counts(at.deployment, scaled.sets, scaled.conditions, at.now_s)
    return _finish(seen, scaled, Progress(status, None), clean=bool(at.deployment["spec"].get("paused")))


def _roll(seen: DeploymentView, at: _Round) -> Plan:
    if _is_taken(seen, at):
        return _count_collision(at)
    made = _make_or_follow(at)
    grown = replace(made, sets=grow_new(at.deployment, made.sets))
    moved = grown if grown.sets != made.sets else replace(made, sets=shrink_old(at.deployment, made.sets))
    return _finish_rollout(seen, moved)


def _recreate(seen: DeploymentView, at: _Round) -> Plan:
    followed = _follow(at)
    emptied = replace(followed, sets=empty_old(at.deployment, followed.sets))
    if emptied.sets != followed.sets or _old_pods_run(seen, at.sets):
        return _finish_rollout(seen, emptied)
    if _is_taken(seen, at):
        return _count_collision(at)
    made = _make_or_follow(at)
    return _finish_rollout(seen, replace(made, sets=grow_new(at.deployment, made.sets)))


def _old_pods_run(seen: DeploymentView, sets: Sets) -> bool:
    if any(status_count(rs, "replicas") > 0 for rs in sets.old):
        return True
    new_uid = uid_of(sets.new) if sets.new is not None else ""
    return any((controller_of(pod) or {}).get("uid") != new_uid and not is_terminal(pod) for pod in seen.pods)


def _is_taken(seen: DeploymentView, at: _Round) -> bool:
    """Return whether the new ReplicaSet's name is someone else's, or of another template (a hash collision)."""
    namesake = seen.namesake
    if at.sets.new is not None or namesake is None:
        return False
    ours = (controller_of(namesake) or {}).get("uid") == uid_of(at.deployment)
    template, wanted = namesake["spec"].get("template") or {}, at.deployment["spec"].get("template") or {}
    return not (ours and normal_template(template) == normal_template(wanted))


def _count_collision(at: _Round) -> Plan:
    status = dict(at.deployment.get("status") or {})
    status["collisionCount"] = int(status.get("collisionCount") or 0) + 1
    return Plan((Update(DEPLOYMENTS, {**at.deployment, "status": status}, subresource="status"),))


def _next_revision(sets: Sets) -> int:
    return max((revision_of(rs) for rs in sets.old), default=0) + 1


def _follow(at: _Round) -> _Round:
    """Bring the new ReplicaSet's annotations and minReadySeconds up to date, when there is one."""
    if at.sets.new is None:
        return at
    new = follow_deployment(at.deployment, at.sets.new, _next_revision(at.sets))
    conditions = at.conditions
    if progress_deadline_s(at.deployment) is not None and find_condition(conditions, "Progressing") is None:
        message = f'Found new replica set "{name_of(new)}"'
        conditions = set_progressing(conditions, "True", "FoundNewReplicaSet", message, at.now_s)
    return replace(at, sets=at.sets.put(new), conditions=conditions)


def _make_or_follow(at: _Round) -> _Round:
    if at.sets.new is not None:
        return _follow(at)
    bounds = bounds_of(at.deployment)
    size = new_set_size(bounds, at.deployment, at.sets)
    new = build_set(at.deployment, size, bounds.pods_max, _next_revision(at.sets))
    conditions = at.conditions
    if progress_deadline_s(at.deployment) is not None:
        message = f'Created new replica set "{name_of(new)}"'
        conditions = set_progressing(conditions, "True", "NewReplicaSetCreated", message, at.now_s)
    return replace(at, sets=Sets(new, at.sets.old), conditions=conditions)


def _finish_rollout(seen: DeploymentView, at: _Round) -> Plan:
    failure = seen.failure
    if failure is not None and isinstance(failure.action, Create) and failure.reason != "AlreadyExists":
        return _report_failure(seen, at, failure)
    progress = compute_rollout_status(at.deployment, at.sets, at.conditions, at.now_s)
    complete = is_complete(at.deployment, at.deployment.get("status") or {})
    return _finish(seen, at, progress, clean=complete)


def _report_failure(seen: DeploymentView, at: _Round, failure: Failure) -> Plan:
    """The new ReplicaSet was refused: say so first, then try again."""
    assert isinstance(failure.action, Create)
    message = f'Failed to create new replica set "{name_of(failure.action.obj)}": {failure.message}'
    conditions = conditions_of(at.deployment)
    if progress_deadline_s(at.deployment) is not None:
        conditions = set_progressing(conditions, "False", "ReplicaSetCreateError", message, at.now_s)
    before = sort_sets(at.deployment, tuple(rs for rs in at.sets.all if uid_of(rs)))
    status = compute_counts(at.deployment, before, conditions, at.now_s)
    event = Record(at.deployment, "Warning", "ReplicaSetCreateError", message)
    return Plan((*_write_status(at.deployment, status), event, *_writes(seen, at)))


def _finish(seen: DeploymentView, at: _Round, progress: Progress, *, clean: bool = False) -> Plan:
    actions = [*_writes(seen, at), *_write_status(at.deployment, progress.status)]
    if at.sets.new is not None:
        revision = str(revision_of(at.sets.new))
        if (metadata(at.deployment).get("annotations") or {}).get(REVISION) != revision:
            patch = {"metadata": {"annotations": {REVISION: revision}}}
            actions.append(Patch(DEPLOYMENTS, key_of(at.deployment), patch, uid=uid_of(at.deployment)))
    if clean:
        actions += _clean_history(at)
    return Plan(tuple(actions), requeue_after_s=progress.check_after_s)


def _writes(seen: DeploymentView, at: _Round) -> tuple[Action, ...]:
    claimed = tuple(rs for rs in seen.replica_sets if (controller_of(rs) or {}).get("uid") == uid_of(at.deployment))
    return diff_sets(at.deployment, sort_sets(at.deployment, claimed), at.sets)


def _write_status(deployment: Obj, status: Obj) -> tuple[Action, ...]:
    if (deployment.get("status") or {}) == status:
        return ()
    return (Update(DEPLOYMENTS, {**deployment, "status": status}, subresource="status"),)


def _clean_history(at: _Round) -> list[Action]:
    limit = at.deployment["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    alive = [rs for rs in at.sets.old if not is_deleting(rs)]
    surplus = sorted(alive, key=revision_of)[: max(0, len(alive) - int(limit))]
    return [
        Delete(REPLICA_SETS, Target(key_of(rs), uid_of(rs)), DeleteOptions(propagation="Background"))
        for rs in surplus
        if size_of(rs) == 0
        and status_count(rs, "replicas") == 0
        and metadata(rs).get("generation", 0) <= status_count(rs, "observedGeneration")
    ]


def spec() -> ControllerSpec[DeploymentView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="deployment",
        component="deployment-controller",
        watches=(
            Watch(DEPLOYMENTS, lambda change, listers: (latest_item(DEPLOYMENTS, change),)),
            Watch(REPLICA_SETS, items_of_replica_set),
            Watch(PODS, items_of_pod),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(by_controller(REPLICA_SETS), ORPHANS_OF_REPLICA_SETS, by_controller(PODS)),
    )
