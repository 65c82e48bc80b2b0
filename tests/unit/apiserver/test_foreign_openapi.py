"""Documents that nobody vouches for."""

from hypothesis import given
from hypothesis import strategies as st

from minikube_py.apiserver.foreign_openapi import DEPTH_MAX, tidy_path, tidy_schema
from minikube_py.apiserver.openapi_v2_protobuf import encode_definitions, encode_paths

KEYS = st.sampled_from(
    [
        "get",
        "patch",
        "parameters",
        "responses",
        "schema",
        "type",
        "items",
        "properties",
        "required",
        "$ref",
        "name",
        "in",
    ]
    + ["additionalProperties", "description", "operationId", "produces", "200", "body", "x-y", "format"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["body", "query", "path", "object", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_whatever_comes_can_be_encoded(value):
    assert encode_paths({"/x": tidy_path(value, {"a": value})})
    assert encode_definitions({"X": tidy_schema(value)})


def test_shared_parameters_are_put_where_they_are_used():
    shared = {"pretty-1": {"name": "pretty", "in": "query", "type": "string", "uniqueItems": True}}
    path = tidy_path(
        {"get": {"parameters": [{"$ref": "#/parameters/pretty-1"}, {"$ref": "#/parameters/no"}]}}, shared
    )

    assert path["get"]["parameters"] == [{"name": "pretty", "in": "query", "required": False, "type": "string"}]


def test_what_is_well_formed_stays():
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "array", "items": {"$ref": "#/definitions/B"}}},
        "x-kubernetes-group-version-kind": [{"group": "x", "version": "v1", "kind": "A"}],
    }

    assert tidy_schema(schema) == schema


def test_what_is_nested_too_deep_is_left_out():
    schema = {"type": "string"}
    for _ in range(DEPTH_MAX * 3):
        schema = {"items": schema}
    depth, found = 0, tidy_schema(schema)
    while found:
        depth, found = depth + 1, found.get("items")

    assert depth <= DEPTH_MAX + 1
