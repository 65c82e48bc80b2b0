"""One watch: what is there or has happened since, then, without a gap and without a repeat, what happens.

How the gap is closed: the past is read from the store's history until it has been delivered up to the store's newest
revision, and in that same step of the loop, before anything else can be committed, the watch joins the live fan-out.

Upstream: apiserver endpoints/handlers/watch.go, storage/cacher (Watch, sendInitialEvents).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from minikube_py.api.errors import GoneError, StatusError
from minikube_py.api.resource import Resource
from minikube_py.apiserver.io.event_fanout import Membership, ResourceWatches
from minikube_py.apiserver.io.listing import ListSource, list_entries
from minikube_py.apiserver.io.watch_groups import Subscriber
from minikube_py.apiserver.list_options import ListOptions
from minikube_py.apiserver.negotiate import AnswerForm
from minikube_py.apiserver.watch_events import ChangeType, WatchedChange, initial_change
from minikube_py.store.interface import CompactedError, WatcherSlowError

_EVENTS_A_TURN = 64
"""So many events of the past are looked at before others run: each may have to be parsed."""


@dataclass(frozen=True, slots=True)
class WatchSource:
    """Where a watch reads: what is there, and what happens to it from now on."""

    there: ListSource
    watches: ResourceWatches


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the past, or an initial one."""

    change: WatchedChange
    type: ChangeType


@dataclass(frozen=True, slots=True)
class InitialEnd:
    """All that was there has been sent (for sendInitialEvents)."""

    revision: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The watch cannot go on; the client lists again."""

    error: StatusError


PastEvent = Happened | InitialEnd | Failed


class WatchSession:
    """One watch of one client; used by one task: iterate `past`, then what the subscriber gets is the present."""

    def __init__(self, source: WatchSource, options: ListOptions, form: AnswerForm, future_wait_s: float) -> None:
        self._store = source.there.store
        self._watches = source.watches
        self._views = source.there.views
        self._list_source = source.there
        self._future_wait_s = future_wait_s
        self._membership: Membership | None = None
        self.options = options
        self.form = form
        self.live = False

    @property
    def resource(self) -> Resource:
        """Return the resource that is watched."""
        return self._watches.resource

    def revision(self) -> int:
        """Return the revision up to which a live watch has been told everything: what a bookmark may carry."""
        assert self._membership is not None
        return self._membership.reached(self._store.revision)

    async def past(self, subscriber: Subscriber) -> AsyncIterator[PastEvent]:
        """Yield the past; when it ends without Failed, `subscriber` gets everything from there on."""
        try:
            async for event in self._past(subscriber):
                yield event
        except StatusError as error:
            yield Failed(error)

    async def _past(self, subscriber: Subscriber) -> AsyncIterator[PastEvent]:
        start = self.options.resource_version
        if start in ("", "0") or self.options.send_initial:
            everything = replace(self.options, limit=0, go_on=None, exact=False)
            listed = await list_entries(self._list_source, self.resource, everything, self._future_wait_s)
            for entry in listed.entries:
                yield Happened(initial_change(self.resource, entry), "ADDED")
            revision = listed.meta.revision
            if self.options.send_initial and self.options.bookmarks:
                yield InitialEnd(revision)
        else:
            revision = int(start)
            if not await self._store.wait_revision(revision, self._future_wait_s):
                yield Failed(GoneError(f"too old resource version: {revision} ({self._store.revision})"))
                return
        async for event in self._history(revision, subscriber):
            yield event

    async def _history(self, revision: int, subscriber: Subscriber) -> AsyncIterator[PastEvent]:
        """Yield what happened after `revision`, up to now, and join."""
        if revision == self._store.revision:
            self._join(subscriber)
            return
        try:
            watcher = self._store.watch(self._prefix(), revision)
        except CompactedError as error:
            yield Failed(GoneError(f"too old resource version: {revision} ({error.oldest})"))
            return
        looked_at = 0
        try:
            while watcher.progress() < self._store.revision:
                batch, _ = await watcher.next_batch()
                for event in batch:
                    looked_at += 1
                    if looked_at % _EVENTS_A_TURN == 0:
                        await asyncio.sleep(0)
                    change = WatchedChange(self.resource, await self._views.event(self.resource, event))
                    change_type = change.type_for(self.options.filter)
                    if change_type is not None:
                        yield Happened(change, change_type)
            self._join(subscriber)
        except WatcherSlowError:
            yield Failed(GoneError("too old resource version: the watcher was too slow"))
        finally:
            watcher.close()

    def _prefix(self) -> str:
        namespace = self.options.filter.namespace
        prefix = self.resource.storage_prefix
        return f"{prefix}{namespace}/" if self.resource.namespaced and namespace else prefix

    def _join(self, subscriber: Subscriber) -> None:
        self._membership = self._watches.join(self.options.filter, subscriber, self._store.revision)
        self.live = True

    def close(self) -> None:
        """Leave the fan-out; fine when it was not joined, or is left already."""
        if self._membership is not None:
            self._membership.leave()
