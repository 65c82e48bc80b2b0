"""Follows the CustomResourceDefinitions: which resources are served, under which names, and what has to be cleared.

What is served changes in the very step in which a definition is committed, so that who has created one can use it
at once. Two things take time and are done by `run`: names that became free are given to those that wait for them,
and the objects of a definition that is being deleted are deleted before it goes.

Upstream: apiextensions-apiserver controller/{status,establish,finalizer} and customresource_handler.go.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from minikube_py.api.catalog import STATIC, Catalog, catalog_of
from minikube_py.api.custom.naming import set_condition, settle_names
from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import Obj, copy_object, is_deleting, metadata, name_of
from minikube_py.api.resource import Fields, Resource
from minikube_py.api.resources import CUSTOM_RESOURCE_DEFINITIONS
from minikube_py.api.rules.apiextensions import CLEANUP_FINALIZER, condition_is, is_established
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.decisions import Decision, WriteContext
from minikube_py.apiserver.deletion import delete
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.options import RemovalOptions, WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import settle
from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Entry, Store, StoreEvent

log = logging.getLogger("apiserver")

LOOK_AGAIN_S = 1.0
"""While objects of a deleted definition are left, they are looked at so often, whatever events say."""
_OPTIONS = WriteOptions(field_manager="minikube-py-apiserver")
_PREFIX = CUSTOM_RESOURCE_DEFINITIONS.storage_prefix


class CustomResources:
    """Keeps the catalog in step with the definitions that are stored."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._crds: dict[str, Obj] = {}
        self._rows: dict[str, tuple[Resource, ...]] = {}
        self._wake = asyncio.Event()
        self.catalog: Catalog = STATIC
        self.on_gone: list[Callable[[Resource], None]] = []
        """Called with each row that is not served any more, or that another one takes the place of."""
        self.on_new: list[Callable[[Resource], None]] = []
        """Called with each row that is new."""
        for entry in store.range(_PREFIX):
            self._take(entry)
        self._publish()
        store.on_commit(self._on_commit)

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        concerned = [event for event in events if event.key.startswith(_PREFIX)]
        for event in concerned:
            if event.entry is not None:
                self._take(event.entry)
            elif event.previous is not None:
                self._drop(name_of(decode(event.previous)))
        if concerned:
            self._publish()
            self._wake.set()

    def _take(self, entry: Entry) -> None:
        crd = decode(entry)
        name = name_of(crd)
        before = self._crds.get(name)
        self._crds[name] = crd
        if before is None or _served_part(before) != _served_part(crd):
            self._replace(name, rows_of(crd, entry.mod_revision))

    def _drop(self, name: str) -> None:
        self._crds.pop(name, None)
        self._replace(name, ())

    def _replace(self, name: str, rows: tuple[Resource, ...]) -> None:
        old = self._rows.pop(name, ())
        if rows:
            self._rows[name] = rows
        for row in old:
            for tell in self.on_gone:
                tell(row)
        for row in rows:
            for tell in self.on_new:
                tell(row)

    def _publish(self) -> None:
        custom = [row for _, rows in sorted(self._rows.items()) for row in rows]
        if custom != list(self.catalog.custom):
            self.catalog = catalog_of((*STATIC.rows, *custom)) if custom else STATIC

    def complete(self, wall_s: float, new: Obj, old: Mapping[str, Any] | None) -> Fields:
        """Give a definition its names and conditions (decisions.Complete), when its names are new."""
        if old is not None and (old.get("spec") or {}).get("names") == (new.get("spec") or {}).get("names"):
            return ()
        settle_names(new, self._crds.values(), wall_s)
        return ()

    async def run(self, storage: Storage) -> None:
        """Give free names and clear deleted definitions, until cancelled."""
        while True:
            self._wake.clear()
            left = False
            for crd in tuple(self._crds.values()):
                try:
                    left |= await self._look_after(crd, storage)
                except NotFoundError:
                    continue  # it has just gone
                except StatusError as error:
                    log.warning("definition %s: %s", name_of(crd), error.message)
                    left = True
            await self._wait(LOOK_AGAIN_S if left else None)

    async def _wait(self, timeout_s: float | None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _look_after(self, crd: Obj, storage: Storage) -> bool:
        """Do what one definition needs; returns whether there is more to do later."""
        if is_deleting(crd):
            if CLEANUP_FINALIZER in (metadata(crd).get("finalizers") or ()):
                return await self._clear(crd, storage)
        elif not condition_is(crd, "NamesAccepted", "True"):
            await storage.change(_route(crd, "update"), _OPTIONS, self._settle)
        return False

    def _settle(self, old: Mapping[str, Any], context: WriteContext) -> Decision:
        new = copy_object(old)
        settle_names(new, self._crds.values(), context.wall_s)
        return settle(CUSTOM_RESOURCE_DEFINITIONS, old, new)

    async def _clear(self, crd: Obj, storage: Storage) -> bool:
        """Delete the objects of a definition; when none is left, let the definition go."""
        rows = self._rows.get(name_of(crd), ())
        left = 0
        if rows:
            reason = "InstanceDeletionInProgress"
            message = "CustomResource deletion is in progress"
            await self._say_terminating(crd, storage, "True", reason, message)
            for entry in self._store.range(rows[0].storage_prefix):
                if not is_deleting(decode(entry)):
                    await _remove(rows[0], entry, storage)
            left = self._store.count(rows[0].storage_prefix)
        if left:
            return True
        await storage.change(_route(crd, "update"), _OPTIONS, _without_finalizer)
        return False

    async def _say_terminating(self, crd: Obj, storage: Storage, status: str, reason: str, message: str) -> None:
        def decide(old: Mapping[str, Any], context: WriteContext) -> Decision:
            new = copy_object(old)
            set_condition(new, "Terminating", status, reason, message, context.wall_s)
            return settle(CUSTOM_RESOURCE_DEFINITIONS, old, new)

        await storage.change(_route(crd, "update"), _OPTIONS, decide)


def _served_part(crd: Mapping[str, Any]) -> object:
    """Return what decides about the rows of a definition."""
    accepted = (crd.get("status") or {}).get("acceptedNames")
    return crd.get("spec"), accepted, is_established(crd), is_deleting(crd)


def _route(crd: Mapping[str, Any], verb: str) -> Route:
    return Route(CUSTOM_RESOURCE_DEFINITIONS, verb, "", name_of(crd))  # type: ignore[arg-type]


async def _remove(row: Resource, entry: Entry, storage: Storage) -> None:
    meta = metadata(decode(entry))
    route = Route(row, "delete", str(meta.get("namespace") or ""), str(meta["name"]))
    try:
        await storage.remove(route, partial(_delete, row), dry_run=False)
    except NotFoundError:
        log.debug("%s %s has gone already", row.qualified, route.name)


def _delete(row: Resource, old: Mapping[str, Any], wall_s: float) -> Decision:
    return delete(row, old, RemovalOptions(), wall_s)


def _without_finalizer(old: Mapping[str, Any], context: WriteContext) -> Decision:
    new = copy_object(old)
    set_condition(new, "Terminating", "False", "InstanceDeletionCompleted", "removed all instances", context.wall_s)
    left = [finalizer for finalizer in metadata(old).get("finalizers") or () if finalizer != CLEANUP_FINALIZER]
    if left:
        new["metadata"]["finalizers"] = left
    else:
        new["metadata"].pop("finalizers", None)
    return settle(CUSTOM_RESOURCE_DEFINITIONS, old, new)
