"""Saying yes or no to a signing request."""

from minikube_py.api.resources import find_resource
from minikube_py.apiserver.approval import update_approval
from minikube_py.apiserver.decisions import NO_CHANGE, Reject, Write, WriteContext
from minikube_py.apiserver.options import WriteOptions
from minikube_py.testing.rule_cases import made

REQUESTS = find_resource("certificates.k8s.io", "v1", "certificatesigningrequests")
CONTEXT = WriteContext("", "x", 0.0, "", WriteOptions(field_manager="test"), "approval")
APPROVED = {"type": "Approved", "status": "True", "reason": "R"}


def decide(old, *conditions, **changes):
    new = {**old, "metadata": dict(old["metadata"]), "status": {"conditions": list(conditions)}, **changes}
    return update_approval(REQUESTS, old, new, CONTEXT)


def test_a_decision_gets_its_times_and_changes_nothing_else():
    old = made(REQUESTS) | {"status": {"certificate": "kept"}}
    decision = decide(old, APPROVED, spec={"request": "other"})

    assert isinstance(decision, Write)
    (condition,) = decision.obj["status"]["conditions"]
    assert condition["lastUpdateTime"] == condition["lastTransitionTime"] == "1970-01-01T00:00:00Z"
    assert decision.obj["status"]["certificate"] == "kept"
    assert decision.obj["spec"] == old["spec"]


def test_a_decision_that_stands_keeps_its_time():
    before = {**APPROVED, "lastUpdateTime": "t", "lastTransitionTime": "2020-01-01T00:00:00Z"}
    old = made(REQUESTS) | {"status": {"conditions": [before]}}

    assert decide(old, before) == NO_CHANGE
    again = decide(old, {**APPROVED, "lastUpdateTime": "t", "message": "m"})
    assert again.obj["status"]["conditions"][0]["lastTransitionTime"] == "2020-01-01T00:00:00Z"


def test_a_decision_is_not_taken_back_and_fits_the_object():
    old = made(REQUESTS) | {"status": {"conditions": [APPROVED]}}

    assert isinstance(decide(old), Reject)
    assert decide(old).error.code == 422
    other = update_approval(REQUESTS, old, {"metadata": {"name": "y"}}, CONTEXT)
    assert isinstance(other, Reject)
    assert other.error.code == 400
