"""Entries and changes are shown in the version of the row; rows that store themselves pay nothing."""

from minikube_py.api.resources import CONFIGMAPS, EVENTS, find_resource
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.versions import shown_entries, shown_entry, shown_event, stored_object
from minikube_py.store.interface import Entry, StoreEvent

NEW = find_resource("events.k8s.io", "v1", "events")
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "m"}


def entry(revision=7, **fields):
    return Entry("/registry/core/events/d/e", stamp(canonical({**EVENT, **fields}), revision), 3, revision)


def test_both_spellings_are_kept_at_one_key():
    assert NEW.storage_key("d", "e") == EVENTS.storage_key("d", "e") == entry().key


def test_a_stored_entry_is_shown_with_its_revisions():
    shown = shown_entry(NEW, entry())

    assert decode(shown)["note"] == "m"
    assert decode(shown)["apiVersion"] == "events.k8s.io/v1"
    assert decode(shown)["metadata"]["resourceVersion"] == "7"
    assert (shown.create_revision, shown.mod_revision) == (3, 7)
    assert stored_object(NEW, decode(shown))["message"] == "m"


def test_a_row_that_stores_itself_is_not_touched():
    stored, event = entry(), StoreEvent(7, entry().key, entry(), None)

    assert shown_entry(CONFIGMAPS, stored) is stored
    assert shown_entries(CONFIGMAPS, [stored])[0] is stored
    assert shown_event(CONFIGMAPS, event) is event
    assert stored_object(CONFIGMAPS, EVENT) is EVENT


def test_a_change_is_shown_with_what_was_before_and_what_was_last():
    gone = StoreEvent(9, entry().key, None, entry(), stamp(canonical(EVENT), 9))
    shown = shown_event(NEW, gone)

    assert decode(shown.previous)["note"] == "m"
    assert b'"note":"m"' in shown.last_value
    assert b'"resourceVersion":"9"' in shown.last_value
    assert shown.entry is None
    changed = shown_event(NEW, StoreEvent(8, entry().key, entry(8, message="n"), entry()))
    assert [decode(e)["note"] for e in (changed.entry, changed.previous)] == ["n", "m"]
