"""Webhooks: whom to ask, about what."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults

GROUP = "admissionregistration.k8s.io"
VALIDATING = find_resource(GROUP, "v1", "validatingwebhookconfigurations")
MUTATING = find_resource(GROUP, "v1", "mutatingwebhookconfigurations")
W = "webhooks[0]"


def test_only_mutating_webhooks_are_called_again():
    assert made(MUTATING)["webhooks"][0]["reinvocationPolicy"] == "Never"
    assert "reinvocationPolicy" not in made(VALIDATING)["webhooks"][0]


def client(**config):
    return {"webhooks.0.clientConfig": config}


def rule(**changes):
    return {f"webhooks.0.rules.0.{field}": value for field, value in changes.items()}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (client(url="https://h/x"), []),
        (client(url="http://h/x"), [(f"{W}.clientConfig.url", "Invalid")]),
        (client(url="https:///x"), [(f"{W}.clientConfig.url", "Invalid")]),
        (client(url="https://u@h/x?a#b"), [(f"{W}.clientConfig.url", "Invalid")] * 3),
        (client(url="https://h", service={"name": "s", "namespace": "d"}), [(f"{W}.clientConfig", "Required")]),
        (
            client(service={"port": 0, "path": "x"}),
            [
                (f"{W}.clientConfig.service.name", "Required"),
                (f"{W}.clientConfig.service.namespace", "Required"),
                (f"{W}.clientConfig.service.port", "Invalid"),
                (f"{W}.clientConfig.service.path", "Invalid"),
            ],
        ),
        (rule(operations=["*", "CREATE"]), [(f"{W}.rules[0].operations", "Invalid")]),
        (rule(operations=["LOOK"]), [(f"{W}.rules[0].operations[0]", "NotSupported")]),
        (rule(apiGroups=["*", "apps"]), [(f"{W}.rules[0].apiGroups", "Invalid")]),
        (rule(resources=[""]), [(f"{W}.rules[0].resources[0]", "Required")]),
        (rule(scope="X"), [(f"{W}.rules[0].scope", "NotSupported")]),
        ({"webhooks.0.sideEffects": REMOVED}, [(f"{W}.sideEffects", "Required")]),
        ({"webhooks.0.sideEffects": "Some"}, [(f"{W}.sideEffects", "NotSupported")]),
        ({"webhooks.0.failurePolicy": "X"}, [(f"{W}.failurePolicy", "NotSupported")]),
        ({"webhooks.0.timeoutSeconds": 31}, [(f"{W}.timeoutSeconds", "Invalid")]),
        ({"webhooks.0.admissionReviewVersions": ["v9"]}, [(f"{W}.admissionReviewVersions", "Invalid")]),
        (
            {"webhooks.0.objectSelector": {"matchLabels": {"a b": ""}}},
            [(f"{W}.objectSelector.matchLabels", "Invalid")],
        ),
        (
            {
                "webhooks.0.matchConditions": [
                    {"name": "a"},
                    {"name": "a", "expression": "true"},
                    {"expression": "true"},
                ]
            },
            [
                (f"{W}.matchConditions[0].expression", "Required"),
                (f"{W}.matchConditions[1].name", "Duplicate"),
                (f"{W}.matchConditions[2].name", "Required"),
            ],
        ),
        (
            {"webhooks.0.matchConditions": [{"name": f"n{i}", "expression": "true"} for i in range(65)]},
            [(f"{W}.matchConditions", "TooMany")],
        ),
    ],
)
def test_faults_of_a_webhook(changes, faults):
    assert new_faults(VALIDATING, changes) == faults


def test_webhooks_of_one_configuration_have_names_of_their_own():
    hook = made(VALIDATING)["webhooks"][0]

    assert new_faults(VALIDATING, {"webhooks": [hook, hook]}) == [("webhooks[1].name", "Duplicate")]
