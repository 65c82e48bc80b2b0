from minikube_py.api.custom.correlation import UNKNOWN, old_elements, old_field

KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


def test_fields_continue_the_field_of_that_name():
    assert old_field("a", {"a": 1}) == 1
    assert old_field("b", {"a": 1}) is UNKNOWN
    assert old_field("a", UNKNOWN) is UNKNOWN


def test_elements_continue_the_one_with_their_keys_and_nothing_else_does():
    old = [{"name": "x", "v": 1}, {"name": "y", "v": 2}]
    find = old_elements(old, KEYED)
    assert find({"name": "y"}) == {"name": "y", "v": 2}
    assert find({"name": "z"}) is UNKNOWN
    assert find("scalar") is UNKNOWN
    assert old_elements(old, {"x-kubernetes-list-type": "atomic"})({"name": "y"}) is UNKNOWN
    assert old_elements(UNKNOWN, KEYED)({"name": "y"}) is UNKNOWN
    assert old_elements([{"name": True, "v": 1}], KEYED)({"name": 1}) is UNKNOWN
