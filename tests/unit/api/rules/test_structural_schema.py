# ruff: noqa: E501  # a message is easier to compare on one line
import pytest

from minikube_py.api.rules.structural_schema import DEPTH_MAX, validate_schema

STRING = {"type": "string"}


def faults(schema):
    return [str(fault) for fault in validate_schema(schema, "s", lambda value, node, path: iter(()))]


def an_object(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "s.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 's.type: Invalid value: "string": must be object at the root'),
        (an_object(a={}), "s.properties[a].type: Required value: must not be empty for specified object fields"),
        (an_object(a={"type": "array"}), "s.properties[a].items: Required value: must be specified"),
        (
            an_object(a={"type": "array", "items": {}}),
            "s.properties[a].items.type: Required value: must not be empty for specified array items",
        ),
        (
            an_object(a={"type": "any"}),
            's.properties[a].type: Unsupported value: "any": supported values: "array", "boolean", "integer", '
            '"number", "object", "string"',
        ),
        (an_object(a={**STRING, "$ref": "#/x"}), "s.properties[a].$ref: Forbidden: $ref is not supported"),
        (
            an_object(a={"type": "array", "items": STRING, "uniqueItems": True}),
            "s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity "
            "becomes quadratic",
        ),
        (
            {**an_object(a=STRING), "additionalProperties": STRING},
            "s.additionalProperties: Forbidden: must not be used at the root",
        ),
        (
            an_object(a={**an_object(b=STRING), "additionalProperties": STRING}),
            "s.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            an_object(metadata=an_object(labels={"type": "object"})),
            "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
            "metadata is implicitly specified",
        ),
        (an_object(kind={"type": "integer"}), 's.properties[kind].type: Invalid value: "integer": must be string'),
        (
            an_object(a={**STRING, "anyOf": [{"type": "string"}]}),
            "s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            an_object(a={**STRING, "not": {"description": "x"}}),
            "s.properties[a].not.description: Forbidden: must be empty to be structural",
        ),
        (
            an_object(a={**STRING, "allOf": [{"default": ""}]}),
            "s.properties[a].allOf[0].default: Forbidden: must be undefined to be structural",
        ),
        (
            an_object(a={**an_object(b=STRING), "allOf": [{"additionalProperties": False}]}),
            "s.properties[a].allOf[0].additionalProperties: Forbidden: must be undefined to be structural",
        ),
        (
            an_object(a={**STRING, "anyOf": [{"$ref": "#/x"}]}),
            "s.properties[a].anyOf[0].$ref: Forbidden: $ref is not supported",
        ),
        (
            {**an_object(a=STRING), "oneOf": [{"properties": {"b": {"minLength": 1}}}]},
            "s.properties[b]: Required value: because it is defined in s.oneOf[0].properties[b]",
        ),
        (
            an_object(a={**STRING, "pattern": "("}),
            's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing '
            "regexp: missing ), unterminated subpattern at position 0",
        ),
        (
            an_object(a={"type": "object", "x-kubernetes-list-type": "set"}),
            's.properties[a].type: Invalid value: "object": must be array if x-kubernetes-list-type is specified',
        ),
        (
            an_object(a={"type": "array", "items": an_object(k=STRING), "x-kubernetes-list-type": "map"}),
            "s.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type "
            "is map",
        ),
        (
            an_object(a={"type": "object", "x-kubernetes-embedded-resource": True}),
            "s.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true "
            "without x-kubernetes-preserve-unknown-fields",
        ),
        (
            an_object(a={"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True}),
            "s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if "
            "x-kubernetes-int-or-string is true",
        ),
    ],
)
def test_what_is_not_structural_is_named(schema, expected):
    assert expected in faults(schema)


def test_a_pattern_is_of_re2():
    assert faults(an_object(a={**STRING, "pattern": r"^[[:alpha:]]+\z"})) == []


def a_keyed_list(item, keys):
    return an_object(
        a={"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
    )


def test_keys_of_a_list_are_scalar_properties_that_are_always_there():
    item = {**an_object(k=STRING, o={"type": "object"}, d={**STRING, "default": "x"}), "required": ["o"]}
    assert faults(a_keyed_list(item, ["d"])) == []
    assert faults(a_keyed_list(item, ["z", "o", "k"])) == [
        's.properties[a].x-kubernetes-list-map-keys[0]: Invalid value: "z": entries must all be names of item properties',
        's.properties[a].x-kubernetes-list-map-keys[1]: Invalid value: "o": entries must not be of type array or object',
        "s.properties[a].items.properties[k].default: Required value: this property is in "
        "x-kubernetes-list-map-keys, so it must have a default or be a required property",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        an_object(
            spec=an_object(
                port={"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                also={
                    "x-kubernetes-int-or-string": True,
                    "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^x"}],
                },
                rest={"x-kubernetes-preserve-unknown-fields": True},
                tags={"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
            ),
            metadata=an_object(name={"type": "string", "maxLength": 5}),
        ),
        {**an_object(a=STRING, b=STRING), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    ],
)
def test_a_structural_schema_has_no_faults(schema):
    assert faults(schema) == []


def test_a_schema_that_nests_without_end_is_refused():
    schema = STRING
    for _ in range(DEPTH_MAX + 1):
        schema = an_object(a=schema)
    assert faults(schema)[-1].endswith(f"must not nest deeper than {DEPTH_MAX}")


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        (an_object(a={"type": "array", "items": 5}), "s.properties[a].items"),
        (an_object(a={"type": "array", "items": {"type": "object", "properties": [1]}}), "s.properties[a].items"),
        (an_object(a={"type": "object", "additionalProperties": "x"}), "s.properties[a].additionalProperties"),
        (an_object(a={**STRING, "not": {"items": {"type": 5}}}), "s.properties[a].not.items"),
    ],
)
def test_what_is_no_schema_is_found_wherever_it_stands(schema, where):
    (fault,) = validate_schema(schema, "s", lambda value, node, path: iter(()))
    assert fault.field == where
