"""Reading a collection: which state, which keys, which page.

Upstream: registry/generic/registry/store.go (ListPredicate), storage/etcd3 (GetList), storage/cacher.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minikube_py.api.errors import GoneError
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.watch_session import too_large
from minikube_py.apiserver.list_options import ContinueFrom, Filter, ListOptions, encode_continue
from minikube_py.apiserver.render import ListMeta
from minikube_py.store.interface import CompactedError, Entry, Store

_CHUNK = 500
"""So many entries are looked at for each page of a filtered list, until the page is full."""
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


async def list_entries(
    store: Store, resource: Resource, options: ListOptions, future_wait_s: float, views: Views
) -> Listed:
    """Return one page of a collection, each object as the resource's version shows it.

    Raises:
        GoneError: the state asked for is compacted.
        TimeoutStatusError: the state asked for is not there yet.
    """
    filter_ = options.filter
    prefix = resource.storage_prefix
    scope = f"{prefix}{filter_.namespace}/" if resource.namespaced and filter_.namespace else prefix
    state = await _state(_State(store, resource, scope, 0, newest=True), options, future_wait_s)
    after = prefix + options.go_on.after if options.go_on else ""
    try:
        return await _page(state, resource, views, filter_, after, options.limit)
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


async def _page(state: _State, resource: Resource, views: Views, filter_: Filter, after: str, limit: int) -> Listed:
    prefix = resource.storage_prefix
    if filter_.everything:
        entries = state.range(after, limit + 1 if limit else 0)
        if not limit or len(entries) <= limit:
            return Listed(await views.entries(resource, entries), ListMeta(state.revision))
        page = entries[:limit]
        last = page[-1].key
        remaining = len(state.range(last, 0))
        token = encode_continue(ContinueFrom(state.revision, last[len(prefix) :]))
        return Listed(await views.entries(resource, page), ListMeta(state.revision, token, remaining))
    found: list[Entry] = []
    while True:
        chunk = state.range(after, _CHUNK if limit else 0)
        seen = await views.entries(resource, chunk)
        found.extend(entry for entry in seen if filter_.matches(resource, decode(entry)))
        if limit and len(found) > limit:
            token = encode_continue(ContinueFrom(state.revision, found[limit - 1].key[len(prefix) :]))
            return Listed(found[:limit], ListMeta(state.revision, token))
        if not limit or len(chunk) < _CHUNK:
            return Listed(found, ListMeta(state.revision))
        after = chunk[-1].key
