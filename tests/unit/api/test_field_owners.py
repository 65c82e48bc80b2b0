"""Owners of fields after writes that are no applies."""

import pytest

from minikube_py.api.field_owners import Writer, reset_fields, track_update
from minikube_py.api.field_paths import decode_fields
from minikube_py.api.meta import copy_object
from minikube_py.api.schema import schema_of

NOW = 1_000_000_000.0
CONFIG_MAP = schema_of("v1", "ConfigMap")


def a_writer(manager="m", *, at=NOW):
    return Writer(manager, "v1", at)


def a_config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def test_an_update_of_equal_content_takes_nothing():
    live = a_config_map(a="1")
    live["metadata"]["managedFields"] = track_update(None, live, CONFIG_MAP, a_writer("one"))
    live["metadata"]["uid"] = "u"

    assert track_update(live, live, CONFIG_MAP, a_writer("two", at=NOW + 9)) == live["metadata"]["managedFields"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"operation": "Nope"},
        {"fieldsV1": ["f:data"]},
        {"fieldsV1": {"f:data": {"f:a": "x"}}},
        {"fieldsV1": {"f:data": {"a": {}}}},
    ],
    ids=["operation", "no tree", "no node", "no element"],
)
def test_owners_that_a_client_wrote_wrongly_are_taken_from_the_live_object(wrong):
    live = a_config_map(a="1")
    live["metadata"]["managedFields"] = track_update(None, live, CONFIG_MAP, a_writer("one"))
    broken = copy_object(live)
    entry = {"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}
    broken["metadata"]["managedFields"] = [entry | wrong]

    assert track_update(live, broken, CONFIG_MAP, a_writer("two")) == live["metadata"]["managedFields"]


def test_no_more_than_ten_update_managers_are_kept():
    live, managed = a_config_map(), []
    for number in range(14):
        new = a_config_map(**{f"k{n}": "1" for n in range(number + 1)})
        new["metadata"]["managedFields"] = managed
        live["metadata"]["managedFields"] = managed
        managed = track_update(live, new, CONFIG_MAP, a_writer(f"w{number:02}", at=NOW + number))
        live = new

    names = [entry["manager"] for entry in managed]
    assert len(names) == 10
    assert names == ["ancient-changes", *(f"w{number:02}" for number in range(5, 14))]
    assert {("f:data", f"f:k{n}") for n in range(5)} <= decode_fields(managed[0]["fieldsV1"])


def test_status_is_nobodys_when_written_through_the_object_itself():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Running"}}
    writer = Writer("m", "v1", NOW, "", reset_fields("", has_status=True))

    assert track_update(None, pod, schema_of("v1", "Pod"), writer) == []
    assert reset_fields("", has_status=False) == frozenset()
    assert reset_fields("scale", has_status=True) == frozenset()


def test_a_creator_takes_all_from_the_owners_that_he_has_written_himself():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}}
    alone = track_update(None, pod, schema_of("v1", "Pod"), a_writer())
    pod["metadata"]["managedFields"] = track_update(None, pod, schema_of("v1", "Pod"), a_writer("other"))

    assert [entry["fieldsV1"] for entry in alone] == [{"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}]
    assert [entry["manager"] for entry in track_update(None, pod, schema_of("v1", "Pod"), a_writer())] == ["m"]
