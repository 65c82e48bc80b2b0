"""Jobs and the labels that tie their pods to them."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.batch import CONTROLLER_UID, JOB_NAME
from minikube_py.testing.rule_cases import made, new_faults, update_faults

JOBS = find_resource("batch", "v1", "jobs")
INDEXED = {"spec.completionMode": "Indexed", "spec.completions": 3, "spec.parallelism": 3}
RULE = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}


def test_a_job_ties_its_pods_to_itself():
    job = made(JOBS, {"spec.template.metadata": {"labels": {"a": "b"}}})
    labels = {"a": "b", CONTROLLER_UID: "u", "controller-uid": "u", JOB_NAME: "x", "job-name": "x"}

    assert job["spec"]["template"]["metadata"]["labels"] == job["metadata"]["labels"] == labels
    assert job["spec"]["selector"] == {"matchLabels": {CONTROLLER_UID: "u"}}


def test_a_job_with_a_selector_of_its_own_is_left_alone():
    chosen = {"spec.manualSelector": True, "spec.selector": {"matchLabels": {"a": "b"}}}
    job = made(JOBS, {**chosen, "spec.template.metadata": {"labels": {"a": "b"}}, "metadata.labels": {"c": "d"}})

    assert job["spec"]["template"]["metadata"]["labels"] == {"a": "b"}
    assert job["metadata"]["labels"] == {"c": "d"}
    assert JOBS.rules.validate(job) == ()


def test_retries_by_index_have_no_limit_for_the_whole():
    job = made(JOBS, {**INDEXED, "spec.backoffLimitPerIndex": 1})

    assert job["spec"]["backoffLimit"] == 2**31 - 1


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (INDEXED, []),
        ({"spec.completionMode": "Indexed", "spec.parallelism": 1}, [("spec.completions", "Required")]),
        ({"spec.completionMode": "X"}, [("spec.completionMode", "NotSupported")]),
        ({**INDEXED, "spec.parallelism": 200_000}, [("spec.parallelism", "Invalid")]),
        ({"spec.backoffLimitPerIndex": 1}, [("spec.backoffLimitPerIndex", "Invalid")]),
        ({"spec.podReplacementPolicy": "X"}, [("spec.podReplacementPolicy", "NotSupported")]),
        ({"spec.podFailurePolicy": {"rules": [RULE]}}, []),
        (
            {"spec.podFailurePolicy": {"rules": [{}]}},
            [("spec.podFailurePolicy.rules[0].action", "Required"), ("spec.podFailurePolicy.rules[0]", "Invalid")],
        ),
        (
            {"spec.podFailurePolicy": {"rules": [{**RULE, "action": "X", "onPodConditions": [{"type": "t"}]}]}},
            [
                ("spec.podFailurePolicy.rules[0].action", "NotSupported"),
                ("spec.podFailurePolicy.rules[0]", "Invalid"),
            ],
        ),
        (
            {"spec.template.metadata": {"labels": {"job-name": "other"}}, "spec.manualSelector": True},
            [("spec.selector", "Required")],
        ),
    ],
)
def test_faults_of_a_job(changes, faults):
    assert new_faults(JOBS, changes) == faults


def test_what_a_job_is_made_of_stays():
    assert update_faults(JOBS, {"spec.parallelism": 0, "spec.suspend": True}) == []
    assert update_faults(JOBS, {"spec.completions": 9}) == [("spec.completions", "Invalid")]
    image = {"spec.template.spec.containers.0.image": "other"}
    assert update_faults(JOBS, image) == [("spec.template", "Invalid")]
    assert update_faults(JOBS, {"spec.completionMode": "Indexed"}) == [("spec.completionMode", "Invalid")]


def test_an_indexed_job_may_grow_and_a_suspended_one_be_sent_elsewhere():
    assert update_faults(JOBS, {"spec.completions": 5, "spec.parallelism": 5}, INDEXED) == []
    elsewhere = {"spec.template.spec.nodeSelector": {"a": "b"}}
    assert update_faults(JOBS, elsewhere, {"spec.suspend": True}) == []
    assert update_faults(JOBS, elsewhere) == [("spec.template", "Invalid")]
