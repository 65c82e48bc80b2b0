"""Owners who speak different versions of one object: what is compared, and what goes, in which version."""

from dataclasses import replace

import pytest

from minikube_py.api.errors import ConflictError
from minikube_py.api.field_owners import Writer, track_update
from minikube_py.api.managed_fields import ManagedEntry
from minikube_py.api.server_side_apply import apply
from minikube_py.api.versioned_fields import ObjectVersion, VersionSet, prune


def moved(obj, source, target):
    """Return the object with `spec.<source>` under another name: all that two versions differ in."""
    spec = dict(obj.get("spec") or {})
    if source in spec:
        spec[target] = spec.pop(source)
    return {**obj, "spec": spec} if "spec" in obj else dict(obj)


OLD = ObjectVersion(None, lambda obj: moved(obj, "size", "count"), lambda obj: moved(obj, "count", "size"))
NEW = ObjectVersion(None, lambda obj: moved(obj, "count", "size"), lambda obj: moved(obj, "size", "count"))
V2 = Writer("two", "x/v2", 0.0, versions={"x/v1": OLD}.get)
V1 = Writer("one", "x/v1", 0.0, versions={"x/v2": NEW}.get)


def thing(version, managed=(), **spec):
    meta = {"name": "a", "uid": "u", **({"managedFields": list(managed)} if managed else {})}
    return {"apiVersion": version, "kind": "X", "metadata": meta, "spec": spec}


def owned(entries):
    return {(e["manager"], e["apiVersion"]): e["fieldsV1"].get("f:spec", {}) for e in entries}


def seen_in_v2(obj):
    """Return what a client of v2 sees of an object of v1."""
    return {**OLD.back(obj), "apiVersion": "x/v2"}


def test_who_changes_a_field_takes_it_from_an_owner_in_another_version():
    made = thing("x/v1", count=1, color="red")
    made["metadata"]["managedFields"] = track_update(None, made, None, V1)
    live = seen_in_v2(made)

    entries = track_update(live, thing("x/v2", live["metadata"]["managedFields"], size=2, color="red"), None, V2)
    assert owned(entries) == {("one", "x/v1"): {".": {}, "f:color": {}}, ("two", "x/v2"): {"f:size": {}}}


def test_who_owns_a_field_in_another_version_is_a_conflict_under_his_name_of_it():
    made = thing("x/v1", count=1)
    made["metadata"]["managedFields"] = track_update(None, made, None, V1)

    with pytest.raises(ConflictError) as refused:
        apply(seen_in_v2(made), thing("x/v2", size=2), None, V2, force=False)
    assert refused.value.details["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one" using x/v1', "field": ".spec.count"}
    ]
    forced = apply(seen_in_v2(made), thing("x/v2", size=2), None, V2, force=True)
    assert forced["spec"] == {"size": 2}
    assert ("f:count" in owned(forced["metadata"]["managedFields"])["one", "x/v1"]) is False


def test_an_applier_who_comes_back_in_another_version_gives_up_what_he_no_longer_names():
    first = apply(None, thing("x/v1", count=1, color="red"), None, replace(V1, manager="me"), force=False)
    first["metadata"]["uid"] = "u"

    second = apply(seen_in_v2(first), thing("x/v2", color="red"), None, replace(V2, manager="me"), force=False)
    assert second["spec"] == {"color": "red"}
    assert owned(second["metadata"]["managedFields"]) == {("me", "x/v2"): {".": {}, "f:color": {}}}


def test_what_somebody_else_owns_in_his_version_stays():
    first = apply(None, thing("x/v1", count=1), None, replace(V1, manager="me"), force=False)
    first["metadata"]["uid"] = "u"
    live = seen_in_v2(first)
    shared = apply(live, thing("x/v2", size=1), None, replace(V2, manager="other"), force=False)

    second = apply(shared, thing("x/v2", color="red"), None, replace(V2, manager="me"), force=False)
    assert second["spec"] == {"color": "red", "size": 1}


def test_owners_in_a_version_that_is_gone_are_forgotten():
    stale = {
        "manager": "old",
        "operation": "Update",
        "apiVersion": "x/v0",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:size": {}}},
    }
    entries = track_update(thing("x/v2", [stale], size=1), thing("x/v2", [stale], size=1), None, V2)

    assert entries == []


def test_without_other_versions_all_entries_are_read_alike():
    entry = ManagedEntry("me", "Apply", "x/v1", {"f:spec": {"f:size": {}}})
    versions = VersionSet("x/v2", None)

    assert versions.served([entry]) == [entry]
    assert prune(thing("x/v2", size=1, color="red"), entry, (), versions)["spec"] == {"color": "red"}
    assert set(versions.changes({}, thing("x/v2"), [entry], frozenset())) == {"x/v1", "x/v2"}


def test_what_was_applied_in_a_version_that_is_gone_stays():
    entry = ManagedEntry("me", "Apply", "x/v0", {"f:spec": {"f:size": {}}})
    versions = VersionSet("x/v2", None, {"x/v1": OLD}.get)

    assert prune(thing("x/v2", size=1), entry, (), versions)["spec"] == {"size": 1}
    assert versions.served([entry]) == []
