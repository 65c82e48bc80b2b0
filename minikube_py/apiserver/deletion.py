"""Delete as a decision: goes at once, or lives on with a deletionTimestamp until what it waits for is done.

An object waits for its finalizers; for a pod that runs, for the grace period and the kubelet's word that it has
stopped (a second delete with grace 0); for a Namespace, until its content is gone (spec.finalizers). How dependents
are treated is a finalizer too: foregroundDeletion and orphan are taken off by the garbage collector.

Worked example, a pod on a node, grace 30 s: delete at 12:00:00 -> deletionTimestamp 12:00:30, grace 30, generation
+1; a second delete with grace 5 -> deletionTimestamp 12:00:05, grace 5 (it may only become shorter); the kubelet's
delete with grace 0 and its uid -> gone.

Upstream: registry/rest/delete.go (BeforeDelete), registry/generic/registry/store.go (deletionFinalizersForGarbage-
Collection), registry/core/pod/strategy.go (CheckGracefulDelete), registry/core/namespace/storage.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import ConflictError, conflict, forbidden
from minikube_py.api.meta import Obj, copy_object, format_time, is_deleting, metadata, name_of, parse_time, uid_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.decisions import NO_CHANGE, Decision, Reject, Remove, Write
from minikube_py.apiserver.options import RemovalOptions

IMMORTAL_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})
"""Upstream: NamespaceLifecycle admission; kube-node-lease may be deleted, and comes back."""
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
_FINISHED = ("Succeeded", "Failed")
_DEFAULT_GRACE_S = 30


def delete(resource: Resource, old: Mapping[str, Any], options: RemovalOptions, wall_s: float) -> Decision:
    """Decide a deletion; `old` is only read."""
    if resource.subresource("finalize") and name_of(old) in IMMORTAL_NAMESPACES:
        why = "this namespace may not be deleted"
        return Reject(forbidden(resource.group, resource.plural, name_of(old), why))
    failed = check_preconditions(resource, old, options)
    if failed is not None:
        return Reject(failed)
    finalizers = _finalizers(old, options)
    if not is_deleting(old):
        finalizers += [finalizer for finalizer in resource.finalizers_on_delete if finalizer not in finalizers]
    grace_s = _grace_s(resource, old, options)
    waits_for_content = bool(resource.subresource("finalize") and (old.get("spec") or {}).get("finalizers"))
    if not finalizers and not grace_s and not waits_for_content:
        return Remove(old)
    new = copy_object(old)
    meta = new["metadata"]
    if finalizers:
        meta["finalizers"] = finalizers
    _mark(resource, new, grace_s, wall_s)
    if waits_for_content:
        new["status"] = {**(new.get("status") or {}), "phase": "Terminating"}
    return NO_CHANGE if new == old else Write(new)


def check_preconditions(resource: Resource, old: Mapping[str, Any], options: RemovalOptions) -> ConflictError | None:
    """Return the conflict when the object is not the one, or not as, the client believes."""
    if options.uid and options.uid != uid_of(old):
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid_of(old)}). "
            "The object might have been deleted and then recreated"
        )
        return conflict(resource.group, resource.kind, name_of(old), why)
    version = str(metadata(old).get("resourceVersion", ""))
    if options.resource_version and options.resource_version != version:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({version}). The object might have been modified"
        )
        return conflict(resource.group, resource.kind, name_of(old), why)
    return None


def _finalizers(old: Mapping[str, Any], options: RemovalOptions) -> list[str]:
    """Return the finalizers with those of the propagation policy; without a policy they stay as they are."""
    finalizers = list(metadata(old).get("finalizers") or ())
    if options.propagation is None:
        return finalizers
    kept = [finalizer for finalizer in finalizers if finalizer not in (_FOREGROUND, _ORPHAN)]
    match options.propagation:
        case "Foreground":
            return [*kept, _FOREGROUND]
        case "Orphan":
            return [*kept, _ORPHAN]
        case "Background":
            return kept


def _grace_s(resource: Resource, old: Mapping[str, Any], options: RemovalOptions) -> int:
    """Return how long the agent may take; 0 when nobody has to be waited for."""
    spec, phase = old.get("spec") or {}, (old.get("status") or {}).get("phase", "")
    if not resource.graceful_deletion or not spec.get("nodeName") or phase in _FINISHED:
        return 0
    asked = options.grace_period_s
    if asked is None:
        configured = spec.get("terminationGracePeriodSeconds")
        asked = _DEFAULT_GRACE_S if configured is None else int(configured)
    asked = 1 if asked < 0 else asked  # upstream: a negative grace means "at once, but through the kubelet"
    if is_deleting(old):
        return min(asked, int(metadata(old).get("deletionGracePeriodSeconds") or 0))
    return asked


def _mark(resource: Resource, new: Obj, grace_s: int, wall_s: float) -> None:
    """Set deletionTimestamp and grace; a second deletion may only make them shorter."""
    meta = new["metadata"]
    if not meta.get("deletionTimestamp"):
        meta["deletionTimestamp"] = format_time(wall_s + grace_s)
        meta["deletionGracePeriodSeconds"] = grace_s
        if meta.get("generation"):
            meta["generation"] = int(meta["generation"]) + 1
        return
    before_s = int(meta.get("deletionGracePeriodSeconds") or 0)
    if grace_s < before_s:
        asked_at_s = parse_time(str(meta["deletionTimestamp"])) - before_s
        meta["deletionTimestamp"] = format_time(asked_at_s + grace_s)
        meta["deletionGracePeriodSeconds"] = grace_s
