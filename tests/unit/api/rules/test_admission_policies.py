"""Policies and their bindings."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults

GROUP = "admissionregistration.k8s.io"
POLICIES = find_resource(GROUP, "v1", "validatingadmissionpolicies")
BINDINGS = find_resource(GROUP, "v1", "validatingadmissionpolicybindings")
MUTATING = find_resource(GROUP, "v1", "mutatingadmissionpolicies")
RULES = "spec.matchConstraints.resourceRules"


def test_a_policy_is_about_everything_that_its_rules_name():
    constraints = made(POLICIES)["spec"]["matchConstraints"]

    assert made(POLICIES)["spec"]["failurePolicy"] == "Fail"
    assert (constraints["matchPolicy"], constraints["namespaceSelector"]) == ("Equivalent", {})
    assert constraints["resourceRules"][0]["scope"] == "*"
    assert made(BINDINGS, {"spec.matchResources": {}})["spec"]["matchResources"]["matchPolicy"] == "Equivalent"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.validations": []}, [("spec.validations", "Required")]),
        (
            {"spec.validations": [{"message": " "}]},
            [("spec.validations[0].expression", "Required"), ("spec.validations[0].message", "Invalid")],
        ),
        ({"spec.validations.0.reason": "X"}, [("spec.validations[0].reason", "NotSupported")]),
        (
            {"spec.auditAnnotations": [{}]},
            [("spec.auditAnnotations[0].key", "Required"), ("spec.auditAnnotations[0].valueExpression", "Required")],
        ),
        ({"spec.matchConstraints": REMOVED}, [("spec.matchConstraints", "Required")]),
        ({RULES: []}, [(RULES, "Required")]),
        ({"spec.matchConstraints.matchPolicy": "X"}, [("spec.matchConstraints.matchPolicy", "NotSupported")]),
        ({"spec.paramKind": {}}, [("spec.paramKind.apiVersion", "Required"), ("spec.paramKind.kind", "Required")]),
        (
            {"spec.variables": [{"name": "a-b", "expression": "1"}, {}]},
            [
                ("spec.variables[0].name", "Invalid"),
                ("spec.variables[1].name", "Required"),
                ("spec.variables[1].expression", "Required"),
            ],
        ),
        ({"spec.failurePolicy": "X"}, [("spec.failurePolicy", "NotSupported")]),
    ],
)
def test_faults_of_a_policy(changes, faults):
    assert new_faults(POLICIES, changes) == faults


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.mutations": []}, [("spec.mutations", "Required")]),
        ({"spec.mutations.0.patchType": ""}, [("spec.mutations[0].patchType", "Required")]),
        ({"spec.mutations.0.patchType": "X"}, [("spec.mutations[0].patchType", "NotSupported")]),
        (
            {"spec.mutations.0.patchType": "ApplyConfiguration"},
            [
                ("spec.mutations[0].applyConfiguration.expression", "Required"),
                ("spec.mutations[0].jsonPatch", "Invalid"),
            ],
        ),
        ({"spec.reinvocationPolicy": ""}, [("spec.reinvocationPolicy", "Required")]),
        ({"spec.reinvocationPolicy": "X"}, [("spec.reinvocationPolicy", "NotSupported")]),
    ],
)
def test_faults_of_a_mutating_policy(changes, faults):
    assert new_faults(MUTATING, changes) == faults


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.policyName": ""}, [("spec.policyName", "Required")]),
        ({"spec.validationActions": []}, [("spec.validationActions", "Required")]),
        ({"spec.validationActions": ["Deny", "Warn"]}, [("spec.validationActions", "Invalid")]),
        ({"spec.validationActions": ["Deny", "Deny"]}, [("spec.validationActions[1]", "Duplicate")]),
        ({"spec.validationActions": ["X"]}, [("spec.validationActions[0]", "NotSupported")]),
        ({"spec.paramRef": {"name": "n", "parameterNotFoundAction": "Deny"}}, []),
        (
            {"spec.paramRef": {}},
            [("spec.paramRef", "Required"), ("spec.paramRef.parameterNotFoundAction", "Required")],
        ),
        (
            {"spec.paramRef": {"name": "n", "selector": {}, "parameterNotFoundAction": "X"}},
            [("spec.paramRef.name", "Forbidden"), ("spec.paramRef.parameterNotFoundAction", "NotSupported")],
        ),
    ],
)
def test_faults_of_a_binding(changes, faults):
    assert new_faults(BINDINGS, changes) == faults
