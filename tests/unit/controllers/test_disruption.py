"""How many pods a budget lets go, and what it says when it cannot know."""

from functools import partial

import pytest

from minikube_py.api.meta import ObjectKey, key_of
from minikube_py.api.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, PODS, REPLICA_SETS
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.disruption import (
    desired,
    items_of_pod,
    items_of_scaled,
    observe,
    reconcile,
    scaled,
    spec,
)
from minikube_py.controllers.plan import Item, Listers, Record, Update
from minikube_py.testing.fake_informers import FakeInformer

ROW = spec()
NOW_S = 1_000_000.0
EVICTED = "1970-01-12T13:46:00Z"
"""40 s before NOW_S."""
ITEM = Item(DISRUPTION_BUDGETS.qualified, ObjectKey("default", "b"))


def pod(name, *, ready=True, owner="rs", deleting=False):
    references = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}]
    meta = {"name": name, "namespace": "default", "labels": {"app": "x"}, "uid": name}
    if owner:
        meta["ownerReferences"] = references
    if deleting:
        meta["deletionTimestamp"] = EVICTED
    return {
        "metadata": meta,
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def replica_set(replicas, name="rs"):
    return {"metadata": {"name": name, "namespace": "default", "uid": name}, "spec": {"replicas": replicas}}


def budget(status=None, **given):
    return {
        "metadata": {"name": "b", "namespace": "default", "generation": 3},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, **given},
        "status": status or {},
    }


def listers(*objects):
    informers = {watch.resource.qualified: FakeInformer(watch.resource, EVERYTHING, (), 1) for watch in ROW.watches}
    present = {"b": DISRUPTION_BUDGETS, "rs": REPLICA_SETS, "web": DEPLOYMENTS}
    for obj in objects:
        resource = present.get(obj["metadata"]["name"], PODS)
        informers[resource.qualified]._indexer.apply(Change(None, obj))
    for index in ROW.indexes:
        informers[index.resource.qualified].add_index(index.name, index.values)
    return Listers(informers)


def planned(seen_budget, *objects):
    view = observe(listers(seen_budget, *objects), ITEM, None)
    return reconcile(view, NOW_S)


def status_of(plan):
    return next(action.obj["status"] for action in plan.actions if isinstance(action, Update))


def reasons(plan):
    return [action.reason for action in plan.actions if isinstance(action, Record)]


FOUR = (pod("p1"), pod("p2"), pod("p3"), pod("p4"), replica_set(4))


@pytest.mark.parametrize(
    ("given", "wanted", "allowed"),
    [
        ({"minAvailable": 3}, 3, 1),
        ({"minAvailable": "50%"}, 2, 2),
        ({"minAvailable": "51%"}, 3, 1),
        ({"minAvailable": 5}, 5, 0),
        ({"maxUnavailable": 1}, 3, 1),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({"maxUnavailable": 9}, 0, 4),
        ({"maxUnavailable": 0}, 4, 0),
    ],
)
def test_what_may_go_is_what_is_healthy_beyond_what_must_stay(given, wanted, allowed):
    status = status_of(planned(budget(**given), *FOUR))

    assert (status["expectedPods"], status["currentHealthy"], status["desiredHealthy"]) == (4, 4, wanted)
    assert status["disruptionsAllowed"] == allowed
    assert status["observedGeneration"] == 3
    (condition,) = status["conditions"]
    assert (condition["status"], condition["reason"]) == (
        ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    )
    assert condition["observedGeneration"] == 3


def test_a_percentage_is_of_what_the_controller_wants_not_of_what_is_there():
    status = status_of(planned(budget(maxUnavailable="50%"), pod("p1"), pod("p2"), replica_set(8)))

    assert (status["expectedPods"], status["desiredHealthy"], status["disruptionsAllowed"]) == (8, 4, 0)


def test_a_pod_that_is_not_ready_or_going_is_not_healthy():
    pods = (pod("p1"), pod("p2", ready=False), pod("p3", deleting=True))

    assert status_of(planned(budget(minAvailable=1), *pods))["currentHealthy"] == 1


def test_an_evicted_pod_counts_as_gone_until_it_is_seen_going_or_two_minutes_have_passed():
    noted = {"p1": EVICTED, "p2": EVICTED, "gone": EVICTED}
    plan = planned(budget({"disruptedPods": noted}, minAvailable=1), pod("p1"), pod("p2", deleting=True), pod("p3"))

    status = status_of(plan)
    assert status["disruptedPods"] == {"p1": EVICTED}
    assert status["currentHealthy"] == 1
    assert plan.requeue_after_s == 80.0


def test_an_evicted_pod_that_stays_counts_again_and_is_told_of():
    late = {"p1": "1970-01-12T13:44:00Z"}
    plan = planned(budget({"disruptedPods": late}, minAvailable=1), pod("p1"), pod("p2"))

    assert reasons(plan) == ["NotDeleted"]
    assert "disruptedPods" not in status_of(plan)
    assert status_of(plan)["currentHealthy"] == 2


def test_without_knowing_the_controller_nothing_may_go():
    plan = planned(budget({"disruptionsAllowed": 2}, maxUnavailable=1), pod("p1", owner="lost"))

    status = status_of(plan)
    assert status["disruptionsAllowed"] == 0
    assert status["conditions"][0]["reason"] == "SyncFailed"
    assert 'found no controllers for pod "p1"' in status["conditions"][0]["message"]
    assert reasons(plan) == ["CalculateExpectedPodCountFailed"]


def test_a_number_of_pods_needs_no_controller():
    status = status_of(planned(budget(minAvailable=1), pod("p1", owner=""), pod("p2", owner="lost")))

    assert (status["expectedPods"], status["disruptionsAllowed"]) == (2, 1)


def test_pods_without_a_controller_are_told_of_when_they_cannot_count():
    plan = planned(budget(maxUnavailable=1), pod("p1", owner=""))

    assert reasons(plan) == ["UnmanagedPods"]
    assert status_of(plan)["disruptionsAllowed"] == 0


def test_a_budget_over_nothing_says_so():
    plan = planned(budget(minAvailable=0))

    assert reasons(plan) == ["NoPods"]
    assert status_of(plan)["disruptionsAllowed"] == 0


def test_what_is_right_is_not_written_again():
    first = status_of(planned(budget(minAvailable=3), *FOUR))

    assert planned(budget(first, minAvailable=3), *FOUR).actions == ()


@pytest.mark.parametrize(("value", "total", "count"), [(3, 10, 3), ("0%", 10, 0), ("34%", 10, 4), ("100%", 7, 7)])
def test_percentages_are_rounded_up(value, total, count):
    assert scaled(value, total) == count


def test_a_budget_that_says_nothing_protects_nothing_and_allows_nothing():
    assert desired(observe(listers(budget(), *FOUR), ITEM, None)) == (0, 0)


def test_a_pod_concerns_the_budgets_that_select_it_when_something_matters():
    there = listers(budget(minAvailable=1))
    items = partial(items_of_pod, listers=there)
    other = pod("p1")
    other["metadata"]["labels"] = {"app": "y"}

    assert items(Change(None, pod("p1"))) == [ITEM]
    assert items(Change(pod("p1"), pod("p1"))) == ()
    assert items(Change(pod("p1"), pod("p1", ready=False))) == [ITEM]
    assert items(Change(pod("p1"), other)) == [ITEM]
    assert items(Change(None, other)) == []


def test_a_controller_that_wants_another_number_concerns_the_budgets_of_its_namespace():
    there = listers(budget(minAvailable=1))

    assert items_of_scaled(Change(replica_set(1), replica_set(1)), there) == ()
    assert items_of_scaled(Change(replica_set(1), replica_set(2)), there) == [ITEM]


def test_a_budget_that_goes_or_is_gone_is_left_alone():
    going = budget()
    going["metadata"]["deletionTimestamp"] = EVICTED

    assert observe(listers(going), ITEM, None) is None
    assert observe(listers(), ITEM, None) is None
    assert key_of(budget()) == ITEM.key


def test_an_empty_selector_protects_the_whole_namespace_and_none_protects_nothing():
    everything = budget(selector={}, minAvailable=1)
    nothing = budget(selector=None, minAvailable=1)

    assert status_of(planned(everything, *FOUR))["currentHealthy"] == 4
    assert status_of(planned(nothing, *FOUR))["currentHealthy"] == 0
