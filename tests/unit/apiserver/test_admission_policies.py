import pytest

from minikube_py.api.cel.expressions import COST_MAX
from minikube_py.api.cel.values import Duration, Timestamp, Uint
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_policies import (
    POLICY_COST_MAX,
    Failed,
    Judged,
    PolicyError,
    Scope,
    apply_mutations,
    conditions_hold,
    denial,
    failure_record,
    judge,
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
        Failed("failed expression: object.n == 2", index=1),
        Failed("n must be 3", "Forbidden", 2),
        Failed("n is 1", index=3),
        Failed("plain", index=4),
        Failed("expression 'object.missing' resulted in error: no such key: missing", index=5),
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


def test_conditions_and_validations_have_budgets_of_their_own():
    costly = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, object.many.all(b, object.many.all(c, c >= 0)))"
    many = a_scope(object={"many": list(range(100))})
    with pytest.raises(PolicyError, match="operation cancelled: actual cost limit exceeded"):
        many.evaluate(f"[1, 2, 3, 4, 5].all(x, {costly})")
    assert conditions_hold(conditions("true"), many)
    assert many.budget.left == POLICY_COST_MAX - COST_MAX - 1
    many.budget.left = 0
    assert conditions_hold(conditions("true"), many)
    many.budget.left = 5
    with pytest.raises(PolicyError, match="running out of cost budget, no further validation rules will be run"):
        many.evaluate(costly)


def test_audit_annotations_are_texts_and_one_without_a_value_refuses():
    annotations = [
        {"key": "n", "valueExpression": "'n is ' + string(object.n)"},
        {"key": "none", "valueExpression": "null"},
        {"key": "empty", "valueExpression": "' '"},
        {"key": "bad", "valueExpression": "object.missing"},
    ]
    policy = {"metadata": {"name": "p"}, "spec": {"auditAnnotations": annotations}}
    said = judge(policy, a_scope())
    assert said.annotations == (("p/n", "n is 1"),)
    assert [failed.message for failed in said.refused] == [
        "expression 'object.missing' resulted in error: no such key: missing"
    ]
    policy["spec"]["failurePolicy"] = "Ignore"
    assert judge(policy, a_scope()).refused == ()
    policy["spec"]["matchConditions"] = conditions("false")
    assert judge(policy, a_scope()) == Judged()


def test_a_failure_is_recorded_with_its_place():
    binding = BINDING | {"spec": {"validationActions": ["Audit", "Warn"]}}
    assert failure_record(POLICY, binding, Failed("no", index=2)) == {
        "message": "no",
        "policy": "p",
        "binding": "b",
        "expressionIndex": 2,
        "validationActions": ["Audit", "Warn"],
    }
