import pytest

from minikube_py.api.custom.validation_rules import check_rules, run_rules


def a_schema(*rules, **properties):
    spec = {
        "type": "object",
        "x-kubernetes-validations": list(rules),
        "properties": properties or {"n": {"type": "integer"}, "m": {"type": "integer"}},
    }
    return {"type": "object", "properties": {"spec": spec}}


def faults(obj, schema, **more):
    return [str(fault) for fault in run_rules(obj, schema, **more)]


def test_a_rule_that_does_not_hold_is_a_fault():
    schema = a_schema({"rule": "self.n <= self.m"}, {"rule": "self.n > 0", "message": "n must be positive"})
    assert faults({"spec": {"n": 1, "m": 2}}, schema) == []
    assert faults({"spec": {"n": 0, "m": -1}}, schema) == [
        'spec: Invalid value: "object": failed rule: self.n <= self.m',
        'spec: Invalid value: "object": n must be positive',
    ]


def test_a_rule_at_the_root_has_no_field():
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name == 'a'"}], "properties": {}}
    assert faults({"metadata": {"name": "b"}}, schema)[0].startswith('<nil>: Invalid value: "object"')


def test_reasons_paths_and_expressions_for_messages():
    rule = {
        "rule": "self.n < 3",
        "messageExpression": "'n is ' + string(self.n)",
        "fieldPath": ".n",
        "reason": "FieldValueForbidden",
    }
    assert faults({"spec": {"n": 5}}, a_schema(rule)) == ["spec.n: Forbidden: n is 5"]
    broken = {"rule": "false", "messageExpression": "string(1 / 0)", "message": "so it is"}
    assert faults({"spec": {}}, a_schema(broken)) == ['spec: Invalid value: "object": so it is']


def test_transition_rules_are_run_when_there_is_something_to_compare():
    schema = a_schema({"rule": "self.n >= oldSelf.n", "message": "n may not shrink"})
    assert faults({"spec": {"n": 1}}, schema) == []
    assert faults({"spec": {"n": 1}}, schema, old={"spec": {"n": 2}}) == [
        'spec: Invalid value: "object": n may not shrink'
    ]
    assert faults({"spec": {"n": 3}}, schema, old={"spec": {"n": 2}}) == []


def test_a_rule_may_allow_that_there_is_nothing_to_compare():
    schema = a_schema({"rule": "oldSelf.hasValue() || self.n == 1", "optionalOldSelf": True})
    assert faults({"spec": {"n": 1}}, schema) == []
    assert len(faults({"spec": {"n": 2}}, schema)) == 1
    assert faults({"spec": {"n": 2}}, schema, old={"spec": {"n": 5}}) == []


def test_what_did_not_change_is_not_asked_again():
    schema = a_schema({"rule": "self.n > 0"})
    assert faults({"spec": {"n": 0}, "x": 1}, schema, old={"spec": {"n": 0}}) == []


def test_rules_inside_of_lists_and_maps_see_each_element():
    item = {
        "type": "object",
        "x-kubernetes-validations": [{"rule": "self.p > 0"}],
        "properties": {"p": {"type": "integer"}},
    }
    schema = a_schema(rows={"type": "array", "items": item}, named={"type": "object", "additionalProperties": item})
    found = [
        fault.split(":")[0]
        for fault in faults({"spec": {"rows": [{"p": 1}, {"p": 0}], "named": {"a": {"p": 0}}}}, schema)
    ]
    assert found == ["spec.rows[1]", "spec.named.a"]


def test_elements_with_keys_know_their_old_selves():
    item = {
        "type": "object",
        "properties": {
            "k": {"type": "string"},
            "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
        },
    }
    rows = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item}
    old = {"spec": {"rows": [{"k": "a", "v": 1}, {"k": "b", "v": 1}]}}
    new = {"spec": {"rows": [{"k": "b", "v": 2}, {"k": "c", "v": 9}]}}
    assert [fault.split(":")[0] for fault in faults(new, a_schema(rows=rows), old=old)] == ["spec.rows[0].v"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("self.n / 0 == 1", "division by zero evaluating rule: self.n / 0 == 1"),
        ("self.missing == 1", "no such key: missing evaluating rule: self.missing == 1"),
        ("dyn(self.n) == 1 && dyn(self.n) + 'a' == 'b'", "call arguments did not match a supported operator"),
        ("self.", "rule compile error: ERROR"),
    ],
)
def test_a_rule_that_cannot_be_run_is_a_fault(rule, said):
    (fault,) = faults({"spec": {"n": 1}}, a_schema({"rule": rule}))
    assert said in fault


def test_rules_that_cost_too_much_end_all_rules():
    expensive = "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))"
    schema = a_schema({"rule": expensive}, {"rule": "false"}, l={"type": "array", "items": {"type": "integer"}})
    (fault,) = faults({"spec": {"l": list(range(200))}}, schema)
    assert "call cost exceeds limit for rule" in fault


def checked(*rules, **properties):
    return [str(fault) for fault in check_rules(a_schema(*rules, **properties), "s")]


def test_good_rules_have_no_faults():
    assert checked({"rule": "self.n > 0", "messageExpression": "'n is %d'.format([self.n])", "fieldPath": ".n"}) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"rule": ""}, "rule: Required value: rule is not specified"),
        ({"rule": "self.bogus > 0"}, "compilation failed: ERROR: <input>:1:5: undefined field 'bogus'"),
        ({"rule": "self.n"}, "must evaluate to a bool"),
        ({"rule": "self.n >"}, "compilation failed: ERROR"),
        (
            {"rule": "true", "messageExpression": "1"},
            "messageExpression compilation failed: must evaluate to a string",
        ),
        ({"rule": "true", "message": " "}, "message must be non-empty if specified"),
        ({"rule": "true", "message": "a\nb"}, "message must not contain line breaks"),
        ({"rule": "true &&\ntrue"}, "message must be specified if rule contains line breaks"),
        ({"rule": "true", "reason": "Whim"}, 'Unsupported value: "Whim"'),
        ({"rule": "true", "fieldPath": ".nobody"}, "fieldPath must be a valid path"),
        ({"rule": "true", "optionalOldSelf": True}, "may not be set if oldSelf is not used in rule"),
    ],
)
def test_a_bad_rule_refuses_the_definition(rule, said):
    assert any(said in fault for fault in checked(rule)), checked(rule)


def test_there_is_no_old_self_inside_of_an_atomic_list():
    item = {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}
    (fault,) = checked(rows={"type": "array", "items": item})
    assert "oldSelf cannot be used on the uncorrelatable portion of the schema" in fault


@pytest.mark.parametrize("length", range(20, 400, 20))
def test_a_rule_of_any_length_is_taken_or_refused(length):
    for rule in (" || ".join(["self.a == 1"] * length), " + ".join(["self.a"] * length) + " > 0"):
        node = {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": rule}],
        }
        faults = [str(fault) for fault in check_rules(node, "s")]
        assert not faults or ("+" in rule and "recursion limit" in faults[0])
