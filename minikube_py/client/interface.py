"""How components see the API: one Client, whether the API server is in this process or on another host.

Upstream: client-go's dynamic client, listers and informers. `client/io` implements these Protocols over a transport
(in process, or HTTPS); `testing.fake_client.FakeClient` behaves like a small API server.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resource import Resource

WatchType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
PatchType = Literal[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
]
MERGE: PatchType = "application/merge-patch+json"
STRATEGIC: PatchType = "application/strategic-merge-patch+json"
JSON_PATCH: PatchType = "application/json-patch+json"
APPLY: PatchType = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch stream; `object` is shared and read-only."""

    type: WatchType
    object: Obj


@dataclass(frozen=True, slots=True)
class ObjectList:
    """A list answer: the items (shared, read-only) and the resource version to watch from."""

    items: tuple[Obj, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a collection; empty strings select everything. `namespace` empty: all namespaces."""

    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Options of a delete; empty and None mean "not given"."""

    grace_period_s: int | None = None
    uid: str = ""
    resource_version: str = ""
    propagation: Literal["", "Background", "Foreground", "Orphan"] = ""


DEFAULT_DELETE = DeleteOptions()


class ListWatch(Protocol):
    """What following a collection needs of the API (upstream: client-go's ListerWatcher)."""

    async def list(self, resource: Resource, selection: Selection = EVERYTHING) -> ObjectList:
        """Return all selected objects as of one resource version."""
        ...

    def watch(
        self, resource: Resource, resource_version: str, selection: Selection = EVERYTHING
    ) -> AsyncIterator[WatchEvent]:
        """Yield what happens after `resource_version`, bookmarks included; ends when the server ends it.

        Raises:
            GoneError: the version is compacted (list again).
        """
        ...


class Client(ListWatch, Protocol):
    """The API's verbs. Every method raises api.errors.StatusError subclasses; none retries by itself."""

    async def create(self, resource: Resource, obj: Mapping[str, Any], *, namespace: str = "") -> Obj:
        """Create and return the stored object; namespace defaults to the object's own."""
        ...

    async def create_subresource(
        self, resource: Resource, key: ObjectKey, subresource: str, obj: Mapping[str, Any]
    ) -> Obj:
        """POST to a subresource (binding, eviction, token)."""
        ...

    async def get(self, resource: Resource, key: ObjectKey) -> Obj:
        """Return the newest object."""
        ...

    async def update(self, resource: Resource, obj: Mapping[str, Any], *, subresource: str = "") -> Obj:
        """PUT; a metadata.resourceVersion inside is the precondition."""
        ...

    async def patch(
        self,
        resource: Resource,
        key: ObjectKey,
        patch: Mapping[str, Any] | Sequence[Any],
        *,
        patch_type: PatchType = MERGE,
        subresource: str = "",
    ) -> Obj:
        """PATCH; a metadata.resourceVersion or uid inside a merge patch is a precondition."""
        ...

    async def delete(self, resource: Resource, key: ObjectKey, options: DeleteOptions = DEFAULT_DELETE) -> Obj:
        """Delete; returns the Status, or the object when it lingers."""
        ...

    async def discover(self, group: str, version: str) -> Obj:
        """Return the APIResourceList of a group version, be it this server's or another's behind it."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What an informer tells its subscribers: old None = added, new None = deleted; both are shared, read-only."""

    old: Obj | None
    new: Obj | None

    @property
    def latest(self) -> Obj:
        """Return the new object, or the last state of a deleted one."""
        latest = self.new if self.new is not None else self.old
        assert latest is not None
        return latest


class Informer(Protocol):
    """A local, indexed, read-only copy of a resource that follows the server (upstream: SharedIndexInformer).

    Reads are synchronous and see a consistent prefix of the server's history. Handlers run synchronously after the
    copy has changed; they must not block (enqueue a key and return).
    """

    resource: Resource

    def get(self, key: ObjectKey) -> Obj | None:
        """Return the object, or None."""
        ...

    def list(self, namespace: str = "") -> Sequence[Obj]:
        """Return all objects (of one namespace when given), sorted by key."""
        ...

    def add_index(self, index: str, values: Callable[[Obj], Sequence[str]]) -> None:
        """Add a named index before `run`; `values` gives the values under which an object is found."""
        ...

    def by_index(self, index: str, value: str) -> Sequence[Obj]:
        """Return the objects under `value`, sorted by key."""
        ...

    def subscribe(self, handler: Callable[[Change], None]) -> None:
        """Call `handler` for every change from now on; objects already present come at once as additions."""
        ...

    def revision(self) -> int:
        """Return the resource version that the copy has reached (bookmarks count)."""
        ...

    async def wait_synced(self) -> None:
        """Wait until the first list has arrived."""
        ...

    async def wait_revision(self, revision: int, timeout_s: float) -> bool:
        """Wait until the copy has reached `revision`; False when `timeout_s` passes first."""
        ...


class Informers(Protocol):
    """Makes and shares informers: one for each (resource, selection), started on first use."""

    def informer(self, resource: Resource, selection: Selection = EVERYTHING) -> Informer:
        """Return the shared informer; it begins to run when the agent runs the set."""
        ...

    def forget(self, resource: Resource) -> None:
        """Stop and drop all informers of a resource that is served no more; fine when there is none."""
        ...
