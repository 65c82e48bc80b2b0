"""Namespaces that are being deleted: delete all that stands in them, then let them go.

1. Every namespaced resource but Events is watched: what is left in the namespace is deleted and reported in the
   conditions, as upstream words them; each object that goes brings the next round. What other API servers have in it
   is deleted through them.
2. When the cache shows nothing, Events are deleted too, all resources are listed afresh, and only when those lists
   are empty the finalizer `kubernetes` is taken away. While another API server cannot be asked the namespace stays:
   something of it may be left (NamespaceDeletionDiscoveryFailure). Nothing new is admitted into such a namespace.

Upstream: pkg/controller/namespace/deletion.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, metadata, name_of, namespace_of, uid_of
from minikube_py.api.resource import Resource, is_stored
from minikube_py.api.resources import API_SERVICES, EVENTS, NAMESPACES, RESOURCES
from minikube_py.client.interface import Change
from minikube_py.controllers.conditions import Condition, Conditions, set_condition
from minikube_py.controllers.other_groups import OtherGroup, discovery_failure, other_groups
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Delete,
    DeleteAll,
    DeleteCollection,
    DeleteOthers,
    Failure,
    Item,
    Listers,
    Plan,
    RequireEmpty,
    Target,
    Update,
    latest_item,
)
from minikube_py.controllers.spec import ControllerSpec, Watch

FINALIZER = "kubernetes"
LOOK_AGAIN_S = 2.0
"""A namespace that is going away is looked at so often, whatever the caches say."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is left of one resource."""

    resource: Resource
    objects: tuple[Obj, ...]


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """One namespace and what is left in it; `failure` is shown in the conditions."""

    namespace: Obj
    contents: tuple[Content, ...]
    failure: Failure | None = None
    custom: tuple[Resource, ...] = ()
    """Custom resources that a namespace can hold."""
    others: tuple[OtherGroup, ...] = ()
    """Group versions of other API servers."""


@cache
def watched_resources() -> tuple[Resource, ...]:
    """Return the resources that a namespace can hold, Events apart (they are many, and nobody waits for them)."""
    return tuple(
        resource
        for resource in RESOURCES
        if resource.namespaced and is_stored(resource) and resource is not EVENTS and "delete" in resource.verbs
    )


def observe(listers: Listers, item: Item, failure: Failure | None) -> NamespaceView | None:
    """Collect what is left in a namespace that is being deleted."""
    namespace = listers.get(NAMESPACES, item.key)
    if namespace is None or not is_deleting(namespace):
        return None
    custom = tuple(resource for resource in listers.custom() if resource.namespaced)
    contents = ((resource, listers.list(resource, item.key.name)) for resource in (*watched_resources(), *custom))
    left = tuple(Content(resource, objects) for resource, objects in contents if objects)
    return NamespaceView(namespace, left, failure, custom, other_groups(listers.list(API_SERVICES)))


def reconcile(seen: NamespaceView, now_s: float) -> Plan:
    """Decide what to delete, or that the namespace may go."""
    namespace = seen.namespace
    if FINALIZER not in (namespace.get("spec") or {}).get("finalizers", ()):
        return NOTHING
    status = _compute_status(seen, now_s)
    actions: list[Action] = []
    if status != (namespace.get("status") or {}):
        actions.append(Update(NAMESPACES, {**namespace, "status": status}, subresource="status"))
    name = name_of(namespace)
    others = [DeleteOthers(group.group, group.version, name) for group in seen.others if group.available]
    if seen.contents or discovery_failure(seen.others):
        # The status first: it tells what could not be deleted the last time, and may not be this time.
        return Plan((*actions, *_deletions(seen), *others), requeue_after_s=LOOK_AGAIN_S)
    kept = [finalizer for finalizer in namespace["spec"]["finalizers"] if finalizer != FINALIZER]
    finalized = {**namespace, "spec": {**namespace["spec"], "finalizers": kept}}
    if actions:
        # The status write gives the namespace another version; the next round finalizes that one.
        return Plan((*actions, *others), requeue_after_s=LOOK_AGAIN_S)
    return Plan(
        (
            *others,
            DeleteCollection(EVENTS, name),
            RequireEmpty((*watched_resources(), *seen.custom, EVENTS), name),
            Update(NAMESPACES, finalized, subresource="finalize"),
        ),
        requeue_after_s=LOOK_AGAIN_S,
    )


def _deletions(seen: NamespaceView) -> tuple[Action, ...]:
    deletions = tuple(
        Delete(content.resource, Target(key_of(obj), uid_of(obj)))
        for content in seen.contents
        for obj in content.objects
        if not is_deleting(obj)
    )
    return (DeleteAll(deletions),) if deletions else ()


def _compute_status(seen: NamespaceView, now_s: float) -> Obj:
    old = seen.namespace.get("status") or {}
    conditions: Conditions = tuple(old.get("conditions") or ())
    for condition in (
        _discovery_failure(seen),
        Condition("NamespaceDeletionGroupVersionParsingFailure", "False", *_PARSED),
        _content_failure(seen),
        _content_remaining(seen),
        _finalizers_remaining(seen),
    ):
        said = next((c for c in conditions if c.get("type") == condition.type), None)
        changed = said is not None and said.get("message") != condition.message
        conditions = set_condition(conditions, condition, now_s, force=changed)
    return {**old, "phase": "Terminating", "conditions": list(conditions)}


_DISCOVERED = ("ResourcesDiscovered", "All resources successfully discovered")
_PARSED = ("ParsedGroupVersions", "All legacy kube types successfully parsed")


def _discovery_failure(seen: NamespaceView) -> Condition:
    kind = "NamespaceDeletionDiscoveryFailure"
    message = discovery_failure(seen.others)
    return Condition(kind, "True", "DiscoveryFailed", message) if message else Condition(kind, "False", *_DISCOVERED)


def _content_failure(seen: NamespaceView) -> Condition:
    kind = "NamespaceDeletionContentFailure"
    failed = seen.failure is not None and isinstance(seen.failure.action, DeleteAll | DeleteCollection | DeleteOthers)
    if failed and seen.failure is not None:
        message = f"Failed to delete all resource types, 1 remaining: {seen.failure.message}"
        return Condition(kind, "True", "ContentDeletionFailed", message)
    return Condition(
        kind, "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"
    )


def _content_remaining(seen: NamespaceView) -> Condition:
    kind = "NamespaceContentRemaining"
    if not seen.contents:
        return Condition(kind, "False", "ContentRemoved", "All content successfully removed")
    counts = ", ".join(
        f"{name} has {count} resource instances"
        for name, count in sorted((_qualified(content.resource), len(content.objects)) for content in seen.contents)
    )
    return Condition(kind, "True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")


def _qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"


def _finalizers_remaining(seen: NamespaceView) -> Condition:
    kind = "NamespaceFinalizersRemaining"
    counts = Counter(
        finalizer
        for content in seen.contents
        for obj in content.objects
        for finalizer in metadata(obj).get("finalizers") or ()
    )
    if not counts:
        return Condition(kind, "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(counts.items()))
    return Condition(
        kind, "True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {held}"
    )


def _items_of(change: Change, listers: Listers) -> Sequence[Item]:
    key = ObjectKey("", namespace_of(change.latest))
    namespace = listers.get(NAMESPACES, key)
    return (Item(NAMESPACES.qualified, key),) if namespace is not None and is_deleting(namespace) else ()


def _items_of_namespace(change: Change, listers: Listers) -> Sequence[Item]:
    return (latest_item(NAMESPACES, change),) if is_deleting(change.latest) else ()


def _items_of_api_service(change: Change, listers: Listers) -> Sequence[Item]:
    """Look at every namespace that waits: what kept it may be the APIService that changed."""
    if not (change.latest.get("spec") or {}).get("service"):
        return ()
    waiting = [namespace for namespace in listers.list(NAMESPACES) if is_deleting(namespace)]
    return tuple(Item(NAMESPACES.qualified, key_of(namespace)) for namespace in waiting)


def spec() -> ControllerSpec[NamespaceView]:
    """Return the row of the table of controllers."""
    inside: Callable[[Change, Listers], Sequence[Item]] = _items_of
    return ControllerSpec(
        name="namespace",
        component="namespace-controller",
        watches=(
            Watch(NAMESPACES, _items_of_namespace),
            Watch(API_SERVICES, _items_of_api_service),
            *(Watch(resource, inside) for resource in watched_resources()),
        ),
        observe=observe,
        reconcile=reconcile,
        watch_custom=lambda resource: Watch(resource, inside) if resource.namespaced else None,
        workers_max=10,
    )
