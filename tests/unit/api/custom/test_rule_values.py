from minikube_py.api.cel.values import Duration, Timestamp
from minikube_py.api.custom.rule_values import NodeShape, cel_value

NODE = {
    "type": "object",
    "properties": {
        "ratio": {"type": "number"},
        "count": {"type": "integer"},
        "when": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "long": {"type": "string", "format": "duration"},
        "raw": {"type": "string", "format": "byte"},
        "rows": {"type": "array", "items": {"type": "number"}},
        "inner": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}},
    },
}


def test_values_are_of_the_schemas_types():
    seen = cel_value(
        {
            "ratio": 1,
            "count": 2.0,
            "when": "1970-01-01T00:00:01Z",
            "day": "1970-01-02",
            "long": "1m",
            "raw": "YQ==",
            "rows": [1, 2],
            "free": {"x": 1},
        },
        NODE,
    )
    assert (type(seen["ratio"]), type(seen["count"])) == (float, int)
    assert seen["when"] == Timestamp(10**9)
    assert seen["day"] == Timestamp(86_400 * 10**9)
    assert seen["long"] == Duration(60 * 10**9)
    assert seen["raw"] == b"YQ=="
    assert [type(item) for item in seen["rows"]] == [float, float]
    assert seen["free"] == {"x": 1}


def test_of_metadata_rules_see_the_name():
    obj = {"metadata": {"name": "a", "labels": {"x": "y"}}, "inner": {"metadata": {"name": "b", "uid": "u"}}}
    seen = cel_value(obj, NODE, is_resource=True)
    assert seen["metadata"] == {"name": "a"}
    assert seen["inner"]["metadata"] == {"name": "b"}


def test_shapes_follow_the_schema():
    shape = NodeShape(NODE, is_resource=True)
    assert shape.kind == "object"
    kinds = {name: shape.field(name).kind for name in ("ratio", "when", "rows", "metadata", "kind")}
    assert kinds == {
        "ratio": "double",
        "when": "google.protobuf.Timestamp",
        "rows": "list",
        "metadata": "object",
        "kind": "string",
    }
    assert shape.field("bogus") is None
    assert shape.field("rows").item().kind == "double"
    assert NodeShape({"type": "object", "x-kubernetes-preserve-unknown-fields": True}).kind == "dyn"
