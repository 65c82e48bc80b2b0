"""What a condition of a status has to say."""

import pytest

from minikube_py.api.rules.conditions import check_conditions

GOOD = {
    "type": "Ready",
    "status": "True",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "reason": "AllWell",
    "message": "",
}


def faults(*conditions):
    found = check_conditions({"conditions": list(conditions)}, "status")
    return [
        (fault.field.removeprefix("status.conditions"), fault.reason.removeprefix("FieldValue")) for fault in found
    ]


def test_a_condition_that_says_everything_is_fine():
    assert faults(GOOD, {**GOOD, "type": "example.com/Other", "status": "Unknown"}) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"type": ""}, ("[0].type", "Invalid")),
        ({"type": "not a name"}, ("[0].type", "Invalid")),
        ({"status": "Maybe"}, ("[0].status", "NotSupported")),
        ({"observedGeneration": -1}, ("[0].observedGeneration", "Invalid")),
        ({"lastTransitionTime": None}, ("[0].lastTransitionTime", "Required")),
        ({"reason": ""}, ("[0].reason", "Required")),
        ({"reason": "not a word"}, ("[0].reason", "Invalid")),
        ({"reason": "R" * 1025}, ("[0].reason", "TooLong")),
        ({"message": "m" * 32769}, ("[0].message", "TooLong")),
    ],
)
def test_what_is_missing_or_wrong_is_told(change, fault):
    assert fault in faults({**GOOD, **change})


def test_a_type_stands_once():
    assert faults(GOOD, GOOD) == [("[1].type", "Duplicate")]
