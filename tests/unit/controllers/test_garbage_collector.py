"""Who is kept, who goes, and what becomes of dependents."""

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import API_SERVICES, DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS
from minikube_py.client.interface import Change
from minikube_py.controllers.garbage_collector import (
    LOOK_AGAIN_S,
    Dependent,
    GarbageView,
    Owner,
    OwnerState,
    collected_resources,
    items_of,
    observe,
    reconcile,
)
from minikube_py.controllers.indexes import by_owner
from minikube_py.controllers.plan import (
    Delete,
    Item,
    Listers,
    Patch,
    Plan,
    RequireAbsent,
    RequireAbsentElsewhere,
    Target,
)
from minikube_py.testing.custom_objects import a_served_definition
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod, a_replica_set, an_owner

POD_KEY = ObjectKey("default", "p")
RS_KEY = ObjectKey("default", "rs")


def owner(state: OwnerState, uid: str = "uid-rs") -> Owner:
    check = RequireAbsent(REPLICA_SETS, Target(RS_KEY, uid)) if state is OwnerState.ABSENT else None
    return Owner(state, uid, check)


def pod_view(*owners: Owner, dependents=()) -> GarbageView:
    references = [{**an_owner("ReplicaSet", "rs", o.uid), "controller": n == 0} for n, o in enumerate(owners)]
    return GarbageView(PODS, a_pod(metadata={"ownerReferences": references}), owners, tuple(dependents))


def leaving_set(finalizer: str, *pods) -> GarbageView:
    rs = a_replica_set()
    rs["metadata"] |= {"deletionTimestamp": NOW, "finalizers": [finalizer, "other"]}
    return GarbageView(REPLICA_SETS, rs, (), tuple(Dependent(PODS, pod) for pod in pods))


def test_an_object_whose_owners_are_all_absent_goes_after_a_fresh_look() -> None:
    check, deletion = reconcile(pod_view(owner(OwnerState.ABSENT)), NOW_S).actions

    assert check == RequireAbsent(REPLICA_SETS, Target(RS_KEY, "uid-rs"))
    assert isinstance(deletion, Delete)
    assert deletion.target == Target(POD_KEY, "uid-p")
    assert deletion.options.propagation == "Background"


def test_one_solid_owner_keeps_it_and_the_absent_one_is_dropped() -> None:
    seen = pod_view(owner(OwnerState.SOLID, "uid-a"), owner(OwnerState.ABSENT, "uid-b"))
    check, patch = reconcile(seen, NOW_S).actions

    assert isinstance(check, RequireAbsent)
    assert isinstance(patch, Patch)
    assert [r["uid"] for r in patch.patch["metadata"]["ownerReferences"]] == ["uid-a"]


def test_a_dependent_of_a_waiting_owner_goes_and_takes_its_own_dependents_first() -> None:
    alone = reconcile(pod_view(owner(OwnerState.WAITING)), NOW_S).actions
    with_more = reconcile(
        pod_view(owner(OwnerState.WAITING), dependents=[Dependent(PODS, a_pod("x"))]), NOW_S
    ).actions

    assert [a.options.propagation for a in alone if isinstance(a, Delete)] == ["Background"]
    assert [a.options.propagation for a in with_more if isinstance(a, Delete)] == ["Foreground"]


def test_a_circle_of_waiting_owners_is_broken() -> None:
    circle = a_pod("x", deleting=True, metadata={"finalizers": ["foregroundDeletion"], "deletionTimestamp": NOW})
    patch, deletion = reconcile(
        pod_view(owner(OwnerState.WAITING), dependents=[Dependent(PODS, circle)]), NOW_S
    ).actions

    assert isinstance(patch, Patch)
    assert [r["blockOwnerDeletion"] for r in patch.patch["metadata"]["ownerReferences"]] == [False]
    assert "resourceVersion" in patch.patch["metadata"]
    assert isinstance(deletion, Delete)


def test_foreground_deletion_waits_for_dependents_that_block() -> None:
    blocking = a_pod(owner=an_owner("ReplicaSet", "rs", "uid-rs"))
    free = a_pod(owner={**an_owner("ReplicaSet", "rs", "uid-rs"), "blockOwnerDeletion": False})

    assert reconcile(leaving_set("foregroundDeletion", blocking), NOW_S) == Plan()
    (patch,) = reconcile(leaving_set("foregroundDeletion", free), NOW_S).actions
    assert isinstance(patch, Patch)
    assert patch.patch["metadata"] == {"resourceVersion": "5", "finalizers": ["other"]}


def test_orphaning_releases_the_dependents_before_the_owner_may_go() -> None:
    first = reconcile(leaving_set("orphan", a_pod(owner=an_owner("ReplicaSet", "rs", "uid-rs"))), NOW_S)
    last = reconcile(leaving_set("orphan"), NOW_S)

    (release,) = first.actions
    assert isinstance(release, Patch)
    assert (release.key, release.patch["metadata"]["ownerReferences"]) == (POD_KEY, None)
    (patch,) = last.actions
    assert isinstance(patch, Patch)
    assert patch.patch["metadata"]["finalizers"] == ["other"]


def test_an_object_that_is_being_deleted_without_our_finalizers_is_left_alone() -> None:
    assert reconcile(leaving_set("example.com/own"), NOW_S) == Plan()


def test_changes_that_do_not_touch_ownership_concern_nobody() -> None:
    before = a_pod(owner=an_owner("ReplicaSet", "rs", "uid-rs"))
    after = {**before, "status": {"phase": "Failed"}}

    assert items_of(PODS)(Change(before, after), None) == ()  # type: ignore[arg-type]


def test_everything_takes_part_but_events() -> None:
    taking_part = {resource.qualified for resource in collected_resources()}

    assert {PODS.qualified, REPLICA_SETS.qualified, DEPLOYMENTS.qualified} <= taking_part
    assert EVENTS.qualified not in taking_part


def test_a_custom_owner_is_found_in_whatever_version_a_reference_names_it() -> None:
    (row,) = rows_of(a_served_definition())
    client = FakeClient(ManualClock())
    informers = FakeInformers(client)
    listers = Listers({r.qualified: informers.informer(r) for r in (*collected_resources(), row)})
    pod = a_pod(
        metadata={"ownerReferences": [{"apiVersion": "ex.io/v9", "kind": "Widget", "name": "w", "uid": "gone"}]}
    )
    for informer in listers.informers.values():
        index = by_owner(informer.resource)
        informer.add_index(index.name, index.values)
    client.seed(PODS, pod)

    seen = observe(listers, Item(PODS.qualified, POD_KEY), None)

    assert seen is not None
    check = RequireAbsent(row, Target(ObjectKey("default", "w"), "gone"))
    assert [(o.state, o.check) for o in seen.owners] == [(OwnerState.ABSENT, check)]


NOTE = RequireAbsentElsewhere("notes.io", "v1", "Note", Target(ObjectKey("default", "n"), "uid-n"))


def test_an_owner_on_another_server_is_asked_for_there_before_anything_goes() -> None:
    plan = reconcile(pod_view(Owner(OwnerState.ELSEWHERE, "uid-n", NOTE)), NOW_S)

    check, deletion = plan.actions
    assert check == NOTE
    assert isinstance(deletion, Delete)
    assert plan.requeue_after_s == LOOK_AGAIN_S


def test_while_the_other_server_cannot_be_asked_nothing_goes_and_it_is_looked_at_again() -> None:
    seen = pod_view(Owner(OwnerState.ELSEWHERE, "uid-n"), owner(OwnerState.ABSENT, "uid-b"))

    assert reconcile(seen, NOW_S) == Plan(requeue_after_s=LOOK_AGAIN_S)


def test_one_solid_owner_makes_others_on_other_servers_nobodys_concern() -> None:
    seen = pod_view(owner(OwnerState.SOLID), Owner(OwnerState.ELSEWHERE, "uid-n", NOTE))

    assert reconcile(seen, NOW_S) == Plan()


@pytest.mark.parametrize(
    ("status", "state", "check"), [("True", OwnerState.ELSEWHERE, NOTE), ("False", OwnerState.ELSEWHERE, None)]
)
def test_an_api_service_says_whether_another_server_can_be_asked(status, state, check) -> None:
    client = FakeClient(ManualClock())
    informers = FakeInformers(client)
    listers = Listers({r.qualified: informers.informer(r) for r in collected_resources()})
    for informer in listers.informers.values():
        index = by_owner(informer.resource)
        informer.add_index(index.name, index.values)
    reference = {"apiVersion": "notes.io/v1", "kind": "Note", "name": "n", "uid": "uid-n"}
    client.seed(PODS, a_pod(metadata={"ownerReferences": [reference]}))
    assert observe(listers, Item(PODS.qualified, POD_KEY), None) is None, "no server has such a kind"

    spec = {"group": "notes.io", "version": "v1", "service": {"name": "s", "namespace": "n"}}
    conditions = [{"type": "Available", "status": status}]
    meta = {"name": "v1.notes.io"}
    client.seed(API_SERVICES, {"metadata": meta, "spec": spec, "status": {"conditions": conditions}})
    seen = observe(listers, Item(PODS.qualified, POD_KEY), None)

    assert seen is not None
    assert [(o.state, o.check) for o in seen.owners] == [(state, check)]


def test_an_object_whose_definition_has_gone_is_nobodys_work() -> None:
    assert observe(Listers({}), Item("widgets.ex.io", POD_KEY), None) is None
