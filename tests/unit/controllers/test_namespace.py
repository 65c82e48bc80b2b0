"""A namespace that is going away."""

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import EVENTS, NAMESPACES, PODS
from minikube_py.controllers.namespace import Content, NamespaceView, reconcile, watched_resources
from minikube_py.controllers.other_groups import OtherGroup
from minikube_py.controllers.plan import (
    Delete,
    DeleteAll,
    DeleteCollection,
    DeleteOthers,
    Failure,
    Plan,
    RequireEmpty,
    Target,
    Update,
)
from minikube_py.testing.custom_objects import a_served_definition
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod


def terminating(**status):
    meta = {"name": "shop", "uid": "u", "resourceVersion": "3", "deletionTimestamp": NOW}
    spec = {"finalizers": ["kubernetes"]}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta, "spec": spec, "status": status}


def status_in(plan: Plan):
    (update,) = [a for a in plan.actions if isinstance(a, Update) and a.subresource == "status"]
    return {c["type"]: (c["status"], c["message"]) for c in update.obj["status"]["conditions"]}


def test_what_is_left_is_deleted_and_counted() -> None:
    pods = (a_pod("a", metadata={"finalizers": ["x/y"]}), a_pod("b", deleting=True))
    plan = reconcile(NamespaceView(terminating(), (Content(PODS, pods),)), NOW_S)
    said = status_in(plan)

    status, deletions = plan.actions
    assert isinstance(status, Update)
    assert isinstance(deletions, DeleteAll)
    assert [deletion.target.key.name for deletion in deletions.deletions] == ["a"]
    assert said["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 2 resource instances",
    )
    assert said["NamespaceFinalizersRemaining"] == (
        "True",
        "Some content in the namespace has finalizers remaining: x/y in 1 resource instances",
    )
    assert plan.requeue_after_s is not None


def test_conditions_follow_what_is_left() -> None:
    first = reconcile(NamespaceView(terminating(), (Content(PODS, (a_pod("a"), a_pod("b"))),)), NOW_S)
    (written,) = [a.obj for a in first.actions if isinstance(a, Update)]
    second = reconcile(NamespaceView(written, (Content(PODS, (a_pod("a", deleting=True),)),)), NOW_S + 5)

    assert status_in(second)["NamespaceContentRemaining"][1].endswith("pods. has 1 resource instances")


def test_an_empty_one_is_let_go_after_a_fresh_look() -> None:
    first = reconcile(NamespaceView(terminating(), ()), NOW_S)
    (update,) = first.actions
    assert isinstance(update, Update)
    assert status_in(first)["NamespaceContentRemaining"] == ("False", "All content successfully removed")

    events, check, finalize = reconcile(NamespaceView(update.obj, ()), NOW_S).actions
    assert events == DeleteCollection(EVENTS, "shop")
    assert check == RequireEmpty((*watched_resources(), EVENTS), "shop")
    assert isinstance(finalize, Update)
    assert (finalize.resource, finalize.subresource) == (NAMESPACES, "finalize")
    assert finalize.obj["spec"]["finalizers"] == []


def test_a_failed_deletion_is_said() -> None:
    deletion = DeleteAll((Delete(PODS, Target(ObjectKey("shop", "p"), "u")),))
    failure = Failure("Forbidden", "no", deletion)
    said = status_in(reconcile(NamespaceView(terminating(), (Content(PODS, (a_pod(),)),), failure), NOW_S))

    assert said["NamespaceDeletionContentFailure"][0] == "True"


def test_a_namespace_without_our_finalizer_is_left_to_others() -> None:
    namespace = terminating()
    namespace["spec"]["finalizers"] = ["example.com/x"]

    assert reconcile(NamespaceView(namespace, ()), NOW_S) == Plan()


def test_custom_resources_are_looked_for_too() -> None:
    (row,) = rows_of(a_served_definition())
    first = reconcile(NamespaceView(terminating(), (), custom=(row,)), NOW_S)
    (update,) = first.actions
    assert isinstance(update, Update)

    _, check, _ = reconcile(NamespaceView(update.obj, (), custom=(row,)), NOW_S).actions

    assert check == RequireEmpty((*watched_resources(), row, EVENTS), "shop")


def test_what_other_servers_have_is_deleted_and_an_unreachable_one_holds_the_namespace() -> None:
    others = (OtherGroup("away.io", "v1", available=False), OtherGroup("there.io", "v1", available=True))
    plan = reconcile(NamespaceView(terminating(), (), others=others), NOW_S)
    (update,) = [action for action in plan.actions if isinstance(action, Update)]
    again = reconcile(NamespaceView(update.obj, (), others=others), NOW_S)
    well = reconcile(NamespaceView(update.obj, (), others=others[1:]), NOW_S)

    assert status_in(plan)["NamespaceDeletionDiscoveryFailure"][0] == "True"
    assert "away.io/v1" in status_in(plan)["NamespaceDeletionDiscoveryFailure"][1]
    assert again.actions == (DeleteOthers("there.io", "v1", "shop"),)
    assert again.requeue_after_s is not None
    assert status_in(well)["NamespaceDeletionDiscoveryFailure"][0] == "False"
