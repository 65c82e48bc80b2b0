import pytest

from minikube_py.kubelet.container import container_hash
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_actions import KillReason, compute_pod_actions
from minikube_py.kubelet.pod_runtime_status import pod_runtime_status
from minikube_py.kubelet.probes import ProbeResult
from minikube_py.testing.kubelet_records import a_run, a_sandbox, no_probes, probes

TRUE_PROBE = {"exec": {"command": ["true"]}}


def a_pod(*, init=(), containers=("c",), **spec):
    spec = {
        "containers": [c if isinstance(c, dict) else {"name": c, "image": "i"} for c in containers],
        "initContainers": [c if isinstance(c, dict) else {"name": c, "image": "i"} for c in init],
        **spec,
    }
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})


def plan(pod, sandboxes, runs=(), probe=no_probes):
    return compute_pod_actions(pod, pod_runtime_status(sandboxes, runs), probe)


def names(containers):
    return [c.name for c in containers]


def test_a_new_pod_gets_a_sandbox_and_its_containers():
    actions = plan(a_pod(containers=("a", "b")), [])

    assert (actions.create_sandbox, actions.kill_pod, actions.attempt) == (True, False, 0)
    assert names(actions.to_start) == ["a", "b"]


def test_a_new_pod_with_init_containers_starts_only_the_first():
    assert names(plan(a_pod(init=("i1", "i2")), []).to_start) == ["i1"]


def test_a_running_pod_needs_nothing():
    actions = plan(a_pod(), [a_sandbox()], [a_run("c")])

    assert not actions.to_start
    assert not actions.containers_to_kill
    assert not actions.kill_pod


@pytest.mark.parametrize(
    "sandboxes",
    [[a_sandbox(ready=False)], [a_sandbox(), a_sandbox(0, host_network=True)], [a_sandbox(host_network=True)]],
    ids=["dead", "two", "wrong-network"],
)
def test_an_unusable_sandbox_is_replaced_with_everything_in_it(sandboxes):
    actions = plan(a_pod(), sandboxes, [a_run("c")])

    assert (actions.kill_pod, actions.create_sandbox, actions.attempt) == (True, True, 1)
    assert names(actions.to_start) == ["c"]


def test_init_containers_run_again_in_a_new_sandbox():
    runs = [a_run("i", exit_code=0), a_run("c", exit_code=137)]
    actions = plan(a_pod(init=("i",)), [a_sandbox(ready=False)], runs)

    assert names(actions.to_start) == ["i"]


@pytest.mark.parametrize(
    ("policy", "exit_code"), [("Never", 137), ("OnFailure", 0)], ids=["never", "on-failure-and-done"]
)
def test_a_pod_with_nothing_left_to_run_gets_no_new_sandbox(policy, exit_code):
    pod = a_pod(restartPolicy=policy)
    actions = plan(pod, [a_sandbox(ready=False)], [a_run("c", exit_code=exit_code)])

    assert (actions.kill_pod, actions.create_sandbox) == (True, False)
    assert not actions.to_start


@pytest.mark.parametrize(
    ("policy", "exit_code", "restarted"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_the_restart_policy_decides(policy, exit_code, restarted):
    actions = plan(a_pod(restartPolicy=policy), [a_sandbox()], [a_run("c", exit_code=exit_code)])

    assert names(actions.to_start) == (["c"] if restarted else [])
    assert actions.kill_pod is not restarted


def test_a_pod_lives_as_long_as_one_container_runs():
    pod = a_pod(containers=("a", "b"), restartPolicy="Never")
    actions = plan(pod, [a_sandbox()], [a_run("a", exit_code=0), a_run("b")])

    assert not actions.kill_pod
    assert not actions.to_start


@pytest.mark.parametrize(
    ("runs", "to_start"),
    [
        ([], ["i1"]),
        ([a_run("i1")], []),
        ([a_run("i1", exit_code=0)], ["i2"]),
        ([a_run("i1", exit_code=2)], ["i1"]),
        ([a_run("i1", exit_code=0), a_run("i2", exit_code=0)], ["c"]),
        ([a_run("i1", exit_code=0), a_run("i2", exit_code=0), a_run("c", exit_code=1)], ["c"]),
    ],
    ids=["none", "first-runs", "first-done", "first-failed", "all-done", "app-failed"],
)
def test_init_containers_run_in_order_each_to_success(runs, to_start):
    assert names(plan(a_pod(init=("i1", "i2")), [a_sandbox()], runs).to_start) == to_start


def test_a_failed_init_container_ends_a_pod_that_never_restarts():
    pod = a_pod(init=("i1",), restartPolicy="Never")
    actions = plan(pod, [a_sandbox()], [a_run("i1", exit_code=2)])

    assert actions.kill_pod
    assert not actions.to_start


def test_runs_of_an_older_sandbox_do_not_count_as_initialization():
    runs = [a_run("i1", exit_code=0, sandbox=0), a_run("c", exit_code=137, sandbox=0)]

    assert names(plan(a_pod(init=("i1",)), [a_sandbox(1), a_sandbox(0, ready=False)], runs).to_start) == ["i1"]


SIDECAR = {"name": "s", "image": "i", "restartPolicy": "Always"}


def test_what_follows_a_sidecar_waits_until_it_has_started():
    pod = a_pod(init=({**SIDECAR, "startupProbe": TRUE_PROBE},))

    assert names(plan(pod, [a_sandbox()], [a_run("s")]).to_start) == []
    started = probes(s_startup=ProbeResult.SUCCESS)
    assert names(plan(pod, [a_sandbox()], [a_run("s")], started).to_start) == ["c"]


def test_a_sidecar_that_ended_is_started_again_beside_the_rest():
    pod = a_pod(init=(SIDECAR,))
    actions = plan(pod, [a_sandbox()], [a_run("s", exit_code=0), a_run("c")])

    assert names(actions.to_start) == ["s"]
    assert not actions.kill_pod


def test_a_sidecar_does_not_keep_a_finished_pod_alive():
    pod = a_pod(init=(SIDECAR,), restartPolicy="Never")

    assert plan(pod, [a_sandbox()], [a_run("s"), a_run("c", exit_code=0)]).kill_pod


def test_a_container_whose_definition_changed_is_replaced():
    run = a_run("c", hash=container_hash("c", "older"))
    (kill,) = plan(a_pod(), [a_sandbox()], [run]).containers_to_kill

    assert kill.reason is KillReason.CHANGED
    assert kill.message == "Container c definition changed, will be restarted"


@pytest.mark.parametrize(("kind", "reason"), [("liveness", KillReason.LIVENESS), ("startup", KillReason.STARTUP)])
def test_a_probe_that_gave_up_kills_and_restarts(kind, reason):
    actions = plan(a_pod(), [a_sandbox()], [a_run("c")], probes(**{f"c_{kind}": ProbeResult.FAILURE}))

    assert [k.reason for k in actions.containers_to_kill] == [reason]
    assert names(actions.to_start) == ["c"]


def test_a_failed_probe_ends_a_container_that_never_restarts():
    pod = a_pod(restartPolicy="Never")
    actions = plan(pod, [a_sandbox()], [a_run("c")], probes(c_liveness=ProbeResult.FAILURE))

    assert len(actions.containers_to_kill) == 1
    assert not actions.to_start


def test_ephemeral_containers_are_started_once():
    pod = a_pod(ephemeralContainers=[{"name": "debug", "image": "i"}])

    assert names(plan(pod, [a_sandbox()], [a_run("c")]).to_start) == ["debug"]
    assert names(plan(pod, [a_sandbox()], [a_run("c"), a_run("debug", exit_code=1)]).to_start) == []


NEVER = {"name": "c", "image": "i", "restartPolicy": "Never"}
ON_42 = {
    **NEVER,
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
}


@pytest.mark.parametrize(
    ("container", "exit_code", "started", "over"),
    [(NEVER, 1, [], True), (ON_42, 42, ["c"], False), (ON_42, 1, [], True)],
    ids=["own-policy", "rule", "no-rule-for-it"],
)
def test_a_container_s_own_policy_decides_whether_it_is_started_again(container, exit_code, started, over):
    actions = plan(a_pod(containers=(container,)), [a_sandbox()], [a_run("c", exit_code=exit_code)])

    assert (names(actions.containers_to_start), actions.kill_pod) == (started, over)


def test_an_init_container_that_must_not_restart_fails_the_pod():
    init = {"name": "i", "image": "i", "restartPolicy": "Never"}

    assert plan(a_pod(init=(init,)), [a_sandbox()], [a_run("i", exit_code=1)]).kill_pod


def test_a_pod_that_lost_its_sandbox_goes_on_when_one_container_may_restart():
    pod = a_pod(containers=(ON_42,), restartPolicy="Never")
    runs = [a_run("c", exit_code=42)]

    assert plan(pod, [a_sandbox(ready=False)], runs).create_sandbox
    assert not plan(a_pod(restartPolicy="Never"), [a_sandbox(ready=False)], runs).create_sandbox


def test_a_sidecar_keeps_no_pod_going_that_lost_its_sandbox():
    pod = a_pod(init=("i", SIDECAR), restartPolicy="Never")
    actions = plan(pod, [a_sandbox(ready=False)], [a_run("i", exit_code=0)])

    assert (actions.kill_pod, actions.create_sandbox) == (True, False)
