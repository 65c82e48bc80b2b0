from minikube_py.api.custom.schema_values import schema_of_node
from minikube_py.api.field_paths import path_text
from minikube_py.api.typed_walk import field_set

NODE = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "keyed": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}, "v": {"type": "string"}}},
                },
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "plain": {"type": "array", "items": {"type": "string"}},
                "atomic": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {}}},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "port": {"x-kubernetes-int-or-string": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "count": {"type": "integer"},
            },
        }
    },
}
OBJECT = {
    "metadata": {"labels": {"l": "1"}},
    "spec": {
        "keyed": [{"name": "x", "v": "1"}],
        "set": ["a"],
        "plain": ["a"],
        "atomic": {"a": 1},
        "open": {"any": {"thing": 1}},
        "port": "http",
        "labels": {"k": "v"},
        "count": 1,
    },
}


def test_fields_are_owned_as_the_schema_divides_them():
    owned = {path_text(path).removeprefix(".") for path in field_set(OBJECT, schema_of_node(NODE, "w"))}
    assert owned == {
        "metadata.labels.l",
        'spec.keyed[name="x"]',
        'spec.keyed[name="x"].name',
        'spec.keyed[name="x"].v',
        'spec.set[="a"]',
        "spec.plain",
        "spec.atomic",
        "spec.open.any",
        "spec.open.any.thing",
        "spec.port",
        "spec.labels.k",
        "spec.count",
    }


def test_an_object_that_keeps_unknown_fields_is_open():
    node = {
        "type": "object",
        "properties": {
            "s": {**NODE["properties"]["spec"]["properties"]["open"], "properties": {"a": {"type": "string"}}}
        },
    }
    schema = schema_of_node(node, "w").at("s")
    assert schema is not None
    assert schema.is_open
    assert not schema_of_node(node, "w").is_open
