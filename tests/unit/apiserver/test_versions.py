"""Entries and changes are shown in the version of the row; rows that store themselves pay nothing."""

from minikube_py.api.resources import CONFIGMAPS, EVENTS, find_resource
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.versions import shown_entry, stored_object
from minikube_py.store.interface import Entry

NEW = find_resource("events.k8s.io", "v1", "events")
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "m"}


def entry(revision=7, **fields):
    return Entry("/registry/core/events/d/e", stamp(canonical({**EVENT, **fields}), revision), 3, revision)


def test_both_spellings_are_kept_at_one_key():
    assert NEW.storage_key("d", "e") == EVENTS.storage_key("d", "e") == entry().key


def test_a_stored_entry_is_shown_with_its_revisions():
    shown = shown_entry(NEW, entry(), EVENT)

    assert decode(shown)["note"] == "m"
    assert decode(shown)["apiVersion"] == "events.k8s.io/v1"
    assert decode(shown)["metadata"]["resourceVersion"] == "7"
    assert (shown.create_revision, shown.mod_revision) == (3, 7)
    assert stored_object(NEW, decode(shown))["message"] == "m"


def test_a_row_that_stores_itself_is_not_touched():
    stored = entry()

    assert shown_entry(CONFIGMAPS, stored, EVENT) is stored
    assert stored_object(CONFIGMAPS, EVENT) is EVENT
