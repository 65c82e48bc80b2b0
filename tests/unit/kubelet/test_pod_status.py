"""The status that the rules make of a runtime's records, beside what a real kubelet wrote for the same.

The fixture holds statuses that a kubelet of 1.20 wrote. Each one is turned back into the records and probe results
that it must have come from, and the rules must give the same phase, container statuses and conditions. Differences
that later releases made are taken into account below.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from minikube_py.api.meta import parse_time
from minikube_py.kubelet.container_status import WaitingReason
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_conditions import resize_conditions
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus, pod_runtime_status
from minikube_py.kubelet.pod_status import PodFailure, StatusFacts, generate_pod_status, status_patch
from minikube_py.kubelet.probes import ProbeResult
from minikube_py.testing.kubelet_records import a_run, a_sandbox, no_probes, probes

FIXTURE = Path(__file__).parents[2] / "fixtures" / "observed" / "pod_statuses.json"
SCENARIOS = json.loads(FIXTURE.read_text())
CASES = [
    pytest.param(scenario["spec"], status, id=f"{scenario['scenario']}-{number}")
    for scenario in SCENARIOS
    for number, status in enumerate(scenario["statuses"])
]
NOW_S = 1767225600.0


def records_of(entry) -> list[ContainerRecord]:
    """Return the runs that a container status tells of, newest first."""
    state, last = entry["state"], entry["lastState"].get("terminated")
    image_id, count = entry["imageID"], entry["restartCount"]
    runs = []
    if "running" in state:
        runs.append(a_run(entry["name"], attempt=count, image_id=image_id))
    elif "terminated" in state:
        runs.append(ended(entry["name"], count, state["terminated"], image_id))
    elif last is not None:
        return [ended(entry["name"], count, last, image_id)]
    if last is not None:
        runs.append(ended(entry["name"], count - 1, last, image_id))
    return runs


def ended(name, attempt, state, image_id) -> ContainerRecord:
    return a_run(
        name,
        attempt=attempt,
        exit_code=state["exitCode"],
        reason=state["reason"],
        message=state.get("message", ""),
        image_id=image_id,
    )


def comparable(entry):
    """Return an entry without ids and times."""
    later = ("allocatedResources", "resources", "volumeMounts", "user", "stopSignal")
    text = json.dumps({k: v for k, v in entry.items() if k not in ("containerID", "started", *later)})
    text = re.sub(r'"(startedAt|finishedAt)": ("[^"]*"|null)', r'"\1": "T"', text)
    return json.loads(re.sub(r'"docker://[0-9a-f]{64}"', '"docker://<cid>"', text))


@pytest.mark.parametrize(("spec", "observed"), CASES)
def test_a_status_is_what_a_real_kubelet_wrote(spec, observed):
    pod = parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})
    entries = observed.get("initContainerStatuses", []) + observed["containerStatuses"]
    waiting = {
        e["name"]: WaitingReason(e["state"]["waiting"]["reason"], e["state"]["waiting"].get("message", ""))
        for e in entries
        if "waiting" in e["state"] and e["state"]["waiting"]["reason"] not in ("ContainerCreating", "PodInitializing")
    }
    ready = {e["name"]: e["ready"] for e in entries}
    started = {e["name"]: e.get("started") for e in entries}

    def probe(run, kind):
        passed = started[run.name] if kind == "startup" else ready[run.name]
        return ProbeResult.SUCCESS if passed else ProbeResult.FAILURE

    runs = [record for entry in entries for record in records_of(entry)]
    status = pod_runtime_status([a_sandbox()], runs)
    gates = [c for c in observed["conditions"] if c["type"] not in OWNED]
    facts = StatusFacts("192.0.2.1", "10.244.0.2", NOW_S, NOW_S, {"conditions": gates}, waiting)
    made = generate_pod_status(pod, status, probe, facts)

    assert made["phase"] == observed["phase"]
    assert made["qosClass"] == observed["qosClass"]
    for field in ("initContainerStatuses", "containerStatuses"):
        ours = [comparable(e) for e in made.get(field, [])]
        theirs = [comparable(e) for e in observed.get(field, [])]
        assert ours == theirs
    assert owned_conditions(made) == owned_conditions(observed)


OWNED = ("Initialized", "Ready", "ContainersReady", "PodScheduled")


def owned_conditions(status):
    found = {}
    for condition in status["conditions"]:
        if condition["type"] in OWNED:
            reason, message = condition.get("reason"), condition.get("message")
            if status["phase"] == "Failed" and condition["type"] in ("Ready", "ContainersReady"):
                # Later releases say PodFailed here, without a list.
                reason, message = "PodFailed", None
            found[condition["type"]] = (condition["status"], reason, message)
    return found


def a_pod(**spec):
    obj = {"metadata": {"name": "p", "namespace": "n", "uid": "u", "generation": 3}, "spec": {}}
    obj["spec"] = {"containers": [{"name": "c", "image": "i"}], **spec}
    return parse_pod(obj)


def facts(**changes):
    values = {"pod_ip": "10.244.0.2", "previous": {}, **changes}
    return StatusFacts(host_ip="192.0.2.1", now_wall_s=NOW_S, start_time_s=NOW_S, **values)


def test_addresses_start_time_and_generation_are_reported():
    status = generate_pod_status(a_pod(), PodRuntimeStatus(), no_probes, facts())

    assert status["hostIPs"] == [{"ip": "192.0.2.1"}]
    assert status["podIPs"] == [{"ip": "10.244.0.2"}]
    assert parse_time(status["startTime"]) == NOW_S
    assert status["observedGeneration"] == 3
    assert {c["observedGeneration"] for c in status["conditions"]} == {3}


def test_a_transition_time_moves_only_when_the_status_of_a_condition_changes():
    first = generate_pod_status(a_pod(), PodRuntimeStatus(), no_probes, facts())
    runs = pod_runtime_status([a_sandbox()], [a_run("c")])
    later = StatusFacts("192.0.2.1", "10.244.0.2", NOW_S + 60, NOW_S, first)
    second = generate_pod_status(a_pod(), runs, no_probes, later)

    times = {c["type"]: parse_time(c["lastTransitionTime"]) - NOW_S for c in second["conditions"]}
    assert times == {
        "PodReadyToStartContainers": 60,
        "Initialized": 0,
        "Ready": 60,
        "ContainersReady": 60,
        "PodScheduled": 0,
    }


def test_a_terminal_phase_stays():
    runs = pod_runtime_status([a_sandbox()], [a_run("c")])
    status = generate_pod_status(a_pod(), runs, no_probes, facts(previous={"phase": "Failed", "reason": "Evicted"}))

    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")


@pytest.mark.parametrize(
    ("exit_codes", "phase"), [((0, 0), "Succeeded"), ((0, 143), "Failed")], ids=["all-clean", "one-not"]
)
def test_a_pod_that_was_stopped_ends_by_its_exit_codes(exit_codes, phase):
    pod = a_pod(containers=[{"name": "a", "image": "i"}, {"name": "b", "image": "i"}])
    runs = [a_run(name, exit_code=code) for name, code in zip("ab", exit_codes, strict=True)]
    status = generate_pod_status(pod, pod_runtime_status([a_sandbox()], runs), no_probes, facts(ended=True))

    assert status["phase"] == phase


def test_a_pod_that_was_stopped_before_it_ran_is_failed():
    status = generate_pod_status(a_pod(), PodRuntimeStatus(), no_probes, facts(ended=True))

    assert status["phase"] == "Failed"


def test_a_pod_that_the_node_gave_up_says_why():
    failure = PodFailure("DeadlineExceeded", "too long")
    status = generate_pod_status(a_pod(), PodRuntimeStatus(), no_probes, facts(failure=failure))

    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_a_sidecar_that_runs_on_does_not_keep_a_pod_from_succeeding():
    sidecar = {"name": "s", "image": "i", "restartPolicy": "Always"}
    pod = a_pod(initContainers=[sidecar], restartPolicy="Never")
    runs = pod_runtime_status([a_sandbox()], [a_run("s"), a_run("c", exit_code=0)])

    assert generate_pod_status(pod, runs, no_probes, facts())["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("policy", "exit_code", "shown"),
    [
        ("OnFailure", 0, "terminated"),
        ("Never", 0, "terminated"),
        ("OnFailure", 3, "running"),
        ("Always", 0, "running"),
    ],
)
def test_an_init_container_that_was_done_shows_so_while_it_runs_in_a_new_sandbox(policy, exit_code, shown):
    pod = a_pod(initContainers=[{"name": "i", "image": "i"}], restartPolicy=policy)
    done = pod_runtime_status([a_sandbox()], [a_run("i", exit_code=exit_code)])
    before = generate_pod_status(pod, done, no_probes, facts())
    again = pod_runtime_status([a_sandbox()], [a_run("i", exit_code=exit_code), a_run("i", attempt=1)])
    status = generate_pod_status(pod, again, no_probes, facts(previous=before))
    (entry,) = status["initContainerStatuses"]

    assert shown in entry["state"]
    assert (entry == before["initContainerStatuses"][0]) is (shown == "terminated")
    over = pod_runtime_status([a_sandbox()], [a_run("i", attempt=1, exit_code=0)])
    (entry,) = generate_pod_status(pod, over, no_probes, facts(previous=status))["initContainerStatuses"]
    assert entry["restartCount"] == 1


def test_a_container_that_vanished_counts_as_a_restart():
    known = {
        "containerStatuses": [
            {"name": "c", "state": {"running": {}}, "restartCount": 4, "containerID": "docker://x", "lastState": {}}
        ]
    }
    status = generate_pod_status(a_pod(), PodRuntimeStatus(), no_probes, facts(previous=known))

    (entry,) = status["containerStatuses"]
    assert entry["restartCount"] == 5
    assert entry["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"


def test_nothing_is_patched_when_nothing_changed():
    runs = pod_runtime_status([a_sandbox()], [a_run("c")])
    status = generate_pod_status(a_pod(), runs, no_probes, facts())

    assert status_patch(status, status) == {}


def test_conditions_of_others_are_carried_over_in_a_patch():
    other = {"type": "example.com/gate", "status": "True"}
    old = {"phase": "Pending", "conditions": [other]}
    patch = status_patch({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, old)

    assert patch == {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}, other]}


def test_a_reason_that_is_gone_is_taken_away():
    assert status_patch({"phase": "Running"}, {"phase": "Running", "reason": "Old", "conditions": []}) == {
        "reason": None
    }


def test_phases_of_runs_are_the_runtimes():
    assert a_run("c").phase is ContainerPhase.RUNNING


TABLE = yaml.safe_load((FIXTURE.parents[1] / "pod_status" / "cases.yaml").read_text())
REASONS = [
    "PodInitializing",
    "ContainerCreating",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreStartHookError",
    "PostStartHookError",
    "CrashLoopBackOff",
    "PreCreateHookError",
    "Completed",
    "Error",
    "OOMKilled",
    "ContainerCannotRun",
    "DeadlineExceeded",
    "Evicted",
    "ContainerStatusUnknown",
    "Terminated",
    "ContainersNotInitialized",
    "ContainersNotReady",
    "PodCompleted",
    "ReadinessGatesNotReady",
    "PodFailed",
    "Deferred",
    "Infeasible",
    "SysctlForbidden",
    "AppArmor",
    "Blocked",
]


def made_from(given):
    """Return the status that the rules make of a case's input."""
    pod = a_pod(**given.get("spec", {}))
    sandbox = {"ready": [a_sandbox()], "dead": [a_sandbox(ready=False)], "none": []}[given.get("sandbox", "ready")]
    results = {name: ProbeResult(text) for name, text in given.get("probes", {}).items()}
    resize = given.get("resize", {})
    pending = resize.get("pending", ["", ""])
    return generate_pod_status(
        pod,
        pod_runtime_status(sandbox, [a_run(**run) for run in given.get("runs", [])]),
        probes(**results),
        facts(
            previous=given.get("previous", {}),
            waiting={name: WaitingReason(*said) for name, said in given.get("waiting", {}).items()},
            failure=PodFailure(*given["failure"]) if "failure" in given else None,
            blocked=PodFailure(*given["blocked"]) if "blocked" in given else None,
            resize=resize_conditions(
                *pending, in_progress=resize.get("in_progress", False), error=resize.get("error", "")
            ),
            ended=given.get("ended", False),
        ),
    )


def timeless(state):
    kept = ("containerID", "startedAt", "finishedAt")
    return {kind: {k: v for k, v in value.items() if k not in kept} for kind, value in state.items()}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in TABLE])
def test_a_status_is_what_the_table_says(case):
    status, expected = made_from(case["given"]), case["expect"]
    groups = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    entries = {entry["name"]: entry for group in groups for entry in status.get(group, [])}
    shown = {
        **{name: status.get(name) for name in ("phase", "reason", "message") if name in expected},
        "containers": {
            name: {k: timeless(entries[name][k]) if k in ("state", "lastState") else entries[name][k] for k in wanted}
            for name, wanted in expected.get("containers", {}).items()
        },
        "conditions": {
            kind: [c[key] for key in ("status", "reason", "message") if key in c]
            for kind in expected.get("conditions", {})
            for c in status["conditions"]
            if c["type"] == kind
        },
    }

    assert shown == {"containers": {}, "conditions": {}, **expected}


def test_the_table_has_every_reason_that_a_status_may_have():
    told = json.dumps([case["expect"] for case in TABLE])

    assert [reason for reason in REASONS if f'"{reason}"' not in told] == []
