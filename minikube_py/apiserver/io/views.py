"""Stored objects as the version that is asked for shows them; those of one version pass through untouched.

Built-in kinds with several versions convert by rules (`versions`), custom ones by their definition (`conversion`).

Views are kept, as long as the object stays as it is: a list of a thousand objects in an older version is converted
once. Only conversion by webhook waits for anybody.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode, stamp, unstamp
from minikube_py.apiserver.conversion import needs_view, needs_webhook, render_view, stored_form
from minikube_py.apiserver.versions import shown_entries, shown_entry, stored_object
from minikube_py.store.interface import Entry, StoreEvent

SLICE_BYTES = 64 << 10
"""Of objects of so many bytes, views are made before others run (a few milliseconds)."""
VIEWS_MAX = 10_000
"""Views that are kept, over all resources; those that were not asked for longest go."""


class ConvertByWebhook(Protocol):
    """Asks a definition's webhook."""

    async def __call__(
        self, resource: Resource, objs: Sequence[Mapping[str, Any]], api_version: str
    ) -> Sequence[Obj]:
        """Return the objects in that version.

        Raises:
            StatusError: the webhook cannot be reached, or refuses.
        """
        ...


class Views:
    """Implements reading and writing of custom objects in any of their versions."""

    def __init__(self, convert: ConvertByWebhook) -> None:
        self._convert = convert
        self._kept: OrderedDict[tuple[str, str], tuple[int, int, Entry]] = OrderedDict()

    async def entry(self, resource: Resource, entry: Entry) -> Entry:
        """Return one entry as this row serves it.

        Raises:
            StatusError: conversion failed.
        """
        if resource.custom is None:
            return shown_entry(resource, entry)
        return (await self.entries(resource, (entry,)))[0]

    async def entries(self, resource: Resource, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return entries as this row serves them, those that a webhook must convert in one question.

        Raises:
            StatusError: conversion failed.
        """
        if resource.custom is None:
            return shown_entries(resource, entries)
        pace = _Pace()
        seen: list[Entry | None] = []
        for entry in entries:
            seen.append(self.view_now(resource, entry))
            await pace.step(entry)
        missing = [index for index, entry in enumerate(seen) if entry is None]
        if missing:
            objs = [decode(entries[index]) for index in missing]
            converted = await self._convert(resource, objs, resource.api_version)
            for index, obj in zip(missing, converted, strict=True):
                entry = entries[index]
                seen[index] = self._keep(resource, entry, render_view(resource, entry, obj))
                await pace.step(entry)
        return [entry for entry in seen if entry is not None]

    def view_now(self, resource: Resource, entry: Entry) -> Entry | None:
        """Return an entry as this row serves it, None when a webhook has to be asked."""
        if not needs_view(resource, entry):
            return shown_entry(resource, entry)
        assert resource.custom is not None
        kept = self._kept.get((resource.api_version, entry.key))
        if kept is not None and kept[:2] == (entry.mod_revision, resource.custom.since):
            self._kept.move_to_end((resource.api_version, entry.key))
            return kept[2]
        if needs_webhook(resource, decode(entry), resource.api_version):
            return None
        return self._keep(resource, entry, render_view(resource, entry))

    def _keep(self, resource: Resource, entry: Entry, view: Entry) -> Entry:
        assert resource.custom is not None
        self._kept[resource.api_version, entry.key] = (entry.mod_revision, resource.custom.since, view)
        if len(self._kept) > VIEWS_MAX:
            self._kept.popitem(last=False)
        return view

    async def event(self, resource: Resource, event: StoreEvent) -> StoreEvent:
        """Return an event whose entries are as this row serves them.

        Raises:
            StatusError: conversion failed.
        """
        present = [entry for entry in (event.entry, event.previous) if entry is not None]
        return _with_views(event, dict(zip(present, await self.entries(resource, present), strict=True)))

    def event_now(self, resource: Resource, event: StoreEvent) -> StoreEvent | None:
        """As `event`, but None when a webhook has to be asked."""
        present = [entry for entry in (event.entry, event.previous) if entry is not None]
        views: dict[Entry, Entry] = {}
        for entry in present:
            view = self.view_now(resource, entry)
            if view is None:
                return None
            views[entry] = view
        return _with_views(event, views)

    async def convert(self, obj: Obj, given: Resource, wanted: Resource) -> Obj:
        """Return an object of one row as another row, which serves the same objects, shows it.

        Raises:
            StatusError: conversion failed.
        """
        if wanted.custom is None:
            stored = stored_object(given, obj)
            return wanted.stored_as.from_stored(stored) if wanted.stored_as else stored
        if needs_webhook(given, obj, wanted.api_version):
            return (await self._convert(given, (obj,), wanted.api_version))[0]
        return {**obj, "apiVersion": wanted.api_version}

    async def to_storage(self, resource: Resource, obj: Obj) -> Obj:
        """Return an object of this row as it is stored.

        Raises:
            StatusError: conversion failed.
        """
        custom = resource.custom
        if custom is None:
            return stored_object(resource, obj)
        if resource.api_version == custom.storage_version:
            return obj
        converted: Mapping[str, Any] | None = None
        if needs_webhook(resource, obj, custom.storage_version):
            converted = (await self._convert(resource, (obj,), custom.storage_version))[0]
        return stored_form(resource, obj, converted)


class _Pace:
    """Lets others run from time to time."""

    def __init__(self) -> None:
        self._bytes = 0

    async def step(self, entry: Entry) -> None:
        """Note that something was done with an entry."""
        self._bytes += len(entry.value)
        if self._bytes > SLICE_BYTES:
            self._bytes = 0
            await asyncio.sleep(0)


def _with_views(event: StoreEvent, views: Mapping[Entry, Entry]) -> StoreEvent:
    if all(entry is view for entry, view in views.items()):
        return event
    entry = views[event.entry] if event.entry is not None else None
    previous = views[event.previous] if event.previous is not None else None
    last_value = event.last_value
    if entry is None and previous is not None:
        last_value = stamp(unstamp(previous.value), event.revision)
    return event._replace(entry=entry, previous=previous, last_value=last_value)
