"""When a pod may be taken away."""

import pytest

from minikube_py.apiserver.decisions import NO_CHANGE, Remove, Write
from minikube_py.apiserver.eviction import (
    DeleteNow,
    Refuse,
    Spend,
    decide_eviction,
    mark_disrupted,
    spend_disruption,
)

UNCHANGED = DeleteNow(if_unchanged=True)


def pod(*, ready=True, phase="Running", **metadata):
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"name": "p", "labels": {"app": "x"}, **metadata},
        "status": {"phase": phase, "conditions": conditions},
    }


def budget(allowed=1, **more):
    status = {"disruptionsAllowed": allowed, "observedGeneration": 1, **more.pop("status", {})}
    spec = {"selector": {"matchLabels": {"app": "x"}}, **more}
    return {"metadata": {"name": "b", "generation": 1}, "spec": spec, "status": status}


OTHER = budget(0, selector={"matchLabels": {"app": "y"}})


def test_a_pod_without_a_budget_goes():
    assert decide_eviction(pod(), ()) == DeleteNow()
    assert decide_eviction(pod(), (OTHER, budget(0, selector=None))) == DeleteNow()


@pytest.mark.parametrize("going", [pod(phase="Succeeded"), pod(phase="Pending"), pod(deletionTimestamp="t")])
def test_a_pod_that_serves_nobody_goes_whatever_its_budget_says(going):
    unread = going["status"]["phase"] == "Pending"
    assert decide_eviction(going, (budget(0),)) == (UNCHANGED if unread else DeleteNow())


def test_a_budget_that_allows_it_is_spent():
    assert decide_eviction(pod(), (OTHER, budget())) == Spend(budget())
    spent = spend_disruption(budget(status={"disruptedPods": {"q": "t"}}), "p", 0.0)
    assert spent["status"]["disruptionsAllowed"] == 0
    assert spent["status"]["disruptedPods"] == {"q": "t", "p": "1970-01-01T00:00:00Z"}
    (condition,) = spent["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "InsufficientPods")


def test_a_pod_that_stops_slowly_says_who_wanted_it_gone():
    old = pod()
    marked = mark_disrupted(Write(old), 0.0)

    assert [c["type"] for c in marked.obj["status"]["conditions"]] == ["Ready", "DisruptionTarget"]
    assert marked.obj["status"]["conditions"][1]["reason"] == "EvictionByEvictionAPI"
    assert mark_disrupted(marked, 0.0) == marked
    assert old == pod()
    assert mark_disrupted(Remove(old), 0.0) == Remove(old)
    assert mark_disrupted(NO_CHANGE, 0.0) is NO_CHANGE


def test_a_budget_that_is_used_up_says_how_many_it_needs():
    verdict = decide_eviction(pod(), (budget(0, status={"desiredHealthy": 2, "currentHealthy": 1}),))

    assert isinstance(verdict, Refuse)
    assert verdict.error.code == 429
    assert verdict.error.details["causes"][0] == {
        "reason": "DisruptionBudget",
        "message": "The disruption budget b needs 2 healthy pods and has 1 currently",
    }


@pytest.mark.parametrize(
    ("concerned", "code", "words"),
    [
        ((budget(status={"observedGeneration": 0}),), 429, "would violate"),
        ((budget(-1),), 403, "disruptions allowed is negative"),
        ((budget(status={"disruptedPods": {str(i): "t" for i in range(2001)}}),), 403, "map too big"),
        ((budget(), budget()), 500, "more than one PodDisruptionBudget"),
    ],
)
def test_what_stands_in_the_way_is_said(concerned, code, words):
    verdict = decide_eviction(pod(), concerned)

    assert isinstance(verdict, Refuse)
    assert verdict.error.code == code
    assert words in verdict.error.message


def test_a_pod_that_is_not_ready_goes_when_it_is_allowed_or_enough_others_are_well():
    unready = pod(ready=False)
    healthy = budget(0, status={"desiredHealthy": 2, "currentHealthy": 2})

    assert decide_eviction(unready, (budget(0, unhealthyPodEvictionPolicy="AlwaysAllow"),)) == UNCHANGED
    assert decide_eviction(unready, (healthy,)) == UNCHANGED
    assert isinstance(decide_eviction(pod(), (healthy,)), Refuse)
    assert isinstance(decide_eviction(unready, (budget(0),)), Refuse)
