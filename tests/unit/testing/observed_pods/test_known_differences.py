import re

import pytest

from minikube_py.testing.observed_pods.known_differences import KNOWN, split, text_of_136
from minikube_py.testing.observed_pods.scenarios import load_scenarios

NAMES = [scenario.name for scenario in load_scenarios()]


def test_there_are_148_scenarios():
    assert len(NAMES) == len(set(NAMES)) == 148


@pytest.mark.parametrize("entry", KNOWN, ids=[f"{n}-{entry.scenario}" for n, entry in enumerate(KNOWN)])
def test_an_entry_names_scenarios_that_exist_and_says_why(entry):
    assert any(re.fullmatch(entry.scenario, name) for name in NAMES)
    assert len(entry.reason) > 8


def test_what_has_no_entry_is_a_fault():
    terminal = 'phase: observed "Running" here "Succeeded"'

    assert split("delete-graceful-handled", [terminal])[0] == []
    assert split("exit0-always", [terminal]) == ([terminal], [])


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"reason": "Created", "message": "Created container c"}, "Container created"),
        (
            {"reason": "Pulled", "message": 'Container image "i" already present on machine'},
            'Container image "i" already present on machine and can be accessed by the pod',
        ),
        (
            {
                "reason": "BackOff",
                "message": "Back-off restarting failed container",
                "fieldPath": "spec.containers{a}",
            },
            "Back-off restarting failed container a in pod p_obs-pods(<uid>)",
        ),
        ({"reason": "Killing", "message": "Stopping container c"}, "Stopping container c"),
    ],
    ids=["created", "pulled", "back-off", "unchanged"],
)
def test_texts_of_1_20_are_read_as_those_of_1_36(event, text):
    assert text_of_136(event, "p") == text
