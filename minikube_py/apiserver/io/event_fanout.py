"""From each commit to every watcher that it concerns, at once and in order, without a task for each watcher.

Watchers with the same filter form a group: a group decides once what a change means to it. A group whose filter asks
for equality of a field (metadata.name, spec.nodeName) is only looked at when the old or the new object has that
value, so a thousand kubelets that each follow their own pods cost a dictionary look-up, not a thousand comparisons.

Upstream: apiserver storage/cacher (dispatchEvents, indexed watchers).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.list_options import Filter, read_field
from minikube_py.apiserver.watch_events import ChangeType, WatchedChange
from minikube_py.store.interface import Store, StoreEvent
from minikube_py.store.mvcc import bucket_of


class Subscriber(Protocol):
    """One live watch."""

    def deliver(self, change: WatchedChange, change_type: ChangeType) -> None:
        """Take an event; must not block, and must drop its own watch when it cannot keep up."""
        ...


Anchor = tuple[str, str]
"""(field path, value) that an object must have for a group to care; ("", "") for groups that always look."""
_ALWAYS: Anchor = ("", "")


class EventFanout:
    """The live watches of all resources of one store."""

    def __init__(self, store: Store, resources: Sequence[Resource]) -> None:
        self._by_path = {r.path(): ResourceWatches(r) for r in resources}
        self._by_prefix: dict[str, list[ResourceWatches]] = defaultdict(list)
        for resource in resources:  # several versions of a kind watch the same objects
            self._by_prefix[resource.storage_prefix].append(self._by_path[resource.path()])
        store.on_commit(self._on_commit)

    def of(self, resource: Resource) -> "ResourceWatches":
        """Return the live watches of one resource."""
        return self._by_path[resource.path()]

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        for event in events:
            for watches in self._by_prefix.get(bucket_of(event.key), ()):
                if watches.count:
                    watches.publish(event)


class ResourceWatches:
    """The live watches of one resource, grouped by filter."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.count = 0
        self._groups: dict[Anchor, dict[Filter, dict[Subscriber, int]]] = defaultdict(dict)
        self._paths: dict[str, int] = {}

    def join(self, filter_: Filter, subscriber: Subscriber, after: int) -> Callable[[], None]:
        """Deliver to `subscriber` what comes after revision `after`; returns how to leave (may be called twice)."""
        anchor = _anchor_of(filter_)
        group = self._groups[anchor].setdefault(filter_, {})
        group[subscriber] = after
        self.count += 1
        if anchor != _ALWAYS:
            self._paths[anchor[0]] = self._paths.get(anchor[0], 0) + 1

        def leave() -> None:
            if group.pop(subscriber, None) is None:
                return
            self.count -= 1
            self._forget(anchor, filter_)

        return leave

    def _forget(self, anchor: Anchor, filter_: Filter) -> None:
        if anchor != _ALWAYS:
            self._paths[anchor[0]] -= 1
            if not self._paths[anchor[0]]:
                del self._paths[anchor[0]]
        groups = self._groups[anchor]
        if not groups[filter_]:
            del groups[filter_]
        if not groups:
            del self._groups[anchor]

    def publish(self, event: StoreEvent) -> None:
        """Deliver one change to all whom it concerns."""
        change = WatchedChange(self.resource, event)
        namespace = self._namespace_of(event.key)
        for anchor in self._anchors(change.event):
            groups = self._groups.get(anchor)
            if not groups:
                continue
            for filter_, subscribers in tuple(groups.items()):
                if filter_.namespace and filter_.namespace != namespace:
                    continue
                change_type = change.type_for(filter_)
                if change_type is None:
                    continue
                for subscriber, after in tuple(subscribers.items()):
                    if event.revision > after:
                        subscriber.deliver(change, change_type)

    def _anchors(self, event: StoreEvent) -> Iterator[Anchor]:
        yield _ALWAYS
        entries = [entry for entry in (event.entry, event.previous) if entry is not None]
        for path in tuple(self._paths):
            values = dict.fromkeys(read_field(self.resource, path, decode(entry)) for entry in entries)
            for value in values:
                yield path, value

    def _namespace_of(self, key: str) -> str:
        if not self.resource.namespaced:
            return ""
        start = len(self.resource.storage_prefix)
        return key[start : key.index("/", start)]


def _anchor_of(filter_: Filter) -> Anchor:
    """Return the equality that selects most: the name, else the first field that must have a value."""
    equalities = [(f.path, f.value) for f in filter_.fields if f.equal]
    named = [anchor for anchor in equalities if anchor[0] == "metadata.name"]
    return next(iter(named or equalities), _ALWAYS)
