"""Who goes first when there are too many requests."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults

GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS = find_resource(GROUP, "v1", "flowschemas")
LEVELS = find_resource(GROUP, "v1", "prioritylevelconfigurations")
R = "spec.rules[0]"
RESPONSE = "spec.limited.limitResponse"


def rules(**rule):
    subjects = [{"kind": "User", "user": {"name": "u"}}]
    verbs = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
    return {"spec.rules": [{"subjects": subjects, "nonResourceRules": verbs, **rule}]}


def queuing(**fields):
    return {RESPONSE: {"type": "Queue", "queuing": fields}}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (rules(), []),
        ({"spec.matchingPrecedence": -1}, [("spec.matchingPrecedence", "Invalid")]),
        ({"spec.matchingPrecedence": 10001}, [("spec.matchingPrecedence", "Invalid")]),
        ({"spec.distinguisherMethod": {"type": "X"}}, [("spec.distinguisherMethod", "NotSupported")]),
        ({"spec.priorityLevelConfiguration": {}}, [("spec.priorityLevelConfiguration.name", "Required")]),
        (rules(subjects=[]), [(f"{R}.subjects", "Required")]),
        (rules(subjects=[{"kind": "X"}]), [(f"{R}.subjects[0].kind", "NotSupported")]),
        (
            rules(subjects=[{"kind": "Group", "user": {}}]),
            [(f"{R}.subjects[0].group", "Required"), (f"{R}.subjects[0].user", "Forbidden")],
        ),
        (rules(nonResourceRules=[]), [(R, "Required")]),
        (
            rules(resourceRules=[{"verbs": ["*"], "apiGroups": ["*"]}]),
            [(f"{R}.resourceRules[0].resources", "Required"), (f"{R}.resourceRules[0].namespaces", "Required")],
        ),
        (rules(nonResourceRules=[{"verbs": ["*"]}]), [(f"{R}.nonResourceRules[0].nonResourceURLs", "Required")]),
    ],
)
def test_faults_of_a_schema(changes, faults):
    assert new_faults(SCHEMAS, changes) == faults


def test_schemas_and_levels_are_filled_in():
    assert made(SCHEMAS)["spec"]["matchingPrecedence"] == 1000
    limited = made(LEVELS, queuing())["spec"]["limited"]
    assert (limited["nominalConcurrencyShares"], limited["lendablePercent"]) == (30, 0)
    assert limited["limitResponse"]["queuing"] == {"handSize": 8, "queues": 64, "queueLengthLimit": 50}
    exempt = made(LEVELS, {"spec": {"type": "Exempt"}})["spec"]["exempt"]
    assert exempt == {"nominalConcurrencyShares": 0, "lendablePercent": 0}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (queuing(), []),
        ({"spec.type": "X"}, [("spec.type", "NotSupported")]),
        ({"spec.limited": REMOVED}, [("spec.limited", "Required")]),
        ({"spec.exempt": {}}, [("spec.exempt", "Forbidden")]),
        ({"spec.limited.lendablePercent": 101}, [("spec.limited.lendablePercent", "Invalid")]),
        ({"spec.limited.nominalConcurrencyShares": -1}, [("spec.limited.nominalConcurrencyShares", "Invalid")]),
        ({RESPONSE: {"type": "X"}}, [(f"{RESPONSE}.type", "NotSupported")]),
        ({RESPONSE: {"type": "Queue"}}, [(f"{RESPONSE}.queuing", "Required")]),
        ({RESPONSE: {"type": "Reject", "queuing": {}}}, [(f"{RESPONSE}.queuing", "Forbidden")]),
        (queuing(handSize=9, queues=5), [(f"{RESPONSE}.queuing.handSize", "Invalid")]),
        (queuing(queueLengthLimit=-1), [(f"{RESPONSE}.queuing.queueLengthLimit", "Invalid")]),
    ],
)
def test_faults_of_a_level(changes, faults):
    assert new_faults(LEVELS, changes) == faults
