import pytest

from minikube_py.api.decode import expected_of
from minikube_py.api.errors import InvalidError
from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.apiserver.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patched

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]},
}
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}


def test_each_type_changes_as_its_name_says():
    containers = {"spec": {"containers": [{"name": "b", "image": "2"}]}}
    strategic = patched(POD, containers, STRATEGIC_PATCH, expected_of(PODS), "Strict").obj
    merged = patched(POD, containers, MERGE_PATCH, expected_of(PODS), "Strict").obj
    operation = [{"op": "replace", "path": "/spec/containers/0/image", "value": "3"}]
    replaced = patched(POD, operation, JSON_PATCH, expected_of(PODS), "Strict").obj
    assert {c["name"]: c["image"] for c in strategic["spec"]["containers"]} == {"a": "1", "b": "2"}
    assert merged["spec"]["containers"] == [{"name": "b", "image": "2"}]
    assert [c["image"] for c in replaced["spec"]["containers"]] == ["3", "1"]
    assert POD["spec"]["containers"][0]["image"] == "1"


def test_a_result_that_is_no_such_object_is_a_fault_of_the_patch():
    with pytest.raises(InvalidError) as refused:
        patched(MAP, {"data": "x"}, MERGE_PATCH, expected_of(CONFIGMAPS), "Warn")
    assert refused.value.message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert "cannot unmarshal string" in refused.value.message


def test_unknown_fields_warn_or_refuse():
    warned = patched(MAP, {"bogus": 1}, MERGE_PATCH, expected_of(CONFIGMAPS), "Warn")
    assert warned.warnings == ('unknown field "bogus"',)
    assert "bogus" not in warned.obj
    with pytest.raises(InvalidError, match='unknown field \\\\?"bogus'):
        patched(MAP, {"bogus": 1}, MERGE_PATCH, expected_of(CONFIGMAPS), "Strict")


@pytest.mark.parametrize("patch_type", [MERGE_PATCH, STRATEGIC_PATCH])
def test_what_a_merge_names_is_checked_even_when_it_compares_equal(patch_type):
    stored = {**POD, "spec": {**POD["spec"], "hostNetwork": True}}
    with pytest.raises(InvalidError, match="cannot unmarshal number"):
        patched(stored, {"spec": {"hostNetwork": 1}}, patch_type, expected_of(PODS), "Warn")


def test_fields_that_a_merge_does_not_name_stay_as_they_are_stored():
    stored = {**POD, "fromEarlierTimes": {"a": 1}}
    merged = patched(stored, {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH, expected_of(PODS), "Strict")
    assert merged.obj == {**stored, "metadata": {"name": "p", "labels": {"a": "b"}}}
