"""What JSON patch and merge patch do to an object, and how wrong ones are refused (observed on upstream 1.20)."""

import pytest

from minikube_py.api.errors import BadRequestError, InternalError, InvalidError, TooLargeError, to_status
from minikube_py.api.patch import JSON_PATCH_OPERATIONS_MAX, apply_json_patch, apply_merge_patch


def a_config_map():
    return {"metadata": {"name": "c"}, "data": {"a": "1", "b/c": "2"}, "list": [1, 2, 3]}


@pytest.mark.parametrize(
    ("operations", "path", "expected"),
    [
        ([{"op": "add", "path": "/data/z", "value": "9"}], "data", {"a": "1", "b/c": "2", "z": "9"}),
        ([{"op": "remove", "path": "/data/b~1c"}], "data", {"a": "1"}),
        ([{"op": "replace", "path": "/data/zzz", "value": "1"}], "data", {"a": "1", "b/c": "2", "zzz": "1"}),
        ([{"op": "add", "path": "/list/-", "value": 4}], "list", [1, 2, 3, 4]),
        ([{"op": "add", "path": "/list/1", "value": 9}], "list", [1, 9, 2, 3]),
        ([{"op": "remove", "path": "/list/-1"}], "list", [1, 2]),
        ([{"op": "move", "from": "/data/a", "path": "/data/m"}], "data", {"b/c": "2", "m": "1"}),
        ([{"op": "copy", "from": "/list", "path": "/data/l"}], "data", {"a": "1", "b/c": "2", "l": [1, 2, 3]}),
        ([{"op": "test", "path": "/none", "value": None}, {"op": "remove", "path": "/list/0"}], "list", [2, 3]),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, list) else "",
)
def test_an_operation_changes_what_its_path_names(operations, path, expected):
    assert apply_json_patch(a_config_map(), operations)[path] == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/a", "value": "nope"},
        {"op": "test", "path": "/list/0", "value": True},
        {"op": "remove", "path": "/data/zzz"},
        {"op": "frob", "path": "/data/a"},
        {"op": "add", "path": "data", "value": 1},
        {"op": "add", "path": "/list/9", "value": {}},
        {"op": "add", "value": 1},
        {"op": "add", "path": "/data/a/b", "value": 1},
        {"op": "replace", "path": "/list/x", "value": 1},
        {"op": "move", "from": "/nope", "path": "/data/m"},
        {"op": "replace", "path": "", "value": "no object"},
    ],
    ids=str,
)
def test_an_operation_that_cannot_be_done_is_a_422_without_details(operation):
    with pytest.raises(InvalidError) as refused:
        apply_json_patch(a_config_map(), [operation])

    assert to_status(refused.value)["message"] == "the server rejected our request due to an error in our request"
    assert refused.value.details == {}


def test_a_json_patch_that_is_no_list_is_a_400():
    with pytest.raises(BadRequestError, match="cannot unmarshal object"):
        apply_json_patch(a_config_map(), {"op": "add"})


def test_a_json_patch_with_too_many_operations_is_a_413():
    operations = [{"op": "test", "path": "/data/a", "value": "1"}] * (JSON_PATCH_OPERATIONS_MAX + 1)

    with pytest.raises(TooLargeError, match="10000, got 10001"):
        apply_json_patch(a_config_map(), operations)


def test_patches_leave_their_arguments_as_they_were():
    obj, value = a_config_map(), {"x": [1]}

    patched = apply_json_patch(obj, [{"op": "add", "path": "/data/v", "value": value}])
    patched["data"]["v"]["x"].append(2)
    merged = apply_merge_patch(obj, {"data": {"a": None}, "new": value})
    merged["new"]["x"].append(3)

    assert obj == a_config_map()
    assert value == {"x": [1]}


def test_a_merge_patch_removes_nulls_merges_objects_and_replaces_lists():
    merged = apply_merge_patch(a_config_map(), {"data": {"a": None, "n": {"x": None, "y": 1}}, "list": [7]})

    assert merged == {"metadata": {"name": "c"}, "data": {"b/c": "2", "n": {"y": 1}}, "list": [7]}


def test_a_merge_patch_that_is_no_object_is_refused_as_upstream_does():
    with pytest.raises(InvalidError) as refused:
        apply_merge_patch(a_config_map(), [1])
    with pytest.raises(InternalError, match="Invalid JSON Patch"):
        apply_merge_patch(a_config_map(), None)

    assert refused.value.details["causes"][0]["field"] == "patch"
    assert refused.value.message.startswith(' "" is invalid: patch: Invalid value: "[1]"')


@pytest.mark.parametrize("value", [["x" * 1000], [[]] * 100], ids=["bytes", "values"])
def test_copies_that_copy_one_another_are_bounded(value):
    patch = [{"op": "add", "path": "/data/a", "value": value}]
    patch += [{"op": "copy", "from": "/data/a", "path": "/data/a/-"}] * 40

    with pytest.raises(InvalidError):
        apply_json_patch({"data": {}}, patch)


@pytest.mark.parametrize("key", ["--1", "²", "9" * 5000, "1_0", "", "+1", "x"])
def test_what_is_no_index_is_refused(key):
    with pytest.raises(InvalidError):
        apply_json_patch({"a": [1, 2]}, [{"op": "remove", "path": f"/a/{key}"}])
