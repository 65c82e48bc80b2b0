"""Garbage collection by ownerReferences, over every resource that is served.

An object is kept while one of its owners is solid: there, with the uid that the reference says, and not waiting in
foreground deletion for its dependents. Otherwise it is deleted. What deletion means for dependents is the owner's
finalizer:

- none (background): the owner goes at once, its dependents find it absent and follow;
- `foregroundDeletion`: dependents that block it go first, then the finalizer is taken away;
- `orphan`: the references to it are removed from its dependents, then the finalizer is taken away.

That an owner is absent is believed only after reading it afresh: caches of different resources are not at the same
revision. An owner of a kind that is not served, or that a reference cannot reach (a namespaced owner of a
cluster-scoped object), counts as solid: nothing is deleted because of a reference that cannot be checked.

Owners that another API server has (an APIService leads to it) are in no cache: that server is asked from time to time
whether they are there. While it cannot be asked, or has no such kind, they count as there.

Upstream: pkg/controller/garbagecollector. The graph is the informers' index by owner uid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, metadata, uid_of
from minikube_py.api.resource import Resource, is_stored, storage_of
from minikube_py.api.resources import API_SERVICES, EVENTS, RESOURCES, find_kind
from minikube_py.client.interface import Change, DeleteOptions
from minikube_py.controllers.claims import release
from minikube_py.controllers.indexes import OWNER_UID, by_owner
from minikube_py.controllers.other_groups import other_groups
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Delete,
    Failure,
    Item,
    Listers,
    Patch,
    Plan,
    RequireAbsent,
    RequireAbsentElsewhere,
    Target,
    latest_item,
)
from minikube_py.controllers.spec import ControllerSpec, Watch

_COLLECTED_BY = frozenset({"list", "watch", "delete"})
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
LOOK_AGAIN_S = 30.0
"""Another server is asked so often whether an owner is there (upstream looks for new kinds as often)."""


class OwnerState(Enum):
    """What an owner is to its dependent."""

    SOLID = "solid"
    WAITING = "waiting"
    """In foreground deletion: it waits for this dependent, among others."""
    ABSENT = "absent"
    ELSEWHERE = "elsewhere"
    """Another API server knows whether it is there."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner reference, looked up."""

    state: OwnerState
    uid: str
    check: RequireAbsent | RequireAbsentElsewhere | None = None
    """How to make sure that it is not there; None: it is there, or nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """An object that has the item among its owners."""

    resource: Resource
    obj: Obj

    def blocks(self, owner_uid: str) -> bool:
        """Return whether foreground deletion of the owner waits for it."""
        references = metadata(self.obj).get("ownerReferences") or ()
        return any(r.get("uid") == owner_uid and r.get("blockOwnerDeletion") for r in references)


@dataclass(frozen=True, slots=True)
class GarbageView:
    """One object with its owners and its dependents."""

    resource: Resource
    obj: Obj
    owners: tuple[Owner, ...]
    dependents: tuple[Dependent, ...]


@cache
def collected_resources() -> tuple[Resource, ...]:
    """Return the resources that take part: all but Events, which nobody owns and which go by themselves.

    Another version of what is stored already takes part as what is stored.
    """
    return tuple(r for r in RESOURCES if is_stored(r) and r is not EVENTS and {*r.verbs} >= _COLLECTED_BY)


def observe(listers: Listers, item: Item, failure: Failure | None) -> GarbageView | None:
    """Look up the owners of an object, and its dependents when it is being deleted or might be."""
    informer = listers.informers.get(item.resource)
    if informer is None:
        return None  # its definition has gone, and it with it
    resource = informer.resource
    obj = listers.get(resource, item.key)
    if obj is None:
        return None
    owners = tuple(_look_up(listers, resource, obj, r) for r in metadata(obj).get("ownerReferences") or ())
    if not is_deleting(obj) and all(owner.state is OwnerState.SOLID for owner in owners):
        return None
    return GarbageView(resource, obj, owners, _dependents(listers, uid_of(obj)))


def _look_up(listers: Listers, resource: Resource, obj: Obj, reference: Obj) -> Owner:
    kind = _kind_of(listers, reference)
    uid = str(reference.get("uid", ""))
    if kind is None:
        return _look_elsewhere(listers, obj, reference)
    if kind.qualified not in listers.informers or (kind.namespaced and not resource.namespaced):
        return Owner(OwnerState.SOLID, uid)
    namespace = key_of(obj).namespace if kind.namespaced else ""
    key = ObjectKey(namespace, str(reference.get("name", "")))
    owner = listers.get(kind, key)
    if owner is None or uid_of(owner) != uid:
        return Owner(OwnerState.ABSENT, uid, RequireAbsent(kind, Target(key, uid)))
    waiting = is_deleting(owner) and FOREGROUND in (metadata(owner).get("finalizers") or ())
    return Owner(OwnerState.WAITING if waiting else OwnerState.SOLID, uid)


def _look_elsewhere(listers: Listers, obj: Obj, reference: Obj) -> Owner:
    """Return an owner of a kind that is not served here."""
    group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
    uid = str(reference.get("uid", ""))
    servers = other_groups(listers.list(API_SERVICES))
    server = next((each for each in servers if (each.group, each.version) == (group, version)), None)
    if server is None:
        return Owner(OwnerState.SOLID, uid)
    if not server.available:
        return Owner(OwnerState.ELSEWHERE, uid)
    target = Target(ObjectKey(key_of(obj).namespace, str(reference.get("name", ""))), uid)
    check = RequireAbsentElsewhere(group, version, str(reference.get("kind", "")), target)
    return Owner(OwnerState.ELSEWHERE, uid, check)


def _kind_of(listers: Listers, reference: Obj) -> Resource | None:
    """Return the row that stores the owner that a reference names, in whatever version; None: not served."""
    api_version, kind = str(reference.get("apiVersion", "")), str(reference.get("kind", ""))
    found = find_kind(api_version, kind)
    if found is not None:
        return storage_of(found)
    group = api_version.rpartition("/")[0]
    return next((row for row in listers.custom() if (row.group, row.kind) == (group, kind)), None)


def _dependents(listers: Listers, uid: str) -> tuple[Dependent, ...]:
    return tuple(
        Dependent(resource, obj)
        for resource in (*collected_resources(), *listers.custom())
        for obj in listers.by_index(resource, OWNER_UID, uid)
    )


def reconcile(seen: GarbageView, now_s: float) -> Plan:
    """Decide whether the object goes, and what happens to its dependents."""
    finalizers = metadata(seen.obj).get("finalizers") or ()
    if is_deleting(seen.obj):
        if ORPHAN in finalizers:
            return _orphan_dependents(seen)
        if FOREGROUND in finalizers:
            return _finish_foreground(seen)
        return NOTHING
    return _collect(seen)


def _orphan_dependents(seen: GarbageView) -> Plan:
    releases = tuple(release(d.resource, d.obj, uid_of(seen.obj)) for d in seen.dependents)
    return Plan(releases or (_without_finalizer(seen, ORPHAN),))


def _finish_foreground(seen: GarbageView) -> Plan:
    if any(dependent.blocks(uid_of(seen.obj)) for dependent in seen.dependents):
        return NOTHING
    return Plan((_without_finalizer(seen, FOREGROUND),))


def _without_finalizer(seen: GarbageView, finalizer: str) -> Patch:
    meta = metadata(seen.obj)
    kept = [name for name in meta.get("finalizers") or () if name != finalizer]
    patch: Obj = {"metadata": {"resourceVersion": meta.get("resourceVersion", ""), "finalizers": kept or None}}
    return Patch(seen.resource, key_of(seen.obj), patch, uid=uid_of(seen.obj))


def _collect(seen: GarbageView) -> Plan:
    unless_held = () if any(owner.state is OwnerState.SOLID for owner in seen.owners) else (OwnerState.ELSEWHERE,)
    absent = [owner for owner in seen.owners if owner.state in (OwnerState.ABSENT, *unless_held)]
    waiting = [owner for owner in seen.owners if owner.state is OwnerState.WAITING]
    if not absent and not waiting:
        return NOTHING
    again_s = LOOK_AGAIN_S if any(owner.state is OwnerState.ELSEWHERE for owner in absent) else None
    if any(owner.check is None for owner in absent):
        return Plan(requeue_after_s=again_s)  # the server that knows cannot be asked
    checks: list[Action] = [owner.check for owner in absent if owner.check is not None]
    if len(absent) + len(waiting) < len(seen.owners):
        return Plan((*checks, _without_owners(seen, {owner.uid for owner in (*absent, *waiting)})))
    if waiting and any(_is_in_foreground(dependent.obj) for dependent in seen.dependents):
        # A circle of owners that all wait: this one stops waiting for its own.
        checks.append(_unblocked(seen))
    deletion = Delete(seen.resource, Target(key_of(seen.obj), uid_of(seen.obj)), _options(seen, waiting))
    return Plan((*checks, deletion), requeue_after_s=again_s)


def _options(seen: GarbageView, waiting: Sequence[Owner]) -> DeleteOptions:
    finalizers = metadata(seen.obj).get("finalizers") or ()
    if (waiting and seen.dependents) or FOREGROUND in finalizers:
        return DeleteOptions(propagation="Foreground")
    return DeleteOptions(propagation="Orphan" if ORPHAN in finalizers else "Background")


def _is_in_foreground(obj: Obj) -> bool:
    return is_deleting(obj) and FOREGROUND in (metadata(obj).get("finalizers") or ())


def _without_owners(seen: GarbageView, uids: set[str]) -> Patch:
    meta = metadata(seen.obj)
    kept = [reference for reference in meta.get("ownerReferences") or () if reference.get("uid") not in uids]
    patch = {"metadata": {"resourceVersion": meta.get("resourceVersion", ""), "ownerReferences": kept}}
    return Patch(seen.resource, key_of(seen.obj), patch, uid=uid_of(seen.obj))


def _unblocked(seen: GarbageView) -> Patch:
    meta = metadata(seen.obj)
    free = [{**reference, "blockOwnerDeletion": False} for reference in meta.get("ownerReferences") or ()]
    patch = {"metadata": {"resourceVersion": meta.get("resourceVersion", ""), "ownerReferences": free}}
    return Patch(seen.resource, key_of(seen.obj), patch, uid=uid_of(seen.obj))


def items_of(resource: Resource) -> Callable[[Change, Listers], Sequence[Item]]:
    """Return which items a change of `resource` concerns: itself, its owners, its dependents."""

    def items(change: Change, listers: Listers) -> Sequence[Item]:
        old, new = change.old, change.new
        before, after = _relations(old), _relations(new)
        if old is not None and before == after:
            return ()
        found: list[Item] = []
        if new is not None and (metadata(new).get("ownerReferences") or is_deleting(new)):
            found.append(latest_item(resource, change))
        if new is None or _is_in_foreground(new):
            dependents = _dependents(listers, uid_of(change.latest))
            found += [Item(d.resource.qualified, key_of(d.obj)) for d in dependents]
        if old is not None:
            found += _deleting_owners(listers, old)
        return found

    return items


def _relations(obj: Obj | None) -> object:
    """Return what decides about an object here; nothing else of it matters to the collector."""
    if obj is None:
        return None
    meta = metadata(obj)
    return (uid_of(obj), meta.get("ownerReferences"), meta.get("finalizers"), is_deleting(obj))


def _deleting_owners(listers: Listers, obj: Obj) -> list[Item]:
    """Return the owners that may wait for what just happened to this dependent."""
    found = []
    for reference in metadata(obj).get("ownerReferences") or ():
        kind = _kind_of(listers, reference)
        if kind is None or kind.qualified not in listers.informers:
            continue
        key = ObjectKey(key_of(obj).namespace if kind.namespaced else "", str(reference.get("name", "")))
        owner = listers.get(kind, key)
        if owner is not None and is_deleting(owner):
            found.append(Item(kind.qualified, key))
    return found


def spec() -> ControllerSpec[GarbageView]:
    """Return the row of the table of controllers."""
    resources = collected_resources()
    return ControllerSpec(
        name="garbage-collector",
        component="garbage-collector-controller",
        watches=tuple(Watch(resource, items_of(resource)) for resource in resources),
        observe=observe,
        reconcile=reconcile,
        indexes=tuple(by_owner(resource) for resource in resources),
        watch_custom=lambda resource: Watch(resource, items_of(resource)),
        index_custom=by_owner,
        workers_max=20,
    )
