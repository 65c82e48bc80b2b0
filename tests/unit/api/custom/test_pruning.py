import pytest

from minikube_py.api.custom.pruning import prune

EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}}
KEEPING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("node", "obj", "left", "gone"),
    [
        (
            {},
            {"apiVersion": "v", "kind": "K", "metadata": {"x": 1}, "a": 1},
            {"apiVersion", "kind", "metadata"},
            ("a",),
        ),
        ({"properties": {"a": {}}}, {"a": {"b": 1}}, {"a"}, ("a.b",)),
        ({"properties": {"a": KEEPING}}, {"a": {"b": {"c": 1}}, "z": 1}, {"a"}, ("z",)),
        ({"additionalProperties": {"properties": {"x": {}}}}, {"k": {"x": 1, "y": 2}}, {"k"}, ("k.y",)),
        ({"additionalProperties": True}, {"k": {"x": 1}}, {"k"}, ()),
        ({"properties": {"a": {"items": {"properties": {"x": {}}}}}}, {"a": [{"x": 1, "y": 2}]}, {"a"}, ("a[0].y",)),
        (
            {"properties": {"e": EMBEDDED}},
            {"e": {"apiVersion": "v1", "kind": "K", "metadata": {}, "spec": {}, "status": {}}},
            {"e"},
            ("e.status",),
        ),
        (
            {"properties": {"a": {**KEEPING, "properties": {"known": {"type": "object"}}}}},
            {"a": {"known": {"x": 1}, "unknown": {"x": 1}}},
            {"a"},
            ("a.known.x",),
        ),
    ],
    ids=["identity stays", "nested", "kept", "map", "open map", "list", "embedded", "named below kept"],
)
def test_what_the_schema_does_not_name_goes(node, obj, left, gone):
    assert prune(obj, node) == gone
    assert set(obj) == left
