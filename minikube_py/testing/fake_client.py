"""A small API server in memory: what the rooms' tests talk to instead of the real one (client.interface.Client).

It behaves: contiguous revisions, uids, generations, conflicts, selectors, finalizers, graceful deletion of bound
pods, the namespace's finalize step, bindings and evictions, watches from a version with upstream's transitions
(an object that leaves the selection is DELETED for that watcher). Defaults, preparation, selectors and patches follow
the API's own rules; it validates nothing, allocates no cluster IPs and records no managed fields.

What a test can do beyond the API: `seed` puts an object as it is (with status), `fail_next` injects an error,
`end_watches`, `compact` and `bookmark` do what servers do now and then.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.errors import GoneError, NotFoundError, StatusError, already_exists, not_found
from minikube_py.api.meta import Obj, ObjectKey, copy_object, key_of, metadata, namespace_of, resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.client.interface import (
    DEFAULT_DELETE,
    EVERYTHING,
    MERGE,
    DeleteOptions,
    ObjectList,
    PatchType,
    Selection,
    WatchEvent,
)
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.testing import fake_verbs
from minikube_py.testing.fake_selection import patched, selects
from minikube_py.testing.sequential_ids import sequential_ids

HISTORY_MAX = 10_000
"""Events kept for watches; older ones are compacted."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One change in the fake's history: old None = added, new None = deleted; `last` carries the new version."""

    revision: int
    resource: str
    old: Obj | None
    new: Obj | None
    last: Obj


class FakeClient:
    """Implements Client; objects that it returns are shared and read-only, as with the real one."""

    def __init__(self, clock: Clock, ids: Ids | None = None) -> None:
        self._clock = clock
        self._ids = ids or sequential_ids()
        self.discoverable: dict[tuple[str, str], Obj] = {}
        """Group version -> its APIResourceList; set it to what other servers have."""
        self._objects: dict[str, dict[ObjectKey, Obj]] = {}
        self._history: deque[Recorded] = deque(maxlen=HISTORY_MAX)
        self._compact_revision = 0
        self._watches: list[_Watch] = []
        self._listeners: list[Callable[[Recorded], None]] = []
        self._failures: list[tuple[str, str, StatusError | None]] = []
        self.revision = 0

    # What a test may do beyond the API.

    def seed(self, resource: Resource, obj: Mapping[str, Any]) -> Obj:
        """Put an object as it is, status included; uid, creationTimestamp and generation are filled when absent."""
        stored = fake_verbs.new_object(resource, obj, self._ids, self._clock.wall_s())
        if "status" in obj:
            stored["status"] = copy_object(obj)["status"]
        return self._put(resource, self._find(resource, key_of(stored)), stored)

    def objects(self, resource: Resource) -> Sequence[Obj]:
        """Return all objects of a resource, sorted by key, without a request."""
        held = self._objects.get(resource.qualified, {})
        return [held[key] for key in sorted(held)]

    def fail_next(self, verb: str, resource: Resource, error: StatusError) -> None:
        """Let the next `verb` (create, get, list, update, patch, delete, watch) on `resource` raise `error`."""
        self._failures.append((verb, resource.qualified, error))

    def ignore_next(self, verb: str, resource: Resource) -> None:
        """Let the next `verb` on `resource` never be answered, as over a connection that leads to nobody."""
        self._failures.append((verb, resource.qualified, None))

    def end_watches(self) -> None:
        """End all watch streams, as a server does at their timeout."""
        for watch in self._watches:
            watch.end()

    def compact(self) -> None:
        """Forget the history: a watch from an older version gets GoneError."""
        self._compact_revision = self.revision
        self._history.clear()

    def bookmark(self) -> None:
        """Send a BOOKMARK with the newest version to all watches."""
        for watch in self._watches:
            watch.bookmark(self.revision)

    def on_commit(self, listener: Callable[[Recorded], None]) -> None:
        """Call `listener` synchronously with each change (FakeInformers live on this)."""
        self._listeners.append(listener)

    # The API's verbs.

    async def create(self, resource: Resource, obj: Mapping[str, Any], *, namespace: str = "") -> Obj:
        """Create and return the stored object."""
        await self._maybe_fail("create", resource)
        given = fake_verbs.with_namespace(resource, obj, namespace)
        stored = fake_verbs.new_object(resource, given, self._ids, self._clock.wall_s())
        key = key_of(stored)
        if self._find(resource, key) is not None:
            raise already_exists(resource.group, resource.plural, key.name)
        return self._put(resource, None, stored)

    async def create_subresource(
        self, resource: Resource, key: ObjectKey, subresource: str, obj: Mapping[str, Any]
    ) -> Obj:
        """POST binding (a pod to a node), eviction (a pod from its node) or token (of a service account)."""
        await self._maybe_fail("create", resource)
        current = self._get(resource, key)
        if subresource == "binding":
            node = str((obj.get("target") or {}).get("name", ""))
            bound = fake_verbs.bind(resource, current, node, metadata(obj), self._clock.wall_s())
            self._put(resource, current, bound)
            return fake_verbs.success(201)
        if subresource == "eviction":
            given = obj.get("deleteOptions") or {}
            return await self.delete(resource, key, DeleteOptions(grace_period_s=given.get("gracePeriodSeconds")))
        if subresource == "token":
            return fake_verbs.issue_token(key.name, obj, self._clock.wall_s())
        raise NotFoundError("the server could not find the requested resource")

    async def get(self, resource: Resource, key: ObjectKey) -> Obj:
        """Return the newest object."""
        await self._maybe_fail("get", resource)
        return self._get(resource, key)

    async def list(self, resource: Resource, selection: Selection = EVERYTHING) -> ObjectList:
        """Return all selected objects."""
        await self._maybe_fail("list", resource)
        items = tuple(obj for obj in self.objects(resource) if selects(resource, selection, obj))
        return ObjectList(items, str(self.revision))

    async def update(self, resource: Resource, obj: Mapping[str, Any], *, subresource: str = "") -> Obj:
        """PUT the object, or its status or finalize part."""
        await self._maybe_fail("update", resource)
        given = fake_verbs.with_namespace(resource, obj, namespace_of(obj))
        current = self._find(resource, key_of(given))
        if current is None:
            if not resource.create_on_update or subresource:
                raise not_found(resource.group, resource.plural, key_of(given).name)
            return await self.create(resource, given)
        return self._replace(resource, current, given, subresource)

    async def patch(
        self,
        resource: Resource,
        key: ObjectKey,
        patch: Mapping[str, Any] | Sequence[Any],
        *,
        patch_type: PatchType = MERGE,
        subresource: str = "",
    ) -> Obj:
        """PATCH the object, or its status part."""
        await self._maybe_fail("patch", resource)
        current = self._get(resource, key)
        return self._replace(resource, current, patched(current, patch, patch_type), subresource)

    async def discover(self, group: str, version: str) -> Obj:
        """Return what `discoverable` has for the group version."""
        found = self.discoverable.get((group, version))
        if found is None:
            raise NotFoundError("the server could not find the requested resource", {})
        return found

    async def delete(self, resource: Resource, key: ObjectKey, options: DeleteOptions = DEFAULT_DELETE) -> Obj:
        """Delete, or mark for deletion when a finalizer or a grace period holds the object."""
        await self._maybe_fail("delete", resource)
        current = self._get(resource, key)
        lingering = fake_verbs.mark_deleted(resource, current, options, self._clock.wall_s())
        if lingering is None:
            self._remove(resource, current)
            return fake_verbs.success(200)
        return current if lingering == current else self._put(resource, current, lingering)

    async def watch(
        self, resource: Resource, resource_version: str, selection: Selection = EVERYTHING
    ) -> AsyncIterator[WatchEvent]:
        """Yield what happens after `resource_version`."""
        await self._maybe_fail("watch", resource)
        after = int(resource_version or self.revision)
        if after < self._compact_revision or (self._history and after < self._history[0].revision - 1):
            raise GoneError(f"too old resource version: {after} ({self.revision})")
        watch = _Watch(resource, selection)
        for recorded in self._history:
            if recorded.revision > after:
                watch.offer(recorded)
        self._watches.append(watch)
        try:
            async for event in watch.events():
                yield event
        finally:
            self._watches.remove(watch)

    # How a change is made.

    async def _maybe_fail(self, verb: str, resource: Resource) -> None:
        for failure in self._failures:
            if failure[:2] == (verb, resource.qualified):
                self._failures.remove(failure)
                if failure[2] is None:
                    await asyncio.get_running_loop().create_future()
                else:
                    raise failure[2]

    def _find(self, resource: Resource, key: ObjectKey) -> Obj | None:
        return self._objects.get(resource.qualified, {}).get(key)

    def _get(self, resource: Resource, key: ObjectKey) -> Obj:
        found = self._find(resource, key)
        if found is None:
            raise not_found(resource.group, resource.plural, key.name)
        return found

    def _replace(self, resource: Resource, current: Obj, given: Mapping[str, Any], subresource: str) -> Obj:
        fake_verbs.check_preconditions(resource, current, metadata(given).get("uid", ""), resource_version_of(given))
        new = fake_verbs.updated_object(resource, current, given, subresource)
        if fake_verbs.may_go(resource, new):
            return self._remove(resource, new)
        if new == current:
            return current
        return self._put(resource, current, new)

    def _put(self, resource: Resource, old: Obj | None, new: Obj) -> Obj:
        self.revision += 1
        new["metadata"]["resourceVersion"] = str(self.revision)
        self._objects.setdefault(resource.qualified, {})[key_of(new)] = new
        self._publish(Recorded(self.revision, resource.qualified, old, new, new))
        return new

    def _remove(self, resource: Resource, current: Obj) -> Obj:
        self.revision += 1
        old = self._objects[resource.qualified].pop(key_of(current))
        last = copy_object(current)
        last["metadata"]["resourceVersion"] = str(self.revision)
        self._publish(Recorded(self.revision, resource.qualified, old, None, last))
        return last

    def _publish(self, recorded: Recorded) -> None:
        self._history.append(recorded)
        for watch in self._watches:
            watch.offer(recorded)
        for listener in self._listeners:
            listener(recorded)


class _Watch:
    """One watch stream: at most HISTORY_MAX events wait in it, then it ends as if the server had cut it."""

    def __init__(self, resource: Resource, selection: Selection) -> None:
        self._resource = resource
        self._selection = selection
        self._pending: deque[WatchEvent] = deque(maxlen=HISTORY_MAX)
        self._changed = asyncio.Event()
        self._ended = False

    def offer(self, recorded: Recorded) -> None:
        if recorded.resource != self._resource.qualified:
            return
        event = event_for(self._resource, self._selection, recorded)
        if event is None:
            return
        if len(self._pending) == HISTORY_MAX:
            self.end()
        else:
            self._pending.append(event)
            self._changed.set()

    def bookmark(self, revision: int) -> None:
        kind = {"kind": self._resource.kind, "apiVersion": self._resource.api_version}
        self._pending.append(WatchEvent("BOOKMARK", {**kind, "metadata": {"resourceVersion": str(revision)}}))
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def events(self) -> AsyncIterator[WatchEvent]:
        while True:
            while self._pending:
                yield self._pending.popleft()
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()


def event_for(resource: Resource, selection: Selection, recorded: Recorded) -> WatchEvent | None:
    """Return what a watcher with `selection` is told of a change, None when it is not concerned."""
    before = recorded.old is not None and selects(resource, selection, recorded.old)
    after = recorded.new is not None and selects(resource, selection, recorded.new)
    if after:
        return WatchEvent("MODIFIED" if before else "ADDED", recorded.last)
    return WatchEvent("DELETED", recorded.last) if before else None
