"""Objects in the version that is asked for: those of built-in kinds at once, custom ones perhaps by a webhook."""

import threading
from dataclasses import replace

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import InternalError
from minikube_py.api.resources import CONFIGMAPS, find_resource
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.views import VIEW_HERE_BYTES_MAX, Views
from minikube_py.store.interface import Entry, StoreEvent
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget, refuse_conversion

NEW = find_resource("events.k8s.io", "v1", "events")
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "m"}
VERSIONS = (a_version("v1"), a_version("v2", storage=False))
PLAIN = {"type": "object", "properties": {"data": {"type": "string"}}}
LONG = {"name": "w", "namespace": "default", "labels": {"long": "x" * VIEW_HERE_BYTES_MAX}}
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


def some_views(convert=refuse_conversion, **bounds):
    return Views(convert, HeavyWork(), **bounds)


def a_long_widget(number=0, size_bytes=VIEW_HERE_BYTES_MAX):
    obj = {**a_widget(size=1), "metadata": {"name": f"w{number}", "labels": {"long": "x" * size_bytes}}}
    return Entry(f"/k{number}", stamp(canonical(obj), 7), 3, 7)


def observed(row, seen):
    """Return a row that notes on which thread its views are made."""

    def prune(obj):
        seen.append(threading.get_ident())
        return row.custom.prune(obj)

    return replace(row, custom=replace(row.custom, prune=prune))


async def test_a_row_of_one_version_is_not_touched():
    views, entry = some_views(), an_entry(EVENT)
    event = StoreEvent(7, "/k", entry, None)
    assert await views.entry(CONFIGMAPS, entry) is entry
    assert views.event_now(CONFIGMAPS, event) is event
    assert await views.to_storage(CONFIGMAPS, EVENT) is EVENT


async def test_a_change_is_shown_with_what_was_before_and_what_was_last():
    views = some_views()
    gone = views.event_now(NEW, StoreEvent(9, "/k", None, an_entry(EVENT), stamp(canonical(EVENT), 9)))
    assert decode(gone.previous)["note"] == "m"
    assert b'"note":"m"' in gone.last_value
    assert b'"resourceVersion":"9"' in gone.last_value
    assert gone.entry is None
    changed = await views.event(NEW, StoreEvent(8, "/k", an_entry({**EVENT, "message": "n"}, 8), an_entry(EVENT)))
    assert [decode(entry)["note"] for entry in (changed.entry, changed.previous)] == ["n", "m"]


async def test_without_a_webhook_only_the_version_changes():
    views = some_views()
    newer, older = rows_of(a_served_definition(versions=VERSIONS))
    entry = an_entry(a_widget(size=1))
    assert decode(await views.entry(newer, entry))["apiVersion"] == "ex.io/v2"
    assert await views.entry(older, entry) is entry
    assert (await views.to_storage(newer, a_widget(version="v2")))["apiVersion"] == "ex.io/v1"


async def test_a_webhook_is_asked_once_for_all_that_it_must_convert():
    webhook = Webhook()
    views = some_views(webhook)
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
        await some_views().entry(newer, an_entry(a_widget(size=1)))


async def test_the_view_of_a_long_object_is_made_on_another_thread_and_once():
    seen, views = [], some_views()
    row = observed(rows_of(a_served_definition(versions=VERSIONS))[0], seen)
    entries = [a_long_widget(number) for number in range(3)]
    short = an_entry(a_widget(size=1))
    assert views.view_now(row, entries[0]) is None
    assert views.event_now(row, StoreEvent(7, "/k0", entries[0], None)) is None

    first = await views.entries(row, [*entries, short])
    again = await views.entries(row, entries)

    assert [decode(entry)["apiVersion"] for entry in first] == ["ex.io/v2"] * 4
    assert list(again) == list(first[:3])
    assert [thread == threading.get_ident() for thread in seen] == [False, False, False, True]
    assert views.view_now(row, entries[0]) is first[0]


async def test_a_long_object_that_is_shown_as_it_is_needs_one_look():
    views = some_views()
    (row, _) = rows_of(a_served_definition(versions=(a_version("v1", schema=PLAIN), a_version("v2", schema=PLAIN))))
    entry = Entry("/k", stamp(canonical({**a_widget(version="v2"), "data": "x" * VIEW_HERE_BYTES_MAX}), 7), 3, 7)
    assert views.view_now(row, entry) is None
    assert await views.entry(row, entry) is entry
    assert views.view_now(row, entry) is entry


async def test_what_a_webhook_made_of_a_short_object_may_be_long():
    async def grow(resource, objs, api_version):
        return [{**obj, "apiVersion": api_version, "spec": {"size": 1}, "metadata": LONG} for obj in objs]

    seen = []
    row = observed(rows_of(a_served_definition(versions=VERSIONS, conversion=WEBHOOK))[0], seen)
    shown = await some_views(grow).entry(row, an_entry(a_widget(size=1)))
    assert decode(shown)["metadata"]["labels"] == LONG["labels"]
    assert seen != [threading.get_ident()]


async def test_views_are_kept_while_they_have_not_too_many_bytes():
    seen, size_bytes = [], 3 * VIEW_HERE_BYTES_MAX
    views = some_views(view_bytes_max=3 * size_bytes)
    row = observed(rows_of(a_served_definition(versions=VERSIONS))[0], seen)
    entries = [a_long_widget(number, size_bytes) for number in range(3)]
    for entry in (*entries, entries[2], entries[1]):
        await views.entry(row, entry)
    assert len(seen) == 3
    await views.entry(row, entries[0])
    assert len(seen) == 4
