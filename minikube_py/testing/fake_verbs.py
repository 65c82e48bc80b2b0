"""What the fake API server does to objects: creation, update, deletion, binding; pure, and apart from its history."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import MODIFIED, ConflictError, conflict
from minikube_py.api.meta import Obj, ObjectKey, copy_object, format_time, is_deleting, key_of, metadata
from minikube_py.api.resource import Resource
from minikube_py.client.interface import DeleteOptions
from minikube_py.kit.ids import Ids

_SERVER_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
"""Metadata that only the server sets."""
_STATUS_METADATA = ("labels", "annotations", "finalizers")
"""Metadata that goes through /status as well."""
_FINISHED = ("Succeeded", "Failed")
_PROPAGATION_FINALIZER = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


def with_namespace(resource: Resource, obj: Mapping[str, Any], namespace: str) -> Obj:
    """Return a private copy of `obj` in its namespace: `namespace`, its own, or `default`."""
    given = copy_object(obj)
    given.setdefault("metadata", {})
    if resource.namespaced:
        given["metadata"]["namespace"] = namespace or given["metadata"].get("namespace") or "default"
    return given


def new_object(resource: Resource, obj: Mapping[str, Any], ids: Ids, wall_s: float) -> Obj:
    """Return what a creation stores."""
    new = with_namespace(resource, obj, "")
    new["apiVersion"], new["kind"] = resource.api_version, resource.kind
    meta = new["metadata"]
    if not meta.get("name"):
        meta["name"] = meta["generateName"] + ids.new_suffix(5)
    meta.setdefault("uid", ids.new_uid())
    meta.setdefault("creationTimestamp", format_time(wall_s))
    if resource.has_generation:
        meta.setdefault("generation", 1)
    resource.rules.set_defaults(new)
    resource.rules.prepare_create(new)
    return new


def check_preconditions(resource: Resource, current: Obj, uid: str, resource_version: int) -> None:
    """Compare what the client expects with what is there.

    Raises:
        ConflictError: the object is another one, or has changed.
    """
    meta = metadata(current)
    if uid and uid != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
        raise conflict(resource.group, resource.plural, meta["name"], why)
    if resource_version and str(resource_version) != meta["resourceVersion"]:
        raise conflict(resource.group, resource.plural, meta["name"], MODIFIED)


def updated_object(resource: Resource, current: Obj, given: Mapping[str, Any], subresource: str) -> Obj:
    """Return what an update stores: the part that `subresource` (empty: all but the status) lets through."""
    new = copy_object(given)
    new["apiVersion"], new["kind"] = current["apiVersion"], current["kind"]
    if subresource == "status":
        given_metadata = new.get("metadata") or {}
        new = {**copy_object(current), "status": new.get("status") or {}}
        new["metadata"].update({f: given_metadata[f] for f in _STATUS_METADATA if f in given_metadata})
    elif subresource == "finalize":
        new = {**copy_object(current), "spec": new.get("spec") or {}}
    elif resource.subresource("status"):
        new.pop("status", None)
        if "status" in current:
            new["status"] = copy_object(current)["status"]
    meta, before = new.setdefault("metadata", {}), metadata(current)
    for field in ("name", "namespace", "resourceVersion", *_SERVER_FIELDS):
        meta.pop(field, None)
        if field in before:
            meta[field] = before[field]
    if not subresource:
        resource.rules.set_defaults(new)
        resource.rules.prepare_update(new, current)
    if resource.has_generation and _desired(new) != _desired(current):
        meta["generation"] = before.get("generation", 0) + 1
    return new


def may_go(resource: Resource, obj: Obj) -> bool:
    """Return whether an object that waits for its deletion has nothing left to wait for."""
    if not is_deleting(obj) or metadata(obj).get("finalizers"):
        return False
    if resource.subresource("finalize") and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not resource.graceful_deletion or not metadata(obj).get("deletionGracePeriodSeconds")


def mark_deleted(resource: Resource, current: Obj, options: DeleteOptions, wall_s: float) -> Obj | None:
    """Return the object as it waits for its deletion, or None when it goes at once.

    Raises:
        ConflictError: a precondition fails.
    """
    check_preconditions(resource, current, options.uid, int(options.resource_version or 0))
    new = copy_object(current)
    meta = new["metadata"]
    finalizer = _PROPAGATION_FINALIZER.get(options.propagation)
    if finalizer and finalizer not in meta.get("finalizers", ()):
        meta["finalizers"] = [*meta.get("finalizers", ()), finalizer]
    grace_s = _grace_s(resource, current, options)
    if is_deleting(current):
        grace_s = min(grace_s, int(meta.get("deletionGracePeriodSeconds") or 0))
    if not is_deleting(current) or grace_s < int(meta.get("deletionGracePeriodSeconds") or 0):
        meta["deletionTimestamp"] = format_time(wall_s + grace_s)
        meta["deletionGracePeriodSeconds"] = grace_s
        if resource.has_generation and not is_deleting(current):
            meta["generation"] = meta.get("generation", 0) + 1
    if resource.subresource("finalize") and (new.get("spec") or {}).get("finalizers"):
        new["status"] = {**(new.get("status") or {}), "phase": "Terminating"}
    return None if may_go(resource, new) else new


def bind(resource: Resource, pod: Obj, node: str, binding_metadata: Mapping[str, Any], wall_s: float) -> Obj:
    """Return the pod bound to `node`.

    Raises:
        ConflictError: the pod has a node, is being deleted, or is another one than the binding names.
    """
    key: ObjectKey = key_of(pod)
    check_preconditions(resource, pod, str(binding_metadata.get("uid", "")), 0)
    bound = copy_object(pod)
    spec = bound.setdefault("spec", {})
    if is_deleting(pod):
        raise conflict(
            resource.group, "pods/binding", key.name, f"pod {key.name} is being deleted, cannot be assigned to a host"
        )
    if spec.get("nodeName"):
        why = f'pod {key.name} is already assigned to node "{spec["nodeName"]}"'
        raise ConflictError(f'Operation cannot be fulfilled on pods/binding "{key.name}": {why}')
    spec["nodeName"] = node
    bound["metadata"]["generation"] = bound["metadata"].get("generation", 0) + 1
    status = bound.setdefault("status", {})
    kept = [c for c in status.get("conditions", ()) if c.get("type") != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": format_time(wall_s)}
    status["conditions"] = [*kept, scheduled]
    return bound


def success(code: int) -> Obj:
    """Return the Status of a request that succeeded without an object to show."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}


def _grace_s(resource: Resource, current: Obj, options: DeleteOptions) -> int:
    if not resource.graceful_deletion:
        return 0
    spec, status = current.get("spec") or {}, current.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in _FINISHED:
        return 0
    if options.grace_period_s is not None:
        return max(0, options.grace_period_s)
    return int(spec.get("terminationGracePeriodSeconds", 30))


def _desired(obj: Obj) -> Obj:
    return {field: value for field, value in obj.items() if field not in ("metadata", "status")}


def issue_token(account: str, request: Mapping[str, Any], wall_s: float) -> Obj:
    """Return a TokenRequest with a token that says whose it is and when it was made."""
    lifetime_s = float((request.get("spec") or {}).get("expirationSeconds") or 3600)
    status = {"token": f"{account}@{wall_s:.0f}", "expirationTimestamp": format_time(wall_s + lifetime_s)}
    return {**request, "status": status}
