import pytest

from minikube_py.api.cel.values import Duration, Timestamp, Uint
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_policies import (
    Failed,
    PolicyError,
    Scope,
    apply_mutations,
    conditions_hold,
    denial,
    plain,
    run_validations,
    warning,
)
from minikube_py.apiserver.users import LOOPBACK

POLICY, BINDING = ({"metadata": {"name": name}} for name in ("p", "b"))
ASKED = Attributes("CREATE", DEPLOYMENTS, "", "n", "d", LOOPBACK)


def a_scope(spec=None, **variables):
    return Scope(spec or {}, {"object": {"n": 1}, **variables})


def conditions(*expressions):
    return [{"name": f"c{index}", "expression": text} for index, text in enumerate(expressions)]


def test_all_conditions_must_hold_and_one_that_does_not_decides():
    assert conditions_hold([], a_scope())
    assert conditions_hold(conditions("object.n == 1", "true"), a_scope())
    assert not conditions_hold(conditions("1 / 0 == 1", "false"), a_scope())
    with pytest.raises(PolicyError, match="expression '1 / 0 == 1' resulted in error: division by zero"):
        conditions_hold(conditions("1 / 0 == 1", "true"), a_scope())


def test_what_does_not_hold_has_a_message():
    spec = {
        "validations": [
            {"expression": "object.n == 1"},
            {"expression": "object.n == 2"},
            {"expression": "object.n == 3", "message": "n must be 3", "reason": "Forbidden"},
            {"expression": "false", "messageExpression": "'n is ' + string(object.n)"},
            {"expression": "false", "messageExpression": "1 / 0", "message": "plain"},
            {"expression": "object.missing"},
        ]
    }
    assert run_validations(spec, a_scope()) == (
        Failed("failed expression: object.n == 2"),
        Failed("n must be 3", "Forbidden"),
        Failed("n is 1"),
        Failed("plain"),
        Failed("expression 'object.missing' resulted in error: no such key: missing"),
    )
    assert run_validations({"failurePolicy": "Ignore", "validations": [{"expression": "1 +"}]}, a_scope()) == ()


def test_variables_can_be_used():
    spec = {"variables": [{"name": "twice", "expression": "object.n * 2"}]}
    assert a_scope(spec).evaluate("variables.twice + variables.twice") == 4


@pytest.mark.parametrize(("reason", "code"), [("", 422), ("Invalid", 422), ("Forbidden", 403), ("Unauthorized", 401)])
def test_a_denial_has_the_reason_of_its_validation(reason, code):
    error = denial(POLICY, BINDING, Failed("no", reason), ASKED)
    text = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
    assert error.message == f'deployments.apps "d" is forbidden: {text}'
    assert (error.code, error.reason) == (code, reason or "Invalid")
    assert warning(POLICY, BINDING, Failed("no")).endswith("'p' with binding 'b': no")


def applying(expression):
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patching(expression):
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def mutated(obj, resource, *mutations):
    return apply_mutations({"mutations": list(mutations)}, Scope({}, {"object": obj}), obj, resource)


def test_configurations_merge_by_the_schema():
    containers = [{"name": "a", "image": "x"}, {"name": "b"}]
    obj = {"spec": {"template": {"spec": {"containers": containers}}}}
    expression = (
        "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{"
        "containers: [Object.spec.template.spec.containers{name: 'b', image: 'y'}]}}}}"
    )
    changed = mutated(obj, DEPLOYMENTS, applying(expression))
    assert changed["spec"]["template"]["spec"]["containers"] == [
        {"name": "a", "image": "x"},
        {"name": "b", "image": "y"},
    ]
    assert obj["spec"]["template"]["spec"]["containers"] == [{"name": "a", "image": "x"}, {"name": "b"}]


def test_a_mutation_sees_what_those_before_it_made():
    obj = {"data": {"a": "1"}}
    changed = mutated(
        obj,
        CONFIGMAPS,
        patching("[JSONPatch{op: 'add', path: '/data/b', value: '2'}]"),
        patching("[JSONPatch{op: 'add', path: '/data/c', value: object.data.b + '!'}]"),
    )
    assert changed["data"] == {"a": "1", "b": "2", "c": "2!"}


@pytest.mark.parametrize(
    "mutation",
    [applying("1"), patching("1"), patching("[JSONPatch{op: 'remove', path: '/nobody'}]"), applying("object.x")],
)
def test_a_mutation_that_cannot_be_applied_is_an_error(mutation):
    with pytest.raises(PolicyError):
        mutated({"data": {}}, CONFIGMAPS, mutation)


def test_answers_become_json():
    assert plain({"a": (1, Uint(2), 1.5, None, True, Timestamp(0))}) == {
        "a": [1, 2, 1.5, None, True, "1970-01-01T00:00:00Z"]
    }
    with pytest.raises(PolicyError, match="has no form in JSON"):
        plain(Duration(1))
