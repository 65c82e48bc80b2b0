"""Stored objects as the version that is asked for shows them; those of one version pass through untouched.

Built-in kinds with several versions convert by rules (`versions`), custom ones by their definition (`conversion`).

Views are kept, as long as the object stays as it is: a list of a thousand objects in an older version is converted
once. Conversion by webhook waits for the webhook, that of a long object for a thread (io/heavy_work).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode, peek, stamp, unstamp
from minikube_py.apiserver.conversion import is_as_stored, needs_webhook, render_view, stored_form, view_of
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.selection import read_object
from minikube_py.apiserver.slices import slices
from minikube_py.apiserver.versions import stored_object
from minikube_py.store.interface import Entry, StoreEvent

SLICE_OBJECTS = 500
"""Of so many objects, views are made or looked up before others run,"""
SLICE_BYTES = 64 << 10
"""or of objects of so many bytes (a few milliseconds)."""
VIEW_HERE_BYTES_MAX = 16 << 10
"""Views of longer objects are made on another thread: 74 ms for one of 2.5 MB."""
VIEWS_MAX = 10_000
"""Views that are kept, over all resources; those that were not asked for longest go."""
VIEW_BYTES_MAX = 32 << 20
"""Their bytes, likewise."""


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

    def __init__(
        self, convert: ConvertByWebhook, heavy_work: HeavyWork, view_bytes_max: int = VIEW_BYTES_MAX
    ) -> None:
        self._convert = convert
        self._heavy_work = heavy_work
        self._kept: OrderedDict[tuple[str, str], tuple[int, int, Entry]] = OrderedDict()
        self._kept_bytes = 0
        self._view_bytes_max = view_bytes_max

    async def entry(self, resource: Resource, entry: Entry) -> Entry:
        """Return one entry as this row serves it.

        Raises:
            StatusError: conversion failed.
        """
        if is_as_stored(resource, entry):
            return entry
        return (await self.entries(resource, (entry,)))[0]

    async def entries(self, resource: Resource, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return entries as this row serves them, those that a webhook must convert in one question.

        Raises:
            StatusError: conversion failed.
        """
        if resource.custom is None and resource.stored_as is None:
            return entries
        seen: list[Entry | None] = []
        for some in slices(entries, SLICE_OBJECTS, SLICE_BYTES):
            for entry in some:
                view = self.view_now(resource, entry)
                if view is None and _is_long(len(entry.value)):
                    view = await self._heavy_work.run(partial(_view, resource, entry))
                    if view is not None:
                        self._keep(resource, entry, view)
                seen.append(view)
            if len(seen) < len(entries):
                await asyncio.sleep(0)
        missing = [index for index, entry in enumerate(seen) if entry is None]
        if missing:
            asked = [entries[index] for index in missing]
            for index, view in zip(missing, await self._converted(resource, asked), strict=True):
                seen[index] = view
        return [entry for entry in seen if entry is not None]

    async def _converted(self, resource: Resource, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return entries as a webhook shows them."""
        objs = [await read_object(entry) for entry in entries]
        converted = await self._convert(resource, objs, resource.api_version)

        def render() -> Sequence[Entry]:
            return [render_view(resource, entry, obj) for entry, obj in zip(entries, converted, strict=True)]

        heavy = len(entries) > 1 or _is_long(len(orjson.dumps(converted[0])))
        views = await self._heavy_work.run_if(heavy, render)
        for entry, view in zip(entries, views, strict=True):
            self._keep(resource, entry, view)
        return views

    def view_now(self, resource: Resource, entry: Entry) -> Entry | None:
        """Return an entry as this row serves it, None when that is not done at once: it is long, or for a webhook."""
        if is_as_stored(resource, entry):
            return entry
        kept = self._kept.get((resource.api_version, entry.key))
        if kept is not None and kept[:2] == (entry.mod_revision, _since(resource)):
            self._kept.move_to_end((resource.api_version, entry.key))
            return kept[2]
        if _is_long(len(entry.value)):
            return None
        view = view_of(resource, entry, decode(entry))
        if view is not None and view is not entry:
            self._keep(resource, entry, view)
        return view

    def _keep(self, resource: Resource, entry: Entry, view: Entry) -> None:
        key = (resource.api_version, entry.key)
        if (before := self._kept.pop(key, None)) is not None:
            self._kept_bytes -= len(before[2].value)
        self._kept[key] = (entry.mod_revision, _since(resource), view)
        self._kept_bytes += len(view.value)
        while len(self._kept) > VIEWS_MAX or (self._kept_bytes > self._view_bytes_max and len(self._kept) > 1):
            self._kept_bytes -= len(self._kept.popitem(last=False)[1][2].value)

    async def event(self, resource: Resource, event: StoreEvent) -> StoreEvent:
        """Return an event whose entries are as this row serves them.

        Raises:
            StatusError: conversion failed.
        """
        present = [entry for entry in (event.entry, event.previous) if entry is not None]
        return _with_views(event, dict(zip(present, await self.entries(resource, present), strict=True)))

    def event_now(self, resource: Resource, event: StoreEvent) -> StoreEvent | None:
        """As `event`, but None when its entries are not shown at once (`view_now`)."""
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


def _view(resource: Resource, entry: Entry) -> Entry | None:
    """As view_of, for another thread: nothing parsed is kept."""
    return view_of(resource, entry, peek(entry))


def _is_long(size_bytes: int) -> bool:
    return size_bytes > VIEW_HERE_BYTES_MAX


def _since(resource: Resource) -> int:
    """Return from which revision on the row is what it is."""
    return resource.custom.since if resource.custom is not None else 0


def _with_views(event: StoreEvent, views: Mapping[Entry, Entry]) -> StoreEvent:
    if all(entry is view for entry, view in views.items()):
        return event
    entry = views[event.entry] if event.entry is not None else None
    previous = views[event.previous] if event.previous is not None else None
    last_value = event.last_value
    if entry is None and previous is not None:
        last_value = stamp(unstamp(previous.value), event.revision)
    return event._replace(entry=entry, previous=previous, last_value=last_value)
