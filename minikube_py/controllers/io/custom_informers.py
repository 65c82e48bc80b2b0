"""Informers for custom resources, which come and go with their definitions.

They serve the controllers that care for all objects there are: garbage collection, deletion of namespaces.

Upstream: the garbage collector's and the namespace controller's resync of discovery; here the definitions themselves
are followed, so there is nothing to ask for again and again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import name_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import CUSTOM_RESOURCE_DEFINITIONS
from minikube_py.client.interface import Change, Informer, Informers
from minikube_py.controllers.spec import Index, Watch

log = logging.getLogger("controllers")


@dataclass(frozen=True, slots=True)
class _Follower:
    watch: Callable[[Resource], Watch | None]
    index: Callable[[Resource], Index] | None
    follow: Callable[[Watch], None]


class CustomInformers:
    """Keeps an informer for each custom resource that is served."""

    def __init__(self, informers: Informers, shared: dict[str, Informer]) -> None:
        self._informers = informers
        self._shared = shared
        """The informers of all controllers, by Resource.qualified; this class adds and removes custom ones."""
        self._followers: list[_Follower] = []
        self._served: dict[str, Resource] = {}
        """Definition -> the row that is followed."""
        self._definitions = informers.informer(CUSTOM_RESOURCE_DEFINITIONS)

    def add(
        self,
        watch: Callable[[Resource], Watch | None],
        index: Callable[[Resource], Index] | None,
        follow: Callable[[Watch], None],
    ) -> None:
        """Let a controller follow custom resources: `watch` says how, `index` what it needs, `follow` does it."""
        self._followers.append(_Follower(watch, index, follow))

    def start(self) -> None:
        """Follow the definitions; call it once, when all followers are added."""
        if self._followers:
            self._definitions.subscribe(self._on_change)

    async def wait_synced(self) -> None:
        """Wait until the definitions are known."""
        await self._definitions.wait_synced()

    def _on_change(self, change: Change) -> None:
        name = name_of(change.latest)
        rows = rows_of(change.new) if change.new is not None else ()
        row = next((row for row in rows if {"list", "watch", "delete"} <= {*row.verbs}), None)
        before = self._served.get(name)
        if before is not None and (row is None or row.api_version != before.api_version):
            self._drop(name, before)
            before = None
        if before is None and row is not None:
            self._take(name, row)

    def _take(self, name: str, row: Resource) -> None:
        self._served[name] = row
        informer = self._shared[row.qualified] = self._informers.informer(row)
        watches = [(follower, follower.watch(row)) for follower in self._followers]
        indexes = [follower.index(row) for follower in self._followers if follower.index is not None]
        for index in {index.name: index for index in indexes}.values():
            informer.add_index(index.name, index.values)
        for follower, watch in watches:
            if watch is not None:
                follower.follow(watch)
        log.debug("following custom resource %s", row.qualified)

    def _drop(self, name: str, row: Resource) -> None:
        del self._served[name]
        self._shared.pop(row.qualified, None)
        self._informers.forget(row)
