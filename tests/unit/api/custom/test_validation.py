import pytest

from minikube_py.api.custom.validation import rules_not_checked, validate_value

INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}


def faults(value, node, **more):
    return [str(fault) for fault in validate_value(value, node, "spec", **more)]


@pytest.mark.parametrize(
    ("value", "node", "expected"),
    [
        (0, {"type": "integer", "minimum": 1}, "Invalid value: 0: spec in body should be greater than or equal to 1"),
        (1, {"minimum": 1, "exclusiveMinimum": True}, "Invalid value: 1: spec in body should be greater than 1"),
        (9, {"maximum": 5}, "Invalid value: 9: spec in body should be less than or equal to 5"),
        (5, {"maximum": 5, "exclusiveMaximum": True}, "Invalid value: 5: spec in body should be less than 5"),
        (5, {"multipleOf": 2}, "Invalid value: 5: spec in body should be a multiple of 2"),
        ("x", {"type": "integer"}, 'Invalid value: "string": spec in body must be of type integer: "string"'),
        (1.5, {"type": "integer"}, 'Invalid value: "number": spec in body must be of type integer: "number"'),
        (None, {"type": "string"}, 'Invalid value: "null": spec in body must be of type string: "null"'),
        (True, {"type": "number"}, 'Invalid value: "boolean": spec in body must be of type number: "boolean"'),
        (
            2**31,
            {"type": "integer", "format": "int32"},
            'Invalid value: "integer": spec in body must be of type integer: "integer"',
        ),
        (True, INT_OR_STRING, 'Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'),
        ("c", {"enum": ["a", "b"]}, 'Unsupported value: "c": supported values: "a", "b"'),
        (True, {"enum": [1, 2]}, 'Unsupported value: true: supported values: "1", "2"'),
        ("abc", {"maxLength": 2}, "Too long: may not be more than 2 bytes"),
        ("a", {"minLength": 2}, 'Invalid value: "a": spec in body should be at least 2 chars long'),
        ("A1", {"pattern": "^[a-z]+$"}, "Invalid value: \"A1\": spec in body should match '^[a-z]+$'"),
        ("x", {"format": "ipv4"}, 'Invalid value: "x": spec in body must be of type ipv4: "x"'),
        ([1, 2], {"maxItems": 1}, "Too many: 2: must have at most 1 items"),
        ([], {"minItems": 1}, "Invalid value: 0: spec in body should have at least 1 items"),
        ({"a": 1, "b": 2}, {"maxProperties": 1}, "Too many: 2: must have at most 1 items"),
        ({}, {"minProperties": 1}, "Invalid value: 0: spec in body should have at least 1 properties"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_is_worded_as_upstream_words_it(value, node, expected):
    assert faults(value, node) == [f"spec: {expected}"]


@pytest.mark.parametrize(
    ("value", "node"),
    [
        (1.0, {"type": "integer"}),
        (None, {"type": "string", "nullable": True}),
        ("x", INT_OR_STRING),
        (3, INT_OR_STRING),
        ("10.0.0.1", {"format": "ipv4"}),
        ("x", {"format": "nobody-knows"}),
        ({"a": 1}, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}),
    ],
    ids=str,
)
def test_what_fits_has_no_faults(value, node):
    assert faults(value, node) == []


def test_faults_name_the_place_in_the_object():
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {"list": {"type": "array", "items": {"type": "object", "properties": {"n": {"maximum": 1}}}}},
        "additionalProperties": {"type": "string"},
    }
    assert faults({"list": [{"n": 1}, {"n": 2}], "other": 3}, node) == [
        "spec.list[1].n: Invalid value: 2: spec.list[1].n in body should be less than or equal to 1",
        'spec.other: Invalid value: "integer": spec.other in body must be of type string: "integer"',
        "spec.name: Required value",
    ]


def test_junctors_have_no_field():
    small, big = {"maximum": 3}, {"minimum": 10}
    assert faults(5, {"allOf": [small]}) == ["spec: Invalid value: 5: spec in body should be less than or equal to 3"]
    assert faults(5, {"anyOf": [small, big]})[-1] == (
        '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)'
    )
    assert faults(5, {"oneOf": [small, big]})[-1] == (
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid'
    )
    assert faults(1, {"oneOf": [small, small]})[-1].endswith("Found 2 valid alternatives")
    assert faults(1, {"not": small}) == ['<nil>: Invalid value: "": "spec" must not validate the schema (not)']
    assert faults(1, {"oneOf": [small, big]}) == []


def test_what_did_not_change_need_not_fit():
    node = {
        "properties": {
            "a": {"maximum": 1},
            "b": {"maximum": 1},
            "rows": {
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {"properties": {"v": {"maximum": 1}}},
            },
        }
    }
    old = {"a": 5, "b": 5, "rows": [{"name": "x", "v": 5}]}
    new = {"a": 5, "b": 6, "rows": [{"name": "y", "v": 6}, {"name": "x", "v": 5}]}
    assert [fault.split(":")[0] for fault in faults(new, node, old=old)] == ["spec.b", "spec.rows[0].v"]


def test_a_value_of_another_type_is_a_change_however_much_python_takes_it_for_the_same():
    node = {"properties": {"on": {"type": "boolean"}, "rows": {"items": {"type": "integer"}}}}
    old = {"on": True, "rows": [1]}
    assert faults(old, node, old=old) == []
    assert [fault.split(":")[0] for fault in faults({"on": 1, "rows": [True]}, node, old=old)] == [
        "spec.on",
        "spec.rows[0]",
    ]


def test_rules_are_not_run_on_what_they_cannot_read():
    wrong_type = tuple(validate_value("x", {"type": "integer"}, "spec"))
    too_small = tuple(validate_value(0, {"minimum": 1}, "spec"))
    assert [str(fault) for fault in rules_not_checked(wrong_type)] == [
        "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation"
    ]
    assert list(rules_not_checked(too_small)) == []
