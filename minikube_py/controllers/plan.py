"""What a controller decides: a Plan of actions, as values; `io.perform` carries them out.

Actions are carried out in order and the first that fails ends the plan: the key is tried again after a back-off, and
the failure is shown to the next `observe`, so that a status can tell people about it. Every action carries what must
hold for it (uid, resourceVersion, "read the owner afresh first"), so that a plan made from an old cache does no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resource import Resource
from minikube_py.client.events import EventType
from minikube_py.client.interface import DEFAULT_DELETE, MERGE, Change, DeleteOptions, Informer, PatchType
from minikube_py.kit.notes import Note


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """What a controller works on: one object of one resource (`resource` is Resource.qualified)."""

    resource: str
    key: ObjectKey

    def __str__(self) -> str:
        return f"{self.resource} {self.key}"


@dataclass(frozen=True, slots=True)
class Create:
    """Create `obj`; `exists_is_fine`: an object of that name already there is what was wanted."""

    resource: Resource
    obj: Obj
    exists_is_fine: bool = False


@dataclass(frozen=True, slots=True)
class CreateBatch:
    """Create all of `objects` in batches that double (1, 2, 4, ...) while all goes well, and tell `involved`.

    When one cannot be created the batches after it are not tried: a quota or an admission rule that refuses one
    refuses a thousand. A namespace that is going away is no failure.
    """

    resource: Resource
    objects: tuple[Obj, ...]
    involved: Obj
    noun: str
    """For the messages: `Created pod: x`."""


@dataclass(frozen=True, slots=True)
class Update:
    """PUT `obj`; its metadata.resourceVersion is the precondition."""

    resource: Resource
    obj: Obj
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """PATCH the object at `key`; `uid` must be its uid (merge patches only); an object that is gone is fine."""

    resource: Resource
    key: ObjectKey
    patch: Obj
    uid: str = ""
    patch_type: PatchType = MERGE
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One object to delete, and no other of its name."""

    key: ObjectKey
    uid: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one object; gone already is fine, another uid or resourceVersion too (the cache will tell)."""

    resource: Resource
    target: Target
    options: DeleteOptions = DEFAULT_DELETE


@dataclass(frozen=True, slots=True)
class DeleteBatch:
    """Delete all `targets` at once and tell `involved`; the failures are reported after all were tried."""

    resource: Resource
    targets: tuple[Target, ...]
    involved: Obj
    noun: str


@dataclass(frozen=True, slots=True)
class DeleteAll:
    """Carry all `deletions` out, many at once: one that is refused holds up none, and is reported at the end."""

    deletions: tuple[Delete, ...]


@dataclass(frozen=True, slots=True)
class DeleteCollection:
    """Delete whatever of a resource stands in a namespace, listed afresh."""

    resource: Resource
    namespace: str


@dataclass(frozen=True, slots=True)
class DeleteOthers:
    """Delete whatever of another API server's group version stands in a namespace; what is left is a failure."""

    group: str
    version: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Require:
    """Read the object afresh: unless it is there with this uid and not being deleted, the plan ends here."""

    resource: Resource
    target: Target


@dataclass(frozen=True, slots=True)
class RequireAbsent:
    """Read afresh: if an object with this uid (empty: any) is there after all, the plan ends here."""

    resource: Resource
    target: Target


@dataclass(frozen=True, slots=True)
class RequireAbsentElsewhere:
    """Ask another API server: unless it says that it has no object with this uid, the plan ends here."""

    group: str
    version: str
    kind: str
    target: Target
    """The namespace counts when the kind has any."""


@dataclass(frozen=True, slots=True)
class RequireEmpty:
    """List afresh: if anything of these resources is left in the namespace, the plan ends here and is tried again."""

    resources: tuple[Resource, ...]
    namespace: str


@dataclass(frozen=True, slots=True)
class Record:
    """Write an Event about `involved`."""

    involved: Obj
    type: EventType
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RepeatEvents:
    """Write each Event about `about` once more, as one about `involved`: `reason`, and `front` before its message."""

    about: Target
    involved: Obj
    reason: str
    front: str


@dataclass(frozen=True, slots=True)
class RemoveDirectory:
    """Remove a directory of this machine with all that it holds; fine when it is not there."""

    path: str


Action = (
    Create
    | CreateBatch
    | Update
    | Patch
    | Delete
    | DeleteAll
    | DeleteBatch
    | RemoveDirectory
    | DeleteCollection
    | DeleteOthers
    | Require
    | RequireAbsent
    | RequireAbsentElsewhere
    | RequireEmpty
    | Record
    | RepeatEvents
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about one item; `requeue_after_s`: look again then, even if nothing changes."""

    actions: tuple[Action, ...] = ()
    notes: tuple[Note, ...] = ()
    requeue_after_s: float | None = None


NOTHING = Plan()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last plan for an item was not carried out: the Status reason and message of the API server."""

    reason: str
    message: str
    action: Action


@dataclass(frozen=True, slots=True)
class Listers:
    """The informers of all controllers, by Resource.qualified: consistent, read-only, no waiting."""

    informers: Mapping[str, Informer]

    def get(self, resource: Resource, key: ObjectKey) -> Obj | None:
        """Return the object, or None."""
        return self.informers[resource.qualified].get(key)

    def list(self, resource: Resource, namespace: str = "") -> tuple[Obj, ...]:
        """Return all objects (of a namespace), sorted by key."""
        return tuple(self.informers[resource.qualified].list(namespace))

    def custom(self) -> tuple[Resource, ...]:
        """Return the custom resources that are followed at this moment, in the order of their names."""
        rows = (informer.resource for informer in self.informers.values())
        return tuple(sorted((row for row in rows if row.custom is not None), key=lambda row: row.qualified))

    def by_index(self, resource: Resource, index: str, value: str) -> tuple[Obj, ...]:
        """Return the objects under a value of an index (see controllers.indexes), sorted by key."""
        return tuple(self.informers[resource.qualified].by_index(index, value))


def latest_item(resource: Resource, change: Change) -> Item:
    """Return the item of the object that changed."""
    meta = change.latest.get("metadata") or {}
    return Item(resource.qualified, ObjectKey(meta.get("namespace", ""), meta.get("name", "")))


def owner_reference(resource: Resource, owner: Mapping[str, Any]) -> Obj:
    """Return the reference by which a controller owns what it makes (upstream: metav1.NewControllerRef)."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
