from minikube_py.api.custom.nodes import below, items_node, keeps_unknown, properties, values_node


def test_a_node_answers_what_it_says_and_nothing_when_it_says_nothing():
    node = {"properties": {"a": {}}, "additionalProperties": {"type": "string"}, "items": {"type": "integer"}}
    assert properties(node) == {"a": {}}
    assert values_node(node) == {"type": "string"}
    assert items_node(node) == {"type": "integer"}
    assert (properties({}), values_node({}), items_node({})) == ({}, None, None)


def test_unknown_fields_stay_where_the_node_says_so():
    assert keeps_unknown({"x-kubernetes-preserve-unknown-fields": True})
    assert keeps_unknown({"additionalProperties": True})
    assert not keeps_unknown({"additionalProperties": {"type": "string"}})


def test_paths_are_joined_with_dots():
    assert (below("", "spec"), below("spec", "size")) == ("spec", "spec.size")
