from minikube_py.api.custom.list_types import validate_lists

NODE = {
    "properties": {
        "tags": {"x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "ports": {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {"properties": {"port": {}, "protocol": {"default": "TCP"}, "tags": {"items": {}}}},
        },
        "any": {"x-kubernetes-list-type": "atomic", "items": {}},
    }
}


def test_no_element_stands_twice_in_sets_and_keyed_lists():
    obj = {
        "tags": ["a", "b", "a"],
        "ports": [{"port": 1}, {"port": 1, "protocol": "UDP"}, {"port": 1, "protocol": "TCP"}],
        "any": [1, 1],
    }
    assert [str(fault) for fault in validate_lists(obj, NODE)] == [
        'tags[2]: Duplicate value: "a"',
        'ports[2]: Duplicate value: {"port":1,"protocol":"TCP"}',
    ]
