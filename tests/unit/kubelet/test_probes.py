from dataclasses import replace

import pytest

from minikube_py.kubelet.handlers import ExecAction, Probe
from minikube_py.kubelet.probes import (
    ProbeOutcome,
    ProbeResult,
    ProbeStep,
    initial_state,
    observe,
    probe_event,
    record,
)
from minikube_py.testing.kubelet_records import BEGAN_S, a_run

PROBE = Probe(ExecAction(("true",)), 0.0, 10.0, 1.0, 2, 3, None)
PASSED, FAILED = ProbeOutcome(ProbeResult.SUCCESS), ProbeOutcome(ProbeResult.FAILURE)


def watched(kind, *, run=None, started=True, deleting=False, probe=PROBE, now_s=BEGAN_S + 5):
    state = initial_state(kind)
    return observe(state, probe, run or a_run("c"), started=started, deleting=deleting, now_wall_s=now_s)


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("startup", ProbeResult.UNKNOWN),
        ("liveness", ProbeResult.SUCCESS),
        ("readiness", ProbeResult.FAILURE),
    ],
)
def test_a_new_run_begins_with_upstreams_first_result(kind, result):
    assert watched(kind)[0].result is result


def test_nothing_is_tried_before_there_is_a_run():
    state = initial_state("readiness")

    assert observe(state, PROBE, None, started=True, deleting=False, now_wall_s=0)[1] is ProbeStep.REST


def test_the_initial_delay_counts_from_the_start_of_the_run():
    slow = replace(PROBE, initial_delay_s=30.0)

    assert watched("liveness", probe=slow, now_s=BEGAN_S + 29)[1] is ProbeStep.REST
    assert watched("liveness", probe=slow, now_s=BEGAN_S + 30)[1] is ProbeStep.RUN


@pytest.mark.parametrize(
    ("kind", "started", "step"),
    [
        ("startup", False, ProbeStep.RUN),
        ("startup", True, ProbeStep.REST),
        ("liveness", False, ProbeStep.REST),
        ("readiness", False, ProbeStep.REST),
        ("readiness", True, ProbeStep.RUN),
    ],
)
def test_the_startup_probe_goes_first_and_then_rests(kind, started, step):
    assert watched(kind, started=started)[1] is step


def test_a_run_that_ended_is_not_ready():
    state, step = watched("readiness", run=a_run("c", exit_code=0))

    assert (state.result, step) == (ProbeResult.FAILURE, ProbeStep.REST)


@pytest.mark.parametrize(
    ("kind", "step"), [("liveness", ProbeStep.REST), ("startup", ProbeStep.REST), ("readiness", ProbeStep.RUN)]
)
def test_only_readiness_goes_on_while_a_pod_is_deleted(kind, step):
    assert watched(kind, deleting=True, started=kind != "startup")[1] is step


def test_a_result_changes_at_its_threshold():
    state = watched("readiness")[0]
    results = []
    for outcome in (PASSED, PASSED, FAILED, FAILED, PASSED, FAILED, FAILED, FAILED):
        state = record(state, PROBE, outcome)
        results.append(state.result is ProbeResult.SUCCESS)

    assert results == [False, True, True, True, True, True, True, False]


def test_a_try_that_could_not_be_made_changes_nothing():
    state = record(watched("readiness")[0], PROBE, PASSED)

    assert record(state, PROBE, ProbeOutcome(ProbeResult.UNKNOWN)) == state


def test_a_liveness_probe_that_gave_up_rests_until_the_next_run():
    state = watched("liveness")[0]
    for _ in range(3):
        state = record(state, PROBE, FAILED)

    assert state.result is ProbeResult.FAILURE
    same = observe(state, PROBE, a_run("c"), started=True, deleting=False, now_wall_s=BEGAN_S + 60)
    assert same[1] is ProbeStep.REST
    fresh = observe(state, PROBE, a_run("c", attempt=1), started=True, deleting=False, now_wall_s=BEGAN_S + 60)
    assert (fresh[0].result, fresh[1]) == (ProbeResult.SUCCESS, ProbeStep.RUN)


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (ProbeOutcome(ProbeResult.FAILURE, "x" * 20_000), ("Unhealthy", "Liveness probe failed: " + "x" * 10_240)),
        (
            ProbeOutcome(ProbeResult.UNKNOWN, "no port"),
            ("Unhealthy", "Liveness probe errored and resulted in unknown state: no port"),
        ),
        (ProbeOutcome(ProbeResult.SUCCESS, "moved", warns=True), ("ProbeWarning", "Liveness probe warning: moved")),
        (ProbeOutcome(ProbeResult.SUCCESS, "well"), None),
    ],
    ids=["failure-is-cut-off", "error", "warning", "success"],
)
def test_an_outcome_that_somebody_should_hear_of_is_an_event(outcome, event):
    assert probe_event("liveness", outcome) == event
