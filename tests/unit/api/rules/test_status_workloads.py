"""What the status of a workload may say."""

import pytest

from minikube_py.api.resources import find_resource

SETS = find_resource("apps", "v1", "replicasets")
DEPLOYMENTS = find_resource("apps", "v1", "deployments")
DAEMONS = find_resource("apps", "v1", "daemonsets")
STATEFUL = find_resource("apps", "v1", "statefulsets")
CONTROLLERS = find_resource("", "v1", "replicationcontrollers")
SCALERS = find_resource("autoscaling", "v2", "horizontalpodautoscalers")
JOBS = find_resource("batch", "v1", "jobs")
THEN, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def faults(resource, status, before=None, **spec):
    new, old = {"spec": spec, "status": status}, {"spec": spec, "status": before or {}}
    found = resource.validate_status(new, old)
    return [f"{f.field.removeprefix('status.')} {f.reason.removeprefix('FieldValue')}" for f in found]


def test_counts_that_fit_are_fine():
    assert faults(SETS, {"replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 2, "availableReplicas": 1}) == []
    assert (
        faults(DEPLOYMENTS, {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 1}) == []
    )
    assert faults(STATEFUL, {"replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "availableReplicas": 3}) == []
    assert faults(DAEMONS, {"numberReady": 5, "desiredNumberScheduled": 3}) == []
    assert faults(SCALERS, {"currentReplicas": 3, "desiredReplicas": 5}) == []


@pytest.mark.parametrize(
    ("resource", "status", "found"),
    [
        (SETS, {"replicas": -1}, ["replicas Invalid"]),
        (SETS, {"replicas": 1, "readyReplicas": 2}, ["readyReplicas Invalid"]),
        (CONTROLLERS, {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}, ["availableReplicas Invalid"]),
        (DEPLOYMENTS, {"replicas": 1, "updatedReplicas": 2}, ["updatedReplicas Invalid"]),
        (DEPLOYMENTS, {"unavailableReplicas": -1}, ["unavailableReplicas Invalid"]),
        (DAEMONS, {"numberMisscheduled": -1}, ["numberMisscheduled Invalid"]),
        (STATEFUL, {"replicas": 1, "currentReplicas": 2}, ["currentReplicas Invalid"]),
        (STATEFUL, {"observedGeneration": -1}, ["observedGeneration Invalid"]),
        (SCALERS, {"desiredReplicas": -1}, ["desiredReplicas Invalid"]),
        (JOBS, {"active": -1, "succeeded": -1}, ["active Invalid", "succeeded Invalid"]),
    ],
)
def test_counts_that_cannot_be_are_faults(resource, status, found):
    assert set(found) <= set(faults(resource, status))


@pytest.mark.parametrize("resource", [DEPLOYMENTS, DAEMONS, STATEFUL])
def test_collisions_are_not_forgotten(resource):
    assert faults(resource, {"collisionCount": 2}, {"collisionCount": 1}) == []
    assert faults(resource, {"collisionCount": 1}, {"collisionCount": 2}) == ["collisionCount Invalid"]
    assert faults(resource, {}, {"collisionCount": 2}) == ["collisionCount Invalid"]


def done(kind="Complete", **status):
    return {"conditions": [{"type": kind, "status": "True"}], "startTime": THEN, **status}


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (done(completionTime=LATER), []),
        (done("Failed"), []),
        (done(), ["completionTime Required"]),
        (done(completionTime=LATER, active=1), ["active Invalid"]),
        (done("Failed", terminating=1), ["terminating Invalid"]),
        (done("Failed", uncountedTerminatedPods={"failed": ["u"]}), ["uncountedTerminatedPods Invalid"]),
        ({"completionTime": LATER}, ["completionTime Invalid"]),
        (done(startTime=LATER, completionTime=THEN), ["completionTime Invalid"]),
        ({"active": 1, "ready": 2}, ["ready Invalid"]),
        ({"conditions": [{"type": "Suspended", "status": "Perhaps"}]}, ["conditions[0].status NotSupported"]),
        (
            {"conditions": [*done()["conditions"], *done("Failed")["conditions"]], "completionTime": LATER},
            ["conditions Invalid"],
        ),
    ],
)
def test_a_job_that_has_ended_has_ended(status, found):
    assert faults(JOBS, status) == found


@pytest.mark.parametrize(
    ("status", "before", "found"),
    [
        (
            {},
            done(completionTime=LATER),
            ["conditions Invalid", "completionTime Invalid", "startTime Required", "startTime Forbidden"],
        ),
        ({"failed": 1}, {"failed": 2}, ["failed Invalid"]),
        ({}, {"startTime": THEN}, ["startTime Required"]),
        (done("Failed", startTime=LATER), done("Failed"), ["startTime Forbidden"]),
    ],
)
def test_what_a_job_has_said_stays_said(status, before, found):
    assert faults(JOBS, status, before) == found


def test_a_fault_that_was_there_does_not_block_another_change():
    assert faults(JOBS, {"completionTime": LATER, "succeeded": 1}, {"completionTime": LATER}) == []


def test_a_suspended_job_starts_anew():
    assert faults(JOBS, {}, {"startTime": THEN, "failed": 1}, suspend=True) == []
    assert faults(JOBS, {"succeeded": 1}, {"succeeded": 2}, completionMode="Indexed") == []
