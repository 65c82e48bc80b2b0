"""Paths, FieldsV1 trees and entries of managedFields."""

import pytest

from minikube_py.api.field_paths import (
    ManagedFieldsError,
)
from minikube_py.api.managed_fields import (
    ANCIENT_CHANGES,
    UPDATE_MANAGERS_MAX,
    ManagedEntry,
    cap_updates,
    decode_entries,
    encode_entries,
)


def an_entry(manager="m", operation="Update", time="2001-01-01T00:00:00Z", **fields):
    paths = {"fields_v1": {"f:data": {f"f:{manager}": {}}}} | fields
    return ManagedEntry(manager=manager, operation=operation, api_version="v1", time=time, **paths)


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
