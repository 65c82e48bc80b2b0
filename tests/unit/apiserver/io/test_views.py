"""Objects in the version that is asked for: those of built-in kinds at once, custom ones perhaps by a webhook."""

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import InternalError
from minikube_py.api.resources import CONFIGMAPS, find_resource
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.io.views import Views
from minikube_py.store.interface import Entry, StoreEvent
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget, refuse_conversion

NEW = find_resource("events.k8s.io", "v1", "events")
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "m"}
VERSIONS = (a_version("v1"), a_version("v2", storage=False))
WEBHOOK = {
    "strategy": "Webhook",
    "webhook": {"clientConfig": {"url": "https://x/"}, "conversionReviewVersions": ["v1"]},
}


def an_entry(obj, revision=7):
    return Entry("/k", stamp(canonical(obj), revision), 3, revision)


class Webhook:
    """Converts by doubling the size, and counts how often it is asked."""

    def __init__(self):
        self.asked = []

    async def __call__(self, resource, objs, api_version):
        self.asked.append(len(objs))
        return [
            {**obj, "apiVersion": api_version, "spec": {"size": obj["spec"]["size"] * 2}}
            if obj["apiVersion"] != api_version
            else dict(obj)
            for obj in objs
        ]


async def test_a_row_of_one_version_is_not_touched():
    views, entry = Views(refuse_conversion), an_entry(EVENT)
    event = StoreEvent(7, "/k", entry, None)
    assert await views.entry(CONFIGMAPS, entry) is entry
    assert views.event_now(CONFIGMAPS, event) is event
    assert await views.to_storage(CONFIGMAPS, EVENT) is EVENT


async def test_a_change_is_shown_with_what_was_before_and_what_was_last():
    views = Views(refuse_conversion)
    gone = views.event_now(NEW, StoreEvent(9, "/k", None, an_entry(EVENT), stamp(canonical(EVENT), 9)))
    assert decode(gone.previous)["note"] == "m"
    assert b'"note":"m"' in gone.last_value
    assert b'"resourceVersion":"9"' in gone.last_value
    assert gone.entry is None
    changed = await views.event(NEW, StoreEvent(8, "/k", an_entry({**EVENT, "message": "n"}, 8), an_entry(EVENT)))
    assert [decode(entry)["note"] for entry in (changed.entry, changed.previous)] == ["n", "m"]


async def test_without_a_webhook_only_the_version_changes():
    views = Views(refuse_conversion)
    newer, older = rows_of(a_served_definition(versions=VERSIONS))
    entry = an_entry(a_widget(size=1))
    assert decode(await views.entry(newer, entry))["apiVersion"] == "ex.io/v2"
    assert await views.entry(older, entry) is entry
    assert (await views.to_storage(newer, a_widget(version="v2")))["apiVersion"] == "ex.io/v1"


async def test_a_webhook_is_asked_once_for_all_that_it_must_convert():
    webhook = Webhook()
    views = Views(webhook)
    newer, older = rows_of(a_served_definition(versions=VERSIONS, conversion=WEBHOOK))
    entries = [Entry(f"/k{n}", stamp(canonical(a_widget(size=n)), 7), 3, 7) for n in (1, 2)]
    assert views.view_now(newer, entries[0]) is None
    assert views.event_now(newer, StoreEvent(7, "/k1", entries[0], None)) is None

    first = await views.entries(newer, entries)
    again = await views.entries(newer, entries)

    assert [decode(entry)["spec"]["size"] for entry in first] == [2, 4]
    assert list(again) == list(first)
    assert webhook.asked == [2]
    assert (await views.to_storage(newer, a_widget(version="v2", size=5)))["spec"]["size"] == 10
    assert await views.to_storage(older, a_widget(size=5)) == a_widget(size=5)


async def test_a_conversion_that_fails_is_said():
    newer, _ = rows_of(a_served_definition(versions=VERSIONS, conversion=WEBHOOK))
    with pytest.raises(InternalError, match="no webhook converts 1 widgets"):
        await Views(refuse_conversion).entry(newer, an_entry(a_widget(size=1)))
