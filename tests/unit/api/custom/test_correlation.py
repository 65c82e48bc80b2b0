from minikube_py.api.custom.correlation import UNKNOWN, old_element, old_field

KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


def test_fields_continue_the_field_of_that_name():
    assert old_field("a", {"a": 1}) == 1
    assert old_field("b", {"a": 1}) is UNKNOWN
    assert old_field("a", UNKNOWN) is UNKNOWN


def test_elements_continue_the_one_with_their_keys_and_nothing_else_does():
    old = [{"name": "x", "v": 1}, {"name": "y", "v": 2}]
    assert old_element({"name": "y"}, old, KEYED) == {"name": "y", "v": 2}
    assert old_element({"name": "z"}, old, KEYED) is UNKNOWN
    assert old_element({"name": "y"}, old, {"x-kubernetes-list-type": "atomic"}) is UNKNOWN
    assert old_element("scalar", old, KEYED) is UNKNOWN
