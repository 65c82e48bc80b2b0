import pytest

from minikube_py.api.rules.admission_expressions import (
    CONDITION_VARIABLES,
    Names,
    check_conditions,
    check_expression,
    check_policy_expressions,
    policy_names,
)


def faults(**spec):
    return [str(fault) for fault in check_policy_expressions(spec)]


def test_good_expressions_have_no_faults():
    assert (
        faults(
            paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
            variables=[{"name": "a", "expression": "object.x"}, {"name": "b", "expression": "variables.a + 1"}],
            matchConditions=[{"name": "c", "expression": "request.operation == 'CREATE'"}],
            validations=[
                {"expression": "variables.b < int(params.data.n)", "messageExpression": "'b is ' + string(1)"}
            ],
            auditAnnotations=[{"key": "k", "valueExpression": "'x'"}],
            mutations=[
                {"applyConfiguration": {"expression": "Object{spec: Object.spec{n: 1}}"}},
                {"jsonPatch": {"expression": "[JSONPatch{op: 'remove', path: '/x'}]"}},
            ],
        )
        == []
    )


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"validations": [{"expression": "object.x >"}]}, "spec.validations[0].expression: Invalid value"),
        ({"validations": [{"expression": "size(object.x)"}]}, "must evaluate to bool"),
        ({"validations": [{"expression": "params.x == 1"}]}, "undeclared reference to 'params'"),
        ({"validations": [{"expression": "variables.nobody"}]}, "undefined field 'nobody'"),
        ({"validations": [{"expression": "true", "messageExpression": "1"}]}, "must evaluate to string"),
        (
            {"variables": [{"name": "a", "expression": "variables.b"}, {"name": "b", "expression": "1"}]},
            "undefined field 'b'",
        ),
        ({"matchConditions": [{"name": "c", "expression": "1 + 1"}]}, "spec.matchConditions[0].expression"),
        ({"mutations": [{"applyConfiguration": {"expression": "1"}}]}, "must evaluate to Object"),
        ({"mutations": [{"jsonPatch": {"expression": "'x'"}}]}, "must evaluate to list"),
        ({"auditAnnotations": [{"key": "k", "valueExpression": "1"}]}, "must evaluate to string or null_type"),
    ],
)
def test_a_mistake_refuses_the_policy(spec, said):
    (fault,) = faults(**spec)
    assert said in fault


def test_conditions_of_webhooks_know_less():
    webhook = {"matchConditions": [{"name": "c", "expression": "namespaceObject == null"}]}
    (fault,) = check_conditions(webhook, "webhooks[0]", Names(CONDITION_VARIABLES))
    assert fault.field == "webhooks[0].matchConditions[0].expression"
    assert "undeclared reference to 'namespaceObject'" in fault.detail


def test_names_are_those_that_are_there():
    assert "params" not in policy_names({}).plain
    assert policy_names({"variables": [{"name": "a"}, {"name": "b"}]}, 1).declared == {"a"}
    assert list(check_expression("anything.goes", "p", Names(("anything",)))) == []
