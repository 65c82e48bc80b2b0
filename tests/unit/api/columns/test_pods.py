"""One word for a pod's state (observed on upstream 1.20, with sidecars and restart times as of 1.29)."""

import pytest

from minikube_py.api.columns.pods import POD_COLUMNS, pod_row_conditions
from minikube_py.api.meta import format_time
from minikube_py.api.resource import cells_of

NOW = 1_000_000.0


def a_container(name="c", *, ready=False, restarts=0, ended_s_ago=None, **state):
    status = {"name": name, "ready": ready, "restartCount": restarts, "state": state}
    if ended_s_ago is not None:
        status["lastState"] = {"terminated": {"finishedAt": format_time(NOW - ended_s_ago), "exitCode": 1}}
    return status


def a_pod(*statuses, phase="Running", init=(), inits=(), conditions=(), deleted=False, **status):
    metadata = {"name": "p"} | ({"deletionTimestamp": "2001-01-01T00:00:00Z"} if deleted else {})
    spec = {"containers": [{"name": s["name"]} for s in statuses] or [{"name": "c"}], "initContainers": list(inits)}
    return {
        "metadata": metadata,
        "spec": spec,
        "status": {
            "phase": phase,
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(init),
            "conditions": [{"type": t, "status": "True"} for t in conditions],
            **status,
        },
    }


def cells(pod):
    names = [column.name for column in POD_COLUMNS]
    return dict(zip(names, cells_of(POD_COLUMNS, pod, NOW), strict=True))


RUNNING = {"running": {"startedAt": "T"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
ERROR = {"terminated": {"exitCode": 1, "reason": "Error"}}
TWO_INITS = [{"name": "i"}, {"name": "j"}]
SIDECAR = [{"name": "i", "restartPolicy": "Always"}]
READY = a_container(ready=True, **RUNNING)


@pytest.mark.parametrize(
    ("pod", "ready", "status"),
    [
        (a_pod(phase="Pending"), "0/1", "Pending"),
        (a_pod(READY), "1/1", "Running"),
        (a_pod(READY, a_container("d", **RUNNING)), "1/2", "Running"),
        (a_pod(a_container(**BACK_OFF)), "0/1", "CrashLoopBackOff"),
        (a_pod(a_container(**ERROR), phase="Failed"), "0/1", "Error"),
        (a_pod(a_container(terminated={"exitCode": 3})), "0/1", "ExitCode:3"),
        (a_pod(a_container(terminated={"exitCode": 137, "signal": 9})), "0/1", "Signal:9"),
        (a_pod(a_container(**BACK_OFF), a_container("d", **ERROR)), "0/2", "CrashLoopBackOff"),
        (a_pod(a_container(**DONE), READY, conditions=("Ready",)), "1/2", "Running"),
        (a_pod(a_container(**DONE), READY), "1/2", "NotReady"),
        (a_pod(a_container(**DONE), phase="Succeeded"), "0/1", "Completed"),
        (a_pod(phase="Failed", reason="Evicted"), "0/1", "Evicted"),
        (a_pod(READY, deleted=True), "1/1", "Terminating"),
        (a_pod(READY, deleted=True, reason="NodeLost"), "1/1", "Unknown"),
        (a_pod(a_container(**DONE), phase="Succeeded", deleted=True), "0/1", "Completed"),
        (a_pod(phase="Pending", init=[a_container("i", **RUNNING)], inits=TWO_INITS), "0/1", "Init:0/2"),
        (
            a_pod(phase="Pending", init=[a_container("i", **DONE), a_container("j", **RUNNING)], inits=TWO_INITS),
            "0/1",
            "Init:1/2",
        ),
        (
            a_pod(phase="Pending", init=[a_container("i", **BACK_OFF)], inits=TWO_INITS),
            "0/1",
            "Init:CrashLoopBackOff",
        ),
        (a_pod(phase="Pending", init=[a_container("i", **ERROR)], inits=TWO_INITS), "0/1", "Init:Error"),
        (
            a_pod(phase="Pending", init=[a_container("i", terminated={"exitCode": 2})], inits=TWO_INITS),
            "0/1",
            "Init:ExitCode:2",
        ),
        (
            a_pod(phase="Pending", init=[a_container("i", waiting={"reason": "PodInitializing"})], inits=TWO_INITS),
            "0/1",
            "Init:0/2",
        ),
        (
            a_pod(READY, init=[a_container("i", ready=True, **RUNNING) | {"started": True}], inits=SIDECAR),
            "2/2",
            "Running",
        ),
    ],
)
def test_ready_and_status(pod, ready, status):
    assert (cells(pod)["Ready"], cells(pod)["Status"]) == (ready, status)


def test_a_gated_pod_says_so():
    pod = a_pod(phase="Pending")
    pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]

    assert cells(pod)["Status"] == "SchedulingGated"


def test_restarts_say_how_long_ago_the_last_one_was():
    twice = a_pod(a_container(restarts=2, ended_s_ago=300, **RUNNING), a_container("d", restarts=1, ended_s_ago=60))

    assert cells(twice)["Restarts"] == "3 (60s ago)"
    assert cells(a_pod(a_container(restarts=1)))["Restarts"] == "1"
    assert cells(a_pod())["Restarts"] == "0"


def test_restarts_of_finished_init_containers_are_forgotten_but_not_those_of_sidecars():
    init = a_container("i", restarts=4, ended_s_ago=10, **DONE)
    sidecar = a_container("i", restarts=4, ended_s_ago=10, **RUNNING) | {"started": True}

    assert cells(a_pod(READY, init=[init], inits=[{"name": "i"}]))["Restarts"] == "0"
    assert cells(a_pod(READY, init=[sidecar], inits=SIDECAR))["Restarts"] == "4 (10s ago)"


def test_wide_columns():
    pod = a_pod(READY, podIPs=[{"ip": "10.0.0.2"}, {"ip": "fd00::2"}], podIP="10.0.0.2", conditions=("G",))
    pod["spec"] |= {"nodeName": "n", "readinessGates": [{"conditionType": "G"}, {"conditionType": "H"}]}

    assert [cells(pod)[name] for name in ("IP", "Node", "Nominated Node", "Readiness Gates")] == [
        "10.0.0.2",
        "n",
        "<none>",
        "1/2",
    ]
    assert [cells(a_pod())[name] for name in ("IP", "Node", "Readiness Gates")] == ["<none>"] * 3


def test_only_ended_pods_have_row_conditions():
    assert pod_row_conditions(a_pod(phase="Succeeded"))[0]["reason"] == "Succeeded"
    assert pod_row_conditions(a_pod()) == ()
