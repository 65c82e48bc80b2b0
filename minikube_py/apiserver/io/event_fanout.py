"""From each commit to every watcher that it concerns, in order, without a task for each watcher.

Watchers with the same filter form a group (`io.watch_groups`): a group decides once what a change means to it.
A group whose filter asks for equality of a field (metadata.name, spec.nodeName) is only looked at when the old or
the new object has that value, so a thousand kubelets that each follow their own pods cost a dictionary look-up, not
a thousand comparisons.

Custom objects are watched in any of their versions: each version has its watches, and what cannot be converted at
once waits in that version's queue, in order (`io.converted_watches` empties it).

Upstream: apiserver storage/cacher (dispatchEvents, indexed watchers).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.watch_groups import Subscriber, Turns, WatchGroup
from minikube_py.apiserver.list_options import Filter, read_field
from minikube_py.apiserver.watch_events import WatchedChange
from minikube_py.store.interface import Store, StoreEvent
from minikube_py.store.key_index import bucket_of

WAITING_EVENTS_MAX = 10_000
"""Events of one version that wait for conversion; more, and its watchers are cut off to list again."""


Anchor = tuple[str, str]
"""(field path, value) that an object must have for a group to care; ("", "") for groups that always look."""
_ALWAYS: Anchor = ("", "")


class EventFanout:
    """The live watches of all resources of one store."""

    def __init__(self, store: Store, views: Views, on_waiting: "Callable[[ResourceWatches], None]") -> None:
        self._by_prefix: dict[str, dict[str, ResourceWatches]] = {}
        self._views = views
        self._turns = Turns()
        self._on_waiting = on_waiting
        """Called when events begin to wait for conversion."""
        store.on_commit(self._on_commit)

    def of(self, resource: Resource) -> "ResourceWatches":
        """Return the live watches of one resource, in one of its versions."""
        versions = self._by_prefix.setdefault(resource.storage_prefix, {})
        watches = versions.get(resource.version)
        if watches is None or watches.resource is not resource:
            if watches is not None:
                watches.end()
            watches = versions[resource.version] = ResourceWatches(resource, self._turns)
        return watches

    def forget(self, resource: Resource) -> None:
        """End the watches of a resource that is not served any more, or not like this."""
        versions = self._by_prefix.get(resource.storage_prefix, {})
        watches = versions.get(resource.version)
        if watches is not None and watches.resource is resource:
            del versions[resource.version]
            watches.end()

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        for event in events:
            for watches in tuple(self._by_prefix.get(bucket_of(event.key), {}).values()):
                if watches.count or watches.waiting:
                    self._publish(watches, event)

    def _publish(self, watches: "ResourceWatches", event: StoreEvent) -> None:
        if watches.resource.custom is None and watches.resource.stored_as is None:
            watches.publish(event)
            return
        seen = None if watches.waiting else self._views.event_now(watches.resource, event)
        if seen is not None:
            watches.publish(seen)
        elif len(watches.waiting) >= WAITING_EVENTS_MAX:
            watches.end()
        else:
            watches.waiting.append(event)
            self._on_waiting(watches)


class ResourceWatches:
    """The live watches of one resource, grouped by filter."""

    def __init__(self, resource: Resource, turns: Turns) -> None:
        self.resource = resource
        self._turns = turns
        self.count = 0
        self.waiting: deque[StoreEvent] = deque()
        """Events that cannot be converted at once (Views.event_now), and all that came after them."""
        self._groups: dict[Anchor, dict[Filter, WatchGroup]] = defaultdict(dict)
        self._paths: dict[str, int] = {}

    def join(self, filter_: Filter, subscriber: Subscriber, after: int) -> "Membership":
        """Deliver to `subscriber` what comes after revision `after`, until it leaves."""
        anchor = _anchor_of(filter_)
        groups = self._groups[anchor]
        group = groups.get(filter_)
        if group is None:
            group = groups[filter_] = WatchGroup(filter_, self._turns)
        group.join(subscriber, after)
        self.count += 1
        if anchor != _ALWAYS:
            self._paths[anchor[0]] = self._paths.get(anchor[0], 0) + 1
        return Membership(self, group, subscriber)

    def leave(self, group: WatchGroup, subscriber: Subscriber) -> None:
        """Deliver nothing more to the subscriber; fine when it has left."""
        if group.leave(subscriber):
            self.count -= 1
            self._forget(_anchor_of(group.filter), group)

    def end(self) -> None:
        """End all watches."""
        self.waiting.clear()
        for groups in tuple(self._groups.values()):
            for group in tuple(groups.values()):
                group.end()

    def _forget(self, anchor: Anchor, group: WatchGroup) -> None:
        if anchor != _ALWAYS:
            self._paths[anchor[0]] -= 1
            if not self._paths[anchor[0]]:
                del self._paths[anchor[0]]
        groups = self._groups[anchor]
        if not group and groups.get(group.filter) is group:
            del groups[group.filter]
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
            for filter_, group in tuple(groups.items()):
                if filter_.namespace and filter_.namespace != namespace:
                    continue
                change_type = change.type_for(filter_)
                if change_type is not None:
                    group.publish(change, change_type)

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


@dataclass(frozen=True, slots=True)
class Membership:
    """One live watch in its group."""

    watches: ResourceWatches
    group: WatchGroup
    subscriber: Subscriber

    def reached(self, newest: int) -> int:
        """Return the revision up to which everything has been delivered, `newest` being the store's."""
        if self.watches.waiting:
            newest = min(newest, self.watches.waiting[0].revision - 1)
        return self.group.reached(self.subscriber, newest)

    def leave(self) -> None:
        """Leave; fine when it was left before."""
        self.watches.leave(self.group, self.subscriber)


def _anchor_of(filter_: Filter) -> Anchor:
    """Return the equality that selects most: the name, else the first field that must have a value."""
    equalities = [(f.path, f.value) for f in filter_.fields if f.equal]
    named = [anchor for anchor in equalities if anchor[0] == "metadata.name"]
    return next(iter(named or equalities), _ALWAYS)
