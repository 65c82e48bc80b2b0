"""Paths, FieldsV1 trees and entries of managedFields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.managed_fields import (
    ANCIENT_CHANGES,
    UPDATE_MANAGERS_MAX,
    ManagedEntry,
    ManagedFieldsError,
    cap_updates,
    contains,
    decode_entries,
    decode_fields,
    encode_entries,
    encode_fields,
    key_element,
    path_text,
    value_element,
)

ELEMENTS = st.one_of(
    st.text(max_size=3).map(lambda name: f"f:{name}"),
    st.sampled_from(['k:{"name":"c"}', 'v:"x"', "i:0"]),
)
PATHS = st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)


def an_entry(manager="m", operation="Update", time="2001-01-01T00:00:00Z", **fields):
    paths = {"fields_v1": {"f:data": {f"f:{manager}": {}}}} | fields
    return ManagedEntry(manager=manager, operation=operation, api_version="v1", time=time, **paths)


@given(st.frozensets(PATHS, max_size=8))
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


def test_entries_come_appliers_first_then_by_time_and_manager():
    entries = [
        an_entry("b"),
        an_entry("a", time="2001-01-01T00:00:01Z"),
        an_entry("z", "Apply", time="2002-01-01T00:00:00Z"),
        an_entry("c"),
    ]

    assert [entry["manager"] for entry in encode_entries(entries)] == ["z", "b", "c", "a"]


def test_entries_survive_the_wire():
    entries = (an_entry("a", "Apply"), an_entry("b", subresource="status"), an_entry("c", time=""))

    assert set(map(str, decode_entries(encode_entries(entries)))) == set(map(str, entries))
    assert "subresource" not in encode_entries(entries)[0]
    assert decode_entries(None) == ()


@pytest.mark.parametrize(
    "managed_fields",
    [{}, ["x"], [{"operation": "Nope", "fieldsType": "FieldsV1"}], [{"operation": "Apply", "fieldsType": "V2"}]],
    ids=str,
)
def test_entries_that_are_not_understood_are_refused(managed_fields):
    with pytest.raises(ManagedFieldsError):
        decode_entries(managed_fields)


def test_losing_paths_leaves_other_entries_untouched():
    entry = an_entry(fields_v1={"f:data": {".": {}, "f:a": {}}})

    assert entry.without(frozenset({("f:spec",)})) is entry
    assert entry.without(frozenset({("f:data", "f:a")})).fields_v1 == {"f:data": {}}
    assert not entry.without(entry.fields).fields_v1


def test_an_applier_is_the_same_in_every_version():
    assert an_entry(operation="Apply").identity == ("m", "Apply", "", "")
    assert an_entry().identity == ("m", "Update", "v1", "")


def test_the_oldest_updates_are_joined_beyond_the_bound():
    entries = [an_entry(f"m{n:02}", time=f"2001-01-01T00:00:{n:02}Z") for n in range(UPDATE_MANAGERS_MAX + 3)]
    applier = an_entry("applier", "Apply")

    capped = cap_updates([*entries, applier])
    ancient = [entry for entry in capped if entry.manager == ANCIENT_CHANGES]

    assert len(capped) == UPDATE_MANAGERS_MAX + 1
    assert applier in capped
    assert [entry.time for entry in ancient] == ["2001-01-01T00:00:03Z"]
    assert ancient[0].fields == {("f:data", f"f:m{n:02}") for n in range(4)}


def test_within_the_bound_nothing_is_joined():
    entries = [an_entry(f"m{n}") for n in range(UPDATE_MANAGERS_MAX)]

    assert set(map(str, cap_updates(entries))) == set(map(str, entries))
