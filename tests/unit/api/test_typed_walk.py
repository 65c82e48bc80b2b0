"""What an object's fields are, and what differs between two objects."""

import pytest

from minikube_py.api.field_paths import encode_fields
from minikube_py.api.schema import schema_of
from minikube_py.api.typed_walk import (
    ABSENT,
    Changes,
    WalkError,
    compare,
    field_set,
    list_elements,
    outside,
    shape_of,
)

POD = schema_of("v1", "Pod")
SERVICE = schema_of("v1", "Service")
DEPLOYMENT = schema_of("apps/v1", "Deployment")


def spec(**fields):
    return {"spec": fields}


@pytest.mark.parametrize(
    ("schema", "value", "shape"),
    [
        (POD, {}, "map"),
        (POD.at("spec", "containers"), [], "keyed"),
        (POD.at("metadata", "finalizers"), [], "set"),
        (POD.at("spec", "tolerations"), [], "leaf"),
        (POD.at("spec", "nodeSelector"), {}, "leaf"),
        (POD.at("metadata", "labels"), {}, "map"),
        (POD.at("spec", "nodeName"), "n", "leaf"),
        (schema_of("policy/v1", "PodDisruptionBudget").at("spec", "selector"), {}, "leaf"),
        (None, {}, "map"),
        (None, [], "leaf"),
    ],
)
def test_the_schema_says_how_a_value_is_taken_apart(schema, value, shape):
    assert shape_of(schema, value) == shape


def test_fields_of_a_configuration():
    pod = spec(containers=[{"name": "c", "env": [{"name": "E"}]}], volumes=[{"name": "v", "emptyDir": {}}])
    pod["metadata"] = {"labels": {"a": "b"}, "finalizers": ["x"]}

    assert encode_fields(field_set(pod, POD)) == {
        "f:metadata": {"f:finalizers": {'v:"x"': {}}, "f:labels": {"f:a": {}}},
        "f:spec": {
            "f:containers": {
                'k:{"name":"c"}': {".": {}, "f:env": {'k:{"name":"E"}': {".": {}, "f:name": {}}}, "f:name": {}}
            },
            "f:volumes": {'k:{"name":"v"}': {".": {}, "f:emptyDir": {}, "f:name": {}}},
        },
    }


def test_an_element_that_occurs_twice_is_one_field():
    pod = spec(containers=[{"name": "c", "env": [{"name": "E", "value": "1"}, {"name": "E", "value": "2"}]}])
    paths = field_set(pod, POD)

    assert any(path[-1] == 'k:{"name":"E"}' for path in paths)
    assert not any(path[-1] == "f:value" for path in paths)
    assert compare(pod, pod, POD) == Changes(frozenset(), frozenset(), frozenset())


def test_without_a_schema_maps_are_maps_and_lists_are_leaves():
    assert encode_fields(field_set({"spec": {"list": [1], "map": {"a": 1}}}, None)) == {
        "f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:a": {}}}
    }


def test_what_is_new_changed_and_gone():
    old = spec(nodeName="a", containers=[{"name": "c", "image": "1"}, {"name": "d"}])
    new = spec(nodeName="b", containers=[{"name": "c", "image": "1", "args": ["x"]}])
    changes = compare(old, new, POD)

    assert encode_fields(changes.modified) == {"f:spec": {"f:nodeName": {}}}
    assert encode_fields(changes.added) == {"f:spec": {"f:containers": {'k:{"name":"c"}': {"f:args": {}}}}}
    assert encode_fields(changes.removed) == {"f:spec": {"f:containers": {'k:{"name":"d"}': {".": {}, "f:name": {}}}}}


def test_a_container_that_is_new_is_a_field_itself_but_a_go_struct_is_not():
    changes = compare({}, spec(strategy={"rollingUpdate": {"maxSurge": 1}}), DEPLOYMENT)

    assert encode_fields(changes.added) == {
        "f:spec": {"f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}}}
    }


def test_empty_and_absent_are_different_and_empty_is_a_leaf():
    assert compare(spec(), spec(securityContext={}), POD).added == {("f:spec", "f:securityContext")}
    assert compare(spec(securityContext={}), spec(), POD).removed == {("f:spec", "f:securityContext")}
    assert compare(ABSENT, {"a": 1}, None).added == {(), ("f:a",)}


def test_duplicates_count_as_one_field():
    old, new = (spec(containers=[{"name": "c", "env": env}]) for env in ([{"name": "E"}], [{"name": "E"}] * 2))
    path = ("f:spec", "f:containers", 'k:{"name":"c"}', "f:env", 'k:{"name":"E"}')

    assert compare(old, new, POD) == Changes(frozenset(), frozenset(), frozenset({path}))


def test_changes_below_ignored_paths_do_not_count():
    changes = Changes(frozenset({("f:a", "f:b")}), frozenset({("f:c",)}), frozenset({("f:ab",)}))

    assert changes.ignoring(frozenset({("f:a",), ("f:c",)})) == Changes(
        frozenset(), frozenset(), frozenset({("f:ab",)})
    )
    assert changes.taken == {("f:a", "f:b"), ("f:ab",)}
    assert outside(changes.added, frozenset()) is changes.added


def test_a_missing_protocol_is_tcp_and_other_missing_keys_are_faults():
    ports = SERVICE.at("spec", "ports")

    assert list_elements(ports, [{"port": 80}], "keyed", ())[0][0] == 'k:{"port":80,"protocol":"TCP"}'
    with pytest.raises(WalkError, match=r"\.x: element 0: .* omits all key fields \[\"name\"\]"):
        list_elements(POD.at("spec", "containers"), [{"image": "i"}], "keyed", ("f:x",))
    with pytest.raises(WalkError, match="non-map"):
        list_elements(POD.at("spec", "containers"), ["i"], "keyed", ())
