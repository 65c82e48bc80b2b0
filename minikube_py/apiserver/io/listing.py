"""Reading a collection: which state, which keys, which page.

Upstream: registry/generic/registry/store.go (ListPredicate), storage/etcd3 (GetList), storage/cacher.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from minikube_py.api.errors import GoneError, TimeoutStatusError
from minikube_py.api.resource import Resource
from minikube_py.apiserver.io.selection import Selections, matching
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.list_options import ContinueFrom, ListOptions, encode_continue
from minikube_py.apiserver.render import ListMeta
from minikube_py.store.interface import CompactedError, Entry, Store

_PAGE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
    "the results. Continuing with the provided token results in an inconsistent list - objects that were "
    "created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


class ExpiredTokenError(GoneError):
    """410 for a page whose revision is compacted; `go_on` reads the rest as it is now."""

    def __init__(self, go_on: str) -> None:
        super().__init__(_PAGE_TOO_OLD)
        self.go_on = go_on


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of one page, and what the list says of itself."""

    entries: Sequence[Entry]
    meta: ListMeta


@dataclass(frozen=True, slots=True)
class ListSource:
    """Where a list reads: the store, how objects are shown, and indexes for filters (None: there are none)."""

    store: Store
    views: Views
    turn: Callable[[int], AbstractAsyncContextManager[None]]
    """The turn of a list in which so many objects are looked at (`HeavyWork.list_turn`, of a user)."""
    selections: Selections | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """The state that a list shows: at `revision`, the newest when `newest`."""

    store: Store
    resource: Resource
    prefix: str
    revision: int
    newest: bool

    def range(self, after: str, limit: int) -> Sequence[Entry]:
        """Return entries after the key `after`.

        Raises:
            CompactedError: the revision is gone.
        """
        if self.newest:
            return self.store.range(self.prefix, after=after, limit=limit)
        return self.store.range_at(self.prefix, self.revision, after=after, limit=limit)

    def count(self, after: str) -> int:
        """Return how many entries have keys after `after`.

        Raises:
            CompactedError: the revision is gone.
        """
        if self.newest:
            return self.store.count(self.prefix, after=after)
        return self.store.count_at(self.prefix, self.revision, after=after)


async def list_entries(source: ListSource, resource: Resource, options: ListOptions, future_wait_s: float) -> Listed:
    """Return one page of a collection, each object as the resource's version shows it.

    Raises:
        GoneError: the state asked for is compacted.
        TimeoutStatusError: the state asked for is not there yet.
    """
    filter_ = options.filter
    prefix = resource.storage_prefix
    scope = f"{prefix}{filter_.namespace}/" if resource.namespaced and filter_.namespace else prefix
    state = await _state(_State(source.store, resource, scope, 0, newest=True), options, future_wait_s)
    after = prefix + options.go_on.after if options.go_on else ""
    try:
        if filter_.everything:
            page = _page(state, resource, after, options.limit)
            return Listed(await source.views.entries(resource, page.entries), page.meta)
        return await _filtered(state, resource, options, after, source)
    except CompactedError as error:
        if options.go_on:
            raise ExpiredTokenError(encode_continue(ContinueFrom(-1, options.go_on.after))) from error
        raise GoneError("The resourceVersion for the provided list is too old.") from error


async def _state(state: _State, options: ListOptions, future_wait_s: float) -> _State:
    """Return the state of a collection that the options ask for."""
    store = state.store
    if options.go_on is not None:
        if options.go_on.revision < 0:
            return replace(state, revision=store.revision)
        return replace(state, revision=options.go_on.revision, newest=options.go_on.revision == store.revision)
    version = options.resource_version
    if not version:
        await store.read_barrier()
    elif version != "0":
        revision = int(version)
        if revision > store.revision and not await store.wait_revision(revision, future_wait_s):
            raise too_large(revision, store.revision)
        if options.exact:
            return replace(state, revision=revision, newest=revision == store.revision)
    return replace(state, revision=store.revision)


def _page(state: _State, resource: Resource, after: str, limit: int) -> Listed:
    entries = state.range(after, limit + 1 if limit else 0)
    if not limit or len(entries) <= limit:
        return Listed(entries, ListMeta(state.revision))
    page = entries[:limit]
    last = page[-1].key
    remaining = state.count(last)
    token = encode_continue(ContinueFrom(state.revision, last[len(resource.storage_prefix) :]))
    return Listed(page, ListMeta(state.revision, token, remaining))


async def _filtered(
    state: _State, resource: Resource, options: ListOptions, after: str, source: ListSource
) -> Listed:
    revision, entries, selections = state.revision, None, source.selections
    as_stored = resource.stored_as is None and resource.custom is None
    if state.newest and selections is not None and as_stored:
        entries = await selections.find(resource, options.filter, state.prefix, after)
        pinned = options.exact or (options.go_on is not None and options.go_on.revision >= 0)
        if not pinned:
            revision = state.store.revision  # an index may have been made meanwhile: this is what was read
        elif state.store.revision != revision:
            entries = state.store.range_at(state.prefix, revision, after=after)
    if entries is None:
        entries = state.range(after, 0)
    seen = await source.views.entries(resource, entries)
    async with source.turn(len(seen)):
        found, more = await matching(resource, options.filter, seen, options.limit)
    if not more:
        return Listed(found, ListMeta(revision))
    token = encode_continue(ContinueFrom(revision, found[-1].key[len(resource.storage_prefix) :]))
    return Listed(found, ListMeta(revision, token))


def too_large(asked: int, current: int) -> TimeoutStatusError:
    """Return upstream's answer to a resource version that this server has not reached."""
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return TimeoutStatusError(message, details, retry_after_s=1)
