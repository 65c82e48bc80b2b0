"""Paths, and sets of them as FieldsV1 trees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api.field_paths import (
    ManagedFieldsError,
    contains,
    decode_fields,
    encode_fields,
    key_element,
    path_text,
    value_element,
    with_paths,
    without_paths,
)

ELEMENTS = st.one_of(
    st.text(max_size=3).map(lambda name: f"f:{name}"),
    st.sampled_from(['k:{"name":"c"}', 'v:"x"', "i:0"]),
)
PATHS = st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)
SETS = st.frozensets(PATHS, max_size=8)


@settings(max_examples=25)
@given(SETS)
def test_a_set_survives_the_wire(paths):
    tree = encode_fields(paths)

    assert decode_fields(tree) == paths
    assert all(contains(tree, path) for path in paths)


def test_a_dot_says_that_an_inner_node_is_owned_too():
    assert encode_fields({("f:data",), ("f:data", "f:a")}) == {"f:data": {".": {}, "f:a": {}}}
    assert encode_fields({("f:data", "f:a")}) == {"f:data": {"f:a": {}}}
    assert encode_fields({("f:data",)}) == {"f:data": {}}
    assert not contains({"f:data": {"f:a": {}}}, ("f:data",))
    assert not contains({"f:data": {"f:a": {}}}, ("f:data", "f:a", "f:b"))


@pytest.mark.parametrize("tree", [{"data": {}}, {"f:a": []}, {"f:a": "x"}], ids=str)
def test_what_is_no_tree_is_refused(tree):
    with pytest.raises(ManagedFieldsError):
        decode_fields(tree)


def test_a_tree_without_end_is_refused():
    tree = {}
    for _ in range(1000):
        tree = {"f:a": tree}

    with pytest.raises(ManagedFieldsError):
        decode_fields(tree)


def test_paths_read_as_upstream_prints_them():
    ports = key_element({"protocol": "TCP", "containerPort": 80})

    assert path_text(("f:spec", "f:ports", ports, "f:name")) == '.spec.ports[containerPort=80,protocol="TCP"].name'
    assert path_text(("f:metadata", "f:finalizers", value_element("a/b"))) == '.metadata.finalizers[="a/b"]'
    assert path_text(("f:list", "i:3")) == ".list[3]"


@settings(max_examples=25)
@given(SETS, SETS)
def test_a_tree_is_changed_as_the_set_that_it_stands_for(paths, others):
    tree = encode_fields(paths)

    assert with_paths(tree, others) == encode_fields(paths | others)
    assert without_paths(tree, others) == encode_fields(paths - others)
    assert tree == encode_fields(paths)


@settings(max_examples=25)
@given(SETS, SETS)
def test_what_stands_below_a_path_can_go_with_it(paths, prefixes):
    kept = {path for path in paths if not any(path[: len(prefix)] == prefix for prefix in prefixes)}

    assert without_paths(encode_fields(paths), prefixes, below=True) == encode_fields(kept)


@settings(max_examples=25)
@given(SETS, SETS)
def test_a_tree_that_has_none_of_the_paths_stays_the_same_one(paths, others):
    tree = encode_fields(paths - others)

    assert without_paths(tree, others) is tree
