"""Merging a configuration in, and taking fields out."""

from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.schema import schema_of
from minikube_py.api.typed_merge import merge, remove, with_named_fields, without_nulls

POD = schema_of("v1", "Pod")
CONTAINERS = POD.at("spec", "containers")
FINALIZERS = POD.at("metadata", "finalizers")
NAMES = st.lists(st.sampled_from("abcdef"), unique=True)
PATH = ("f:spec", "f:containers", 'k:{"name":"c"}', "f:env", 'k:{"name":"E"}', "f:value")


def containers(names, **fields):
    return [{"name": name, **fields} for name in names]


def merged_names(live, config):
    return "".join(c["name"] for c in merge(containers(live), containers(config), CONTAINERS))


def test_shared_elements_come_in_the_order_of_the_configuration():
    assert merged_names("ab", "ba") == "ba"
    assert merged_names("b", "a") == "ba"
    assert merged_names("abc", "c") == "abc"
    assert merged_names("axb", "ba") == "xba"
    assert merged_names("ab", "acb") == "acb"
    assert merged_names("", "ab") == "ab"
    assert merged_names("ab", "") == "ab"


@given(NAMES, NAMES)
def test_every_element_comes_once_and_the_configuration_keeps_its_order(live, config):
    names = merged_names(live, config)

    assert sorted(names) == sorted({*live, *config})
    assert [name for name in names if name in config] == config


@given(NAMES)
def test_merging_a_list_with_itself_changes_nothing(names):
    assert merge(names, names, FINALIZERS) == names
    assert merged_names(names, names) == "".join(names)


def test_elements_merge_field_by_field():
    merged = merge(containers("c", image="1", args=["x"]), containers("c", image="2"), CONTAINERS)

    assert merged == [{"name": "c", "image": "2", "args": ["x"]}]


def test_atomic_values_are_replaced_and_null_does_not_empty_a_map():
    live = {"spec": {"nodeSelector": {"a": "1"}, "tolerations": [{"key": "k"}]}, "metadata": {"labels": {"a": "1"}}}
    config = {"spec": {"nodeSelector": {"b": "2"}, "tolerations": []}, "metadata": {"labels": None}}

    assert merge(live, config, POD) == {
        "spec": {"nodeSelector": {"b": "2"}, "tolerations": []},
        "metadata": {"labels": {"a": "1"}},
    }


def test_arguments_stay_as_they_were():
    live, config = containers("ab"), containers("bc", image="i")

    merge(live, config, CONTAINERS)

    assert live == containers("ab")
    assert config == containers("bc", image="i")


def test_elements_and_fields_are_removed_by_path():
    pod = {
        "spec": {"containers": containers("cd", image="i"), "nodeName": "n"},
        "metadata": {"finalizers": ["x", "y"]},
    }
    paths = {
        ("f:spec", "f:containers", 'k:{"name":"d"}'),
        ("f:spec", "f:containers", 'k:{"name":"c"}', "f:image"),
        ("f:spec", "f:nodeName"),
        ("f:metadata", "f:finalizers", 'v:"x"'),
        ("f:status", "f:phase"),
    }

    assert remove(pod, frozenset(paths), POD) == {
        "spec": {"containers": [{"name": "c"}]},
        "metadata": {"finalizers": ["y"]},
    }


def test_what_is_left_empty_becomes_null():
    pod = {"metadata": {"finalizers": ["x"]}, "spec": {"nodeName": "n"}}

    assert remove(pod, frozenset({("f:metadata", "f:finalizers", 'v:"x"')}), POD)["metadata"] == {"finalizers": None}


def test_nothing_is_removed_from_inside_an_atomic_value():
    pod = {"spec": {"nodeSelector": {"a": "1"}}}

    assert remove(pod, frozenset({("f:spec", "f:nodeSelector", "f:a")}), POD) == pod


def test_named_fields_on_the_way_are_added_but_no_keys():
    named = with_named_fields(frozenset({PATH}), POD)

    assert named == {PATH, PATH[:1], PATH[:2], PATH[:4]}
    assert with_named_fields(frozenset({("f:metadata", "f:labels", "f:a")}), POD) == {
        ("f:metadata", "f:labels", "f:a"),
        ("f:metadata", "f:labels"),
        ("f:metadata",),
    }
    assert with_named_fields(frozenset({("f:a", "f:b")}), None) == {("f:a", "f:b")}


def test_nulls_vanish_from_maps_at_every_depth():
    assert without_nulls({"a": None, "b": [{"c": None}, 1]}) == {"b": [{}, 1]}
