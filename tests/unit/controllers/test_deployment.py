"""Deployment: views and the plans that they lead to (whole rollouts are in tests/sim)."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import DEPLOYMENTS, REPLICA_SETS
from minikube_py.controllers.deployment import DeploymentView, reconcile
from minikube_py.controllers.deployment_sets import REVISION, build_set
from minikube_py.controllers.plan import Create, Delete, Failure, Patch, Plan, Record, Require, Update
from minikube_py.testing.workload_cluster import a_deployment
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod, a_replica_set, an_owner

MINE = an_owner("Deployment", "web", "uid-web")


def deployment(**more):
    made = a_deployment(**more)
    made["metadata"] |= {"uid": "uid-web", "generation": 1, "resourceVersion": "7"}
    return made


def settled(name: str, size: int, **more):
    status = {"replicas": size, "readyReplicas": size, "availableReplicas": size, "observedGeneration": 1}
    return a_replica_set(name, size, owner=MINE, status=status, **more)


def status_in(plan: Plan):
    (update,) = [a for a in plan.actions if isinstance(a, Update) and a.resource is DEPLOYMENTS]
    assert update.subresource == "status"
    return update.obj["status"]


def test_a_new_deployment_makes_its_replica_set_and_says_so() -> None:
    owner = deployment()
    create, event, update, patch = reconcile(DeploymentView(owner, ()), NOW_S).actions

    assert create == Create(REPLICA_SETS, build_set(owner, 3, 4, 1))
    assert isinstance(event, Record)
    assert event.message == f"Scaled up replica set {create.obj['metadata']['name']} from 0 to 3"
    assert isinstance(update, Update)
    assert {c["type"]: c["reason"] for c in update.obj["status"]["conditions"]} == {
        "Progressing": "NewReplicaSetCreated",
        "Available": "MinimumReplicasUnavailable",
    }
    assert patch == Patch(
        DEPLOYMENTS, ObjectKey("default", "web"), {"metadata": {"annotations": {REVISION: "1"}}}, uid="uid-web"
    )


def test_an_orphan_replica_set_is_adopted_first() -> None:
    plan = reconcile(DeploymentView(deployment(), (a_replica_set("orphan"),)), NOW_S)

    assert [type(action) for action in plan.actions] == [Require, Patch]


def test_a_name_taken_by_someone_else_counts_as_collision() -> None:
    owner = deployment()
    namesake = a_replica_set("other", owner=an_owner("Deployment", "other", "uid-other"))
    plan = reconcile(DeploymentView(owner, (), namesake), NOW_S)

    assert len(plan.actions) == 1
    assert status_in(plan)["collisionCount"] == 1


def test_a_refused_replica_set_is_reported_before_it_is_tried_again() -> None:
    owner = deployment()
    create = Create(REPLICA_SETS, build_set(owner, 3, 4, 1))
    failure = Failure("Forbidden", "exceeded quota", create)
    update, event, again, *_ = reconcile(DeploymentView(owner, (), failure=failure), NOW_S).actions

    assert isinstance(update, Update)
    (condition,) = [c for c in update.obj["status"]["conditions"] if c["type"] == "Progressing"]
    assert (condition["status"], condition["reason"]) == ("False", "ReplicaSetCreateError")
    assert condition["message"].endswith("exceeded quota")
    assert isinstance(event, Record)
    assert event.type == "Warning"
    assert again == create


def test_one_that_is_being_deleted_only_keeps_its_status() -> None:
    owner = deployment()
    owner["metadata"]["deletionTimestamp"] = NOW
    plan = reconcile(DeploymentView(owner, (settled("old", 3, image="i:2"),)), NOW_S)

    assert [type(action) for action in plan.actions] == [Update]
    assert status_in(plan)["replicas"] == 3


def test_recreate_waits_for_the_last_old_pod() -> None:
    owner = deployment(strategy={"type": "Recreate"})
    old = settled("old", 0, image="i:2")
    leaving = a_pod("p", owner=an_owner("ReplicaSet", "old", "uid-old"), deleting=True)

    waiting = reconcile(DeploymentView(owner, (old,), pods=(leaving,)), NOW_S)
    going_on = reconcile(DeploymentView(owner, (old,), pods=()), NOW_S)
    assert not any(isinstance(action, Create) for action in waiting.actions)
    assert any(isinstance(action, Create) for action in going_on.actions)


def test_history_is_cleaned_only_when_the_rollout_is_complete() -> None:
    done = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    old = [settled(f"old{n}", 0, image=f"i:{n}", annotations={REVISION: str(n)}) for n in (2, 3)]
    sets = (settled("new", 3, annotations={REVISION: "4"}), *old)
    limited = deployment(revisionHistoryLimit=1)

    before = reconcile(DeploymentView(limited, sets), NOW_S)
    after = reconcile(DeploymentView({**limited, "status": done}, sets), NOW_S)
    assert not any(isinstance(action, Delete) for action in before.actions)
    (deletion,) = [action for action in after.actions if isinstance(action, Delete)]
    assert deletion.target.key.name == "old2"
