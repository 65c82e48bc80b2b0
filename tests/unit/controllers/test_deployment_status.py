"""What a Deployment's status says in each phase of a rollout."""

from minikube_py.controllers.conditions import find_condition
from minikube_py.controllers.deployment_sets import Sets
from minikube_py.controllers.deployment_status import (
    compute_counts,
    compute_rollout_status,
    conditions_of,
    is_complete,
    note_pause,
    progress_deadline_s,
    set_progressing,
)
from minikube_py.testing.workload_cluster import a_deployment
from minikube_py.testing.workload_objects import NOW_S, a_replica_set


def deployment(status=None, **spec):
    made = a_deployment(replicas=3, **spec)
    made["metadata"]["generation"] = 2
    made["status"] = status or {}
    return made


def a_set(name: str, size: int, pods: int = 0, ready: int = 0, available: int = 0, **more):
    status = {"replicas": pods, "readyReplicas": ready, "availableReplicas": available, **more}
    return a_replica_set(name, size, status=status)


def progressing(progress):
    return find_condition(progress.status["conditions"], "Progressing")


def test_counts_add_up_over_all_sets() -> None:
    sets = Sets(a_set("new", 2, 2, 1, 1), (a_set("old", 2, 2, 2, 2),))
    status = compute_counts(deployment(), sets, (), NOW_S)

    assert {key: value for key, value in status.items() if key != "conditions"} == {
        "observedGeneration": 2,
        "replicas": 4,
        "updatedReplicas": 2,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "unavailableReplicas": 1,
    }
    (available,) = status["conditions"]
    assert (available["status"], available["reason"]) == ("True", "MinimumReplicasAvailable")
    assert available["message"] == "Deployment has minimum availability."


def test_too_few_available_pods_are_said() -> None:
    (available,) = compute_counts(deployment(), Sets(a_set("new", 3, 3), ()), (), NOW_S)["conditions"]

    assert (available["status"], available["reason"]) == ("False", "MinimumReplicasUnavailable")


def test_a_finished_rollout_is_complete() -> None:
    progress = compute_rollout_status(deployment(), Sets(a_set("new", 3, 3, 3, 3), ()), (), NOW_S)

    assert is_complete(deployment(), progress.status)
    assert progressing(progress)["reason"] == "NewReplicaSetAvailable"
    assert progressing(progress)["message"] == 'ReplicaSet "new" has successfully progressed.'
    assert progress.check_after_s is None


def test_progress_renews_the_deadline() -> None:
    conditions = set_progressing((), "True", "NewReplicaSetCreated", "", NOW_S - 500)
    owner = deployment({"conditions": list(conditions)})
    progress = compute_rollout_status(owner, Sets(a_set("new", 3, 3, 1, 1), ()), conditions, NOW_S)

    assert progressing(progress)["reason"] == "ReplicaSetUpdated"
    assert progressing(progress)["lastUpdateTime"] == "2026-01-01T00:00:00Z"
    assert progress.check_after_s == 601


def test_no_progress_until_the_deadline_is_said_and_not_checked_again() -> None:
    conditions = set_progressing((), "True", "ReplicaSetUpdated", "", NOW_S - 601)
    sets = Sets(a_set("new", 3, 3, 1, 1), ())
    owner = deployment(compute_counts(deployment(), sets, conditions, NOW_S - 601))
    progress = compute_rollout_status(owner, sets, conditions_of(owner), NOW_S)

    assert progressing(progress)["status"] == "False"
    assert progressing(progress)["reason"] == "ProgressDeadlineExceeded"
    assert progressing(progress)["message"] == 'ReplicaSet "new" has timed out progressing.'
    assert progress.check_after_s is None


def test_a_complete_deployment_that_loses_a_pod_does_not_start_to_progress_again() -> None:
    conditions = set_progressing((), "True", "NewReplicaSetAvailable", "done", NOW_S - 9999)
    sets = Sets(a_set("new", 3, 3, 2, 2), ())
    progress = compute_rollout_status(deployment(), sets, conditions, NOW_S)

    assert progressing(progress) == conditions[0]


def test_without_a_deadline_nothing_is_said_about_progress() -> None:
    owner = deployment(progressDeadlineSeconds=2**31 - 1)
    conditions = set_progressing((), "True", "ReplicaSetUpdated", "", NOW_S)
    progress = compute_rollout_status(owner, Sets(a_set("new", 3), ()), conditions, NOW_S)

    assert progress_deadline_s(owner) is None
    assert progressing(progress) is None


def test_a_pause_and_its_end_are_noted_once() -> None:
    paused = note_pause(deployment(paused=True), (), NOW_S)
    resumed = note_pause(deployment(), paused, NOW_S)

    assert (paused[0]["status"], paused[0]["reason"]) == ("Unknown", "DeploymentPaused")
    assert note_pause(deployment(paused=True), paused, NOW_S + 60) == paused
    assert (resumed[0]["status"], resumed[0]["reason"]) == ("Unknown", "DeploymentResumed")


def test_a_refused_pod_of_a_set_shows_in_the_deployment() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    sets = Sets(a_set("new", 3, conditions=[refused]), ())
    progress = compute_rollout_status(deployment(), sets, (), NOW_S)
    shown = find_condition(progress.status["conditions"], "ReplicaFailure")

    assert shown is not None
    assert (shown["reason"], shown["message"]) == ("FailedCreate", "exceeded quota")
    calm = compute_rollout_status(
        deployment(), Sets(a_set("new", 3), ()), tuple(progress.status["conditions"]), NOW_S
    )
    assert find_condition(calm.status["conditions"], "ReplicaFailure") is None
