from minikube_py.api.meta import format_time
from minikube_py.kubelet.container_status import WaitingReason, container_statuses
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_runtime_status import pod_runtime_status
from minikube_py.kubelet.probes import ProbeResult
from minikube_py.testing.kubelet_records import BEGAN_S, a_run, a_sandbox, no_probes, probes

PROBE = {"exec": {"command": ["true"]}}


def status_of(*runs, waiting=None, probe=no_probes, previous=None, **container):
    spec = {"containers": [{"name": "c", "image": "i", **container}]}
    pod = parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})
    runtime = pod_runtime_status([a_sandbox()], runs)
    (entry,) = container_statuses(pod, pod.containers, runtime, waiting or {}, probe, previous or {})
    return entry


def test_a_run_is_shown_with_its_ids_and_times():
    entry = status_of(a_run("c", attempt=2))

    assert entry["state"] == {"running": {"startedAt": format_time(BEGAN_S + 2)}}
    assert (entry["restartCount"], entry["ready"], entry["started"]) == (2, True, True)
    assert entry["containerID"] == "docker://" + a_run("c", attempt=2).id


def test_readiness_decides_ready_and_startup_decides_started():
    run = a_run("c")
    waiting = status_of(run, readinessProbe=PROBE, startupProbe=PROBE)
    started = status_of(run, probe=probes(c_startup=ProbeResult.SUCCESS), readinessProbe=PROBE, startupProbe=PROBE)

    assert (waiting["started"], waiting["ready"]) == (False, False)
    assert (started["started"], started["ready"]) == (True, False)


def test_a_waiting_reason_moves_the_last_end_to_last_state():
    entry = status_of(a_run("c", exit_code=3), waiting={"c": WaitingReason("CrashLoopBackOff", "back-off")})

    assert entry["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    assert entry["lastState"]["terminated"]["exitCode"] == 3


def test_a_waiting_reason_of_the_past_does_not_hide_a_run():
    entry = status_of(a_run("c"), waiting={"c": WaitingReason("ErrImagePull", "")})

    assert "running" in entry["state"]


def test_the_last_state_outlives_the_garbage_collector():
    ended = {"exitCode": 1, "reason": "Error", "containerID": "docker://old"}
    known = {"containerStatuses": [{"name": "c", "state": {"terminated": ended}, "containerID": "docker://old"}]}
    entry = status_of(a_run("c", attempt=1), previous=known)

    assert entry["lastState"] == {"terminated": ended}


def test_restart_counts_do_not_go_back_when_nothing_is_left():
    ended = {"exitCode": 1, "reason": "Error"}
    known = {"containerStatuses": [{"name": "c", "state": {"terminated": ended}, "restartCount": 5}]}
    entry = status_of(previous=known)

    assert (entry["restartCount"], entry["state"]) == (5, {"terminated": ended})
