"""The mark of a disruption that did not come."""

import pytest

from minikube_py.api.meta import key_of
from minikube_py.api.resources import PODS
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.plan import NOTHING, Item, Listers, Plan
from minikube_py.controllers.stale_disruption import observe, reconcile, spec
from minikube_py.testing.fake_informers import FakeInformer

MARKED_S = 1_000_000.0
MARKED = "1970-01-12T13:46:40Z"


def pod(reason="EvictionByEvictionAPI", status="True", phase="Running", **meta):
    condition = {"type": "DisruptionTarget", "status": status, "reason": reason, "lastTransitionTime": MARKED}
    return {
        "metadata": {"name": "p", "namespace": "default", "uid": "u", **meta},
        "status": {"phase": phase, "conditions": [condition]},
    }


def seen(obj):
    return observe(Listers({"pods": FakeInformer(PODS, EVERYTHING, [obj], 1)}), Item("pods", key_of(obj)), None)


def test_a_mark_is_taken_away_after_two_minutes_and_not_before():
    assert reconcile(seen(pod()), MARKED_S + 100) == Plan(requeue_after_s=20.0)
    (patch,) = reconcile(seen(pod()), MARKED_S + 120).actions

    (condition,) = patch.patch["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionTarget", "False")
    assert (patch.uid, patch.subresource) == ("u", "status")
    assert reconcile(seen(pod()), MARKED_S + 100) != NOTHING


@pytest.mark.parametrize(
    "other",
    [pod("TerminationByKubelet"), pod(status="False"), pod(phase="Failed"), pod(deletionTimestamp=MARKED)],
    ids=["the kubelet's", "taken away", "ended", "going"],
)
def test_what_is_going_or_was_marked_by_its_kubelet_stays(other):
    assert seen(other) is None
    (watch,) = spec().watches
    assert watch.items(Change(None, other), Listers({})) == ()
    assert watch.items(Change(None, pod()), Listers({})) == (Item("pods", key_of(other)),)
