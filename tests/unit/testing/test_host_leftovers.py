"""The judge of the chaos runs must see what is wrong: each fault is made here by hand."""

from minikube_py.testing.host_leftovers import container_faults, status_faults


def _pod(uid="u1", phase="Running", state=None, restarts=0, container_id="c1", started="2026-11-24T10:00:00Z"):
    entry = {"name": "c", "state": state or {"running": {"startedAt": started}}, "restartCount": restarts}
    entry["containerID"] = f"docker://{container_id}"
    return {
        "metadata": {"uid": uid, "name": f"pod-{uid}"},
        "spec": {"containers": [{"name": "c"}]},
        "status": {"phase": phase, "containerStatuses": [entry]},
    }


def _container(identity="c1", uid="u1", name="c", *, running=True, attempt=0, exit_code=0):
    labels = {"io.kubernetes.pod.uid": uid, "io.kubernetes.container.name": name}
    state = {"Running": running, "ExitCode": exit_code, "Status": "running" if running else "exited"}
    state["StartedAt"] = "2026-11-24T10:00:00.123456789Z"
    return {
        "Id": identity,
        "Name": f"/k8s_{name}_pod_default_{uid}_{attempt}",
        "Config": {"Labels": labels},
        "State": state,
    }


def _faults(pods, containers):
    living = {p["metadata"]["uid"]: p for p in pods if p["status"]["phase"] == "Running"}
    return [*container_faults(pods, living, containers), *status_faults(pods, containers)]


SANDBOX = _container("s1", name="POD")


def test_a_pod_with_its_sandbox_and_container_is_right():
    assert _faults([_pod()], [SANDBOX, _container()]) == []


def test_a_missing_and_a_second_container_are_seen():
    assert "0 running containers POD" in _faults([_pod()], [_container()])[0]
    twice = _faults([_pod()], [SANDBOX, _container(), _container("c2", attempt=1)])
    assert "runs c as ['c1', 'c2']" in twice[0]


def test_a_container_of_no_pod_and_one_of_a_finished_pod_are_seen():
    assert "of a pod that is gone" in _faults([], [_container()])[0]
    over = _pod(phase="Failed", state={"terminated": {"exitCode": 0}})
    assert "is over, and still runs POD" in _faults([over], [SANDBOX, _container(running=False)])[0]


def test_a_status_that_is_not_true_is_seen():
    dead = [SANDBOX, _container(running=False)]
    assert any("does not run" in fault for fault in _faults([_pod()], dead))
    assert "says 2 restarts" in _faults([_pod(restarts=2)], [SANDBOX, _container()])[0]
    assert any("started at" in f for f in _faults([_pod(started="2026-11-24T10:00:01Z")], [SANDBOX, _container()]))
    waits = _pod(state={"waiting": {"reason": "CrashLoopBackOff"}})
    assert "its status says" in _faults([waits], [SANDBOX, _container()])[0]
    failed = _pod(phase="Failed", state={"terminated": {"exitCode": 3}})
    assert "says exit code 3, the engine 137" in _faults([failed], [_container(running=False, exit_code=137)])[0]
