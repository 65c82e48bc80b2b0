"""Create and update as decisions: old object, new object, context -> what to store.

Invariants of what is stored:
  1. name, namespace, uid and creationTimestamp never change; deletionTimestamp and its grace only by deletion.
  2. generation starts at 1 and grows by one with every change outside metadata and status (resources that have one).
  3. The main resource does not change status; /status changes nothing but status, labels, annotations, finalizers,
     and of resources whose status stands alone nothing but status.
  4. A write of what is there already is no write: no new resourceVersion, no watch event.
  5. While an object is being deleted no finalizer is added; when the last one goes, the object goes.

Upstream: apiserver registry/rest (BeforeCreate, BeforeUpdate), registry/generic/registry/store.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import MODIFIED, BadRequestError, FieldError, UnnamedError, conflict
from minikube_py.api.json_values import is_same_json
from minikube_py.api.meta import Obj, format_time, is_deleting, metadata, name_of, namespace_of, uid_of
from minikube_py.api.names import Messages
from minikube_py.api.resource import Resource
from minikube_py.api.rules.metadata import validate_metadata_update
from minikube_py.apiserver.decisions import (
    NO_CHANGE,
    Decision,
    NoChange,
    Reject,
    Remove,
    Write,
    WriteContext,
    reject_invalid,
)
from minikube_py.apiserver.managed_fields import record_owners

GENERATED_SUFFIX_LENGTH = 5
GENERATED_PREFIX_MAX = 58
"""A generateName is cut to this, so that the name fits into 63 characters (upstream: names.SimpleNameGenerator)."""
_META_FIELDS = ("labels", "annotations", "finalizers", "ownerReferences")
"""What clients say in the metadata."""
_SERVER_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")

_CARRIED_FIELDS = (*_SERVER_FIELDS, "namespace", "generateName")
"""What an update does not change, whatever the client sends."""


class _Hex:
    """How upstream shows the resourceVersion that was not given."""

    def __str__(self) -> str:
        return "0x0"


UNSET_VERSION = _Hex()


def fill_name(obj: Obj, suffix: str) -> None:
    """Give an object with generateName and without a name its name (upstream: FillObjectMetaSystemFields)."""
    meta = obj["metadata"]
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = str(meta["generateName"])[:GENERATED_PREFIX_MAX] + suffix


def create(resource: Resource, obj: Obj, context: WriteContext) -> Decision:
    """Decide a creation; `obj` is decoded, private, has its name, and is changed in place."""
    meta = obj.setdefault("metadata", {})
    if resource.namespaced and meta.get("namespace", context.namespace) not in ("", None, context.namespace):
        return Reject(
            BadRequestError("the namespace of the provided object does not match the namespace sent on the request")
        )
    meta.pop("namespace", None)
    if resource.namespaced:
        meta["namespace"] = context.namespace
    version = meta.pop("resourceVersion", "")
    _drop_server_fields(meta)
    resource.rules.set_defaults(obj)
    record_owners(resource, None, obj, context)
    meta["uid"] = context.uid
    meta["creationTimestamp"] = format_time(context.wall_s)
    if resource.has_generation:
        meta["generation"] = 1
    resource.rules.prepare_create(obj)
    faults = _name_faults(meta) + resource.rules.validate(obj)
    if not faults:
        faults = context.complete(obj, None)
    if faults:
        return reject_invalid(resource, obj, faults)
    if version:
        return Reject(UnnamedError("resourceVersion should not be set on objects to be created"))
    return Write(obj)


def update(resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    """Decide an update of the main resource; `new` is decoded, private, and changed in place; `old` is only read."""
    refused = check_identity(resource, old, new, context) or _check_conditional(resource, new)
    if refused is not None:
        return refused
    _carry_over(new, old)
    if resource.subresource("status"):
        _copy_field("status", old, new)
    resource.rules.set_defaults(new)
    record_owners(resource, old, new, context)
    resource.rules.prepare_update(new, old)
    given = context.complete(new, old)
    _bump_generation(resource, old, new)
    faults = finalizer_faults(old, new) + resource.rules.validate_update(new, old) + given
    if faults:
        return reject_invalid(resource, new, faults)
    return settle(resource, old, new)


def update_status(resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    """Decide an update through /status: everything but the status and some metadata stays as it is."""
    refused = check_identity(resource, old, new, context) or _check_conditional(resource, new)
    if refused is not None:
        return refused
    _carry_over(new, old)
    for field in _META_FIELDS if resource.status_alone else ("ownerReferences",):
        _copy_field(field, metadata(old), new["metadata"])
    if resource.custom is not None:
        resource.rules.set_defaults(new)
    kept = {field: value for field, value in old.items() if field not in ("metadata", "status")}
    merged: Obj = {**kept, "metadata": new["metadata"]}
    if "status" in new:
        merged["status"] = new["status"]
    record_owners(resource, old, merged, context)
    if resource.prepare_status is not None:
        resource.prepare_status(merged, old, context.wall_s)
    faults = finalizer_faults(old, merged)
    if not resource.status_alone:
        faults += tuple(validate_metadata_update(merged, old, _any_name))
    if resource.validate_status is not None:
        faults += resource.validate_status(merged, old)
    if faults:
        return reject_invalid(resource, merged, faults)
    return settle(resource, old, merged)


def settle(resource: Resource, old: Mapping[str, Any], new: Obj) -> Write | Remove | NoChange:
    """Decide between writing, removing (the last finalizer went) and doing nothing (it is equal)."""
    if goes_with_update(resource, new):
        return Remove(new)
    return NO_CHANGE if _equal(old, new) else Write(new)


def goes_with_update(resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Return whether an object that is being deleted has nothing left to wait for.

    An object without a grace period goes with its last finalizer; one with a grace period (a pod) waits for the
    deletion with grace 0 that its agent sends; a Namespace waits for its spec.finalizers too.
    """
    meta = metadata(obj)
    if not meta.get("deletionTimestamp") or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return not (resource.subresource("finalize") and (obj.get("spec") or {}).get("finalizers"))


def _any_name(name: str) -> Messages:
    """Find no fault in a name that is stored already."""
    del name
    return ()


def check_identity(
    resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext, *, kind: str = ""
) -> Reject | None:
    """Compare name, namespace, uid and resourceVersion with the URL and with what is stored."""
    meta = new.setdefault("metadata", {})
    name, namespace = name_of(new), namespace_of(new)
    if not name:
        why = f"the name of the object ({context.name} based on URL) was undeterminable: name must be provided"
        return Reject(BadRequestError(why))
    if name != context.name:
        return Reject(
            BadRequestError(f"the name of the object ({name}) does not match the name on the URL ({context.name})")
        )
    if resource.namespaced and namespace not in ("", context.namespace):
        why = f"the namespace of the object ({namespace}) does not match the namespace on the request"
        return Reject(BadRequestError(f"{why} ({context.namespace})"))
    uid = meta.get("uid")
    if uid and uid != uid_of(old):
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {uid_of(old)}"
        return Reject(conflict(resource.group, resource.plural, name, why))
    return _check_version(resource, old, meta, kind)


def _check_version(resource: Resource, old: Mapping[str, Any], meta: Obj, kind: str) -> Reject | None:
    version = meta.get("resourceVersion")
    if not version or version == "0" or version == metadata(old).get("resourceVersion"):
        return None
    if not (str(version).isascii() and str(version).isdigit()):
        return Reject(UnnamedError(f'strconv.ParseUint: parsing "{version}": invalid syntax'))
    return Reject(conflict(resource.group, kind or resource.plural, str(meta.get("name", "")), MODIFIED))


def _check_conditional(resource: Resource, new: Obj) -> Reject | None:
    """Refuse an update that does not say what it replaces, of resources that want to know."""
    if resource.unconditional_update or new["metadata"].get("resourceVersion"):
        return None
    path, detail = "metadata.resourceVersion", "must be specified for an update"
    return reject_invalid(resource, new, (FieldError("FieldValueInvalid", path, detail, UNSET_VERSION),))


def check_patched_uid(resource: Resource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Reject | None:
    """Refuse a patch that changes the uid: there it is no precondition, as it is in an update."""
    uid = metadata(new).get("uid")
    if not uid or uid == uid_of(old):
        return None
    return reject_invalid(
        resource, new, (FieldError("FieldValueInvalid", "metadata.uid", "field is immutable", uid),)
    )


def finalizer_faults(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the fault of adding finalizers to an object that is being deleted."""
    if not is_deleting(old):
        return ()
    before = metadata(old).get("finalizers") or ()
    added = [finalizer for finalizer in metadata(new).get("finalizers") or () if finalizer not in before]
    if not added:
        return ()
    shown = ", ".join(f'"{finalizer}"' for finalizer in added)
    detail = "no new finalizers can be added if the object is being deleted, found new finalizers []string{" + shown
    return (FieldError("FieldValueForbidden", "metadata.finalizers", detail + "}"),)


def _name_faults(meta: Mapping[str, Any]) -> tuple[FieldError, ...]:
    if meta.get("name"):
        return ()
    return (FieldError("FieldValueRequired", "metadata.name", "name or generateName is required"),)


def _drop_server_fields(meta: Obj) -> None:
    for field in (*_SERVER_FIELDS, "selfLink"):
        meta.pop(field, None)


def _carry_over(new: Obj, old: Mapping[str, Any]) -> None:
    """Set what only the server sets as it was, whatever the client sent."""
    meta, before = new["metadata"], metadata(old)
    meta.pop("selfLink", None)
    for field in _CARRIED_FIELDS:
        if field in before:
            meta[field] = before[field]
        else:
            meta.pop(field, None)


def _copy_field(field: str, source: Mapping[str, Any], target: Obj) -> None:
    if field in source:
        target[field] = source[field]
    else:
        target.pop(field, None)


def _bump_generation(resource: Resource, old: Mapping[str, Any], new: Obj) -> None:
    if not resource.has_generation:
        return
    # of a custom resource without /status its status is part of what is desired
    has_status = resource.custom is None or resource.subresource("status") is not None
    before, after = (_desired(obj, has_status=has_status) for obj in (old, new))
    # fields of built-in kinds have one type each
    if before != after or (resource.custom is not None and not is_same_json(before, after)):
        new["metadata"]["generation"] = int(metadata(old).get("generation", 0)) + 1


def _desired(obj: Mapping[str, Any], *, has_status: bool) -> Obj:
    skipped = ("metadata", "status") if has_status else ("metadata",)
    return {field: value for field, value in obj.items() if field not in skipped}


def _equal(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether two states differ in nothing but resourceVersion and the times in managedFields."""
    if {k: v for k, v in old.items() if k != "metadata"} != {k: v for k, v in new.items() if k != "metadata"}:
        return False
    if _comparable(metadata(old)) != _comparable(metadata(new)):
        return False
    return all(value is new[k] or is_same_json(value, new[k]) for k, value in old.items() if k != "metadata")


def _comparable(meta: Mapping[str, Any]) -> Obj:
    compared = {field: value for field, value in meta.items() if field not in ("resourceVersion", "managedFields")}
    compared["managedFields"] = [
        {field: value for field, value in entry.items() if field != "time"}
        for entry in meta.get("managedFields") or ()
    ]
    return compared
