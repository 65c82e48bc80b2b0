"""ReplicaSet: views and the plans that they lead to."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS, REPLICA_SETS
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import CreateBatch, DeleteBatch, Failure, Patch, Plan, Update
from minikube_py.controllers.replicaset import BURST_MAX, ReplicaSetView, build_pod, reconcile, spec
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod, a_replica_set, an_owner

MINE = an_owner("ReplicaSet", "rs", "uid-rs")
CALM = {"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}


def mine(name: str, **more):
    return a_pod(name, owner=MINE, **more)


def test_a_new_one_creates_its_pods_first() -> None:
    rs = a_replica_set(replicas=3)

    assert reconcile(ReplicaSetView(rs, ()), NOW_S) == Plan((CreateBatch(PODS, (build_pod(rs),) * 3, rs, "pod"),))


def test_a_pod_is_made_of_the_template_and_owned() -> None:
    rs = a_replica_set()
    rs["spec"]["template"]["metadata"]["annotations"] = {"a": "b"}

    assert build_pod(rs) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "rs-",
            "namespace": "default",
            "ownerReferences": [MINE],
            "labels": {"app": "web"},
            "annotations": {"a": "b"},
        },
        "spec": rs["spec"]["template"]["spec"],
    }


def test_when_all_is_as_wanted_nothing_is_done() -> None:
    rs = a_replica_set(replicas=2, status=CALM)

    assert reconcile(ReplicaSetView(rs, (mine("a"), mine("b"))), NOW_S) == Plan()


def test_surplus_not_ready_goes_first() -> None:
    rs = a_replica_set(replicas=1, status=CALM)
    pods = (mine("a"), mine("b", ready=False))
    plan = reconcile(ReplicaSetView(rs, pods, siblings=pods), NOW_S)

    (batch,) = [action for action in plan.actions if isinstance(action, DeleteBatch)]
    assert [target.key for target in batch.targets] == [ObjectKey("default", "b")]


def test_at_most_a_burst_is_created_in_one_plan() -> None:
    (batch,) = reconcile(ReplicaSetView(a_replica_set(replicas=BURST_MAX + 7), ()), NOW_S).actions

    assert isinstance(batch, CreateBatch)
    assert len(batch.objects) == BURST_MAX


def test_ended_pods_do_not_count_and_are_replaced() -> None:
    rs = a_replica_set(replicas=1, status={"replicas": 1, "observedGeneration": 1})
    plan = reconcile(ReplicaSetView(rs, (mine("a", phase="Failed"),)), NOW_S)

    assert isinstance(plan.actions[0], CreateBatch)


def test_ownership_is_settled_before_anything_else() -> None:
    plan = reconcile(ReplicaSetView(a_replica_set(replicas=5), (a_pod("orphan"),)), NOW_S)

    assert any(isinstance(action, Patch) for action in plan.actions)
    assert not any(isinstance(action, CreateBatch) for action in plan.actions)


def test_the_status_counts_what_is_there() -> None:
    rs = a_replica_set(replicas=3, status={"replicas": 0, "observedGeneration": 1}, spec={"minReadySeconds": 60})
    pods = (mine("a"), mine("b", since=NOW), mine("c", ready=False, labels={"app": "web", "x": "y"}))
    plan = reconcile(ReplicaSetView(rs, pods), NOW_S)

    (update,) = plan.actions
    assert isinstance(update, Update)
    assert update.subresource == "status"
    assert update.obj["status"] == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    assert plan.requeue_after_s == 60


def test_pods_that_are_going_away_are_counted_apart() -> None:
    rs = a_replica_set(replicas=1, status={"replicas": 1, "observedGeneration": 1})
    going = (mine("b", deleting=True), mine("c", deleting=True, phase="Failed"), a_pod("d", deleting=True))
    (update,) = reconcile(ReplicaSetView(rs, (mine("a"), *going)), NOW_S).actions

    assert isinstance(update, Update)
    assert (update.obj["status"]["replicas"], update.obj["status"]["terminatingReplicas"]) == (1, 1)


def test_a_refused_creation_is_reported_before_it_is_tried_again() -> None:
    rs = a_replica_set(replicas=1, status={"replicas": 0, "observedGeneration": 1})
    batch = CreateBatch(PODS, (build_pod(rs),), rs, "pod")
    failure = Failure("Forbidden", "exceeded quota", batch)
    plan = reconcile(ReplicaSetView(rs, (), failure=failure), NOW_S)

    update, again = plan.actions
    assert isinstance(update, Update)
    assert update.obj["status"]["conditions"] == [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": NOW,
            "reason": "FailedCreate",
            "message": "exceeded quota",
        }
    ]
    assert again == batch


def test_the_failure_is_taken_back_when_all_is_well() -> None:
    status = {**CALM, "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]}
    rs = a_replica_set(replicas=2, status=status)
    (update,) = reconcile(ReplicaSetView(rs, (mine("a"), mine("b"))), NOW_S).actions

    assert isinstance(update, Update)
    assert "conditions" not in update.obj["status"]


def test_one_that_is_being_deleted_makes_no_pods() -> None:
    rs = a_replica_set(replicas=2, status={"replicas": 0, "observedGeneration": 1})
    rs["metadata"]["deletionTimestamp"] = NOW

    assert reconcile(ReplicaSetView(rs, ()), NOW_S) == Plan()


def test_a_changed_pod_concerns_its_old_and_its_new_owner() -> None:
    other = an_owner("ReplicaSet", "other", "uid-other")
    (watch,) = [w for w in spec().watches if w.resource is PODS]
    items = watch.items(Change(a_pod(owner=MINE), a_pod(owner=other)), None)  # type: ignore[arg-type]

    assert [(item.resource, item.key.name) for item in items] == [
        (REPLICA_SETS.qualified, "rs"),
        (REPLICA_SETS.qualified, "other"),
    ]
