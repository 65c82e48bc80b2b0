"""Rules for `metadata`, the same for every kind but for the form of its name.

That a name is there at all is checked by the verbs, which know generateName. Fields that only the server sets
(uid, creationTimestamp, ...) are carried over by the verbs too, so a client cannot change them; what clients may set,
labels, annotations, owners and finalizers, is checked here.

Upstream: apimachinery api/validation/objectmeta.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.meta import metadata
from minikube_py.api.names import (
    Messages,
    dns_label_faults,
    dns_subdomain_faults,
    label_value_faults,
    qualified_name_faults,
)
from minikube_py.api.rules.faults import IMMUTABLE, Faults, all_invalid, invalid, items, required, too_long

NameCheck = Callable[[str], Messages]

ANNOTATIONS_BYTES_MAX = 256 * 1024
"""Keys and values of all annotations of one object together."""

_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_OF_THE_SERVER = frozenset({"generation", "managedFields", "resourceVersion"})
"""What changes with every write, and has no rules here."""
_OWNER_REQUIRED = (("kind", "kind"), ("name", "name"), ("uid", "uid"))


def validate_metadata(obj: Mapping[str, Any], name_check: NameCheck = dns_subdomain_faults) -> Faults:
    """Yield the faults of an object's metadata."""
    meta = metadata(obj)
    prefix = str(meta.get("generateName") or "")
    if prefix:
        # a generated name goes on after the prefix, so a final dash does not count
        yield from all_invalid("metadata.generateName", prefix, name_check(_masked(prefix)))
    if meta.get("name"):
        yield from all_invalid("metadata.name", meta["name"], name_check(str(meta["name"])))
    if meta.get("namespace"):
        yield from all_invalid("metadata.namespace", meta["namespace"], dns_label_faults(str(meta["namespace"])))
    yield from validate_labels(meta.get("labels") or {}, "metadata.labels")
    yield from validate_annotations(meta.get("annotations") or {}, "metadata.annotations")
    yield from _validate_owners(meta)
    yield from _validate_finalizers(meta)


def validate_metadata_update(
    new: Mapping[str, Any], old: Mapping[str, Any], name_check: NameCheck = dns_subdomain_faults
) -> Faults:
    """Yield the faults of a change of metadata; what stays as it is was looked at when it came."""
    after, before = metadata(new), metadata(old)
    changed = {field: value for field, value in after.items() if before.get(field) != value}
    if not changed.keys() <= _OF_THE_SERVER:
        yield from validate_metadata({"metadata": changed}, name_check)
    for field in _IMMUTABLE:
        if after.get(field) != before.get(field):
            yield invalid(f"metadata.{field}", after.get(field), IMMUTABLE)


def validate_labels(labels: Mapping[str, str], path: str) -> Faults:
    """Yield the faults of a map of labels (selectors of Services are such maps too)."""
    for key, value in sorted(labels.items()):
        yield from all_invalid(path, key, qualified_name_faults(key))
        yield from all_invalid(path, value, label_value_faults(value))


def validate_annotations(annotations: Mapping[str, str], path: str) -> Faults:
    """Yield the faults of annotations: their keys (in lower case, for old times' sake) and their size."""
    size = 0
    for key, value in sorted(annotations.items()):
        yield from all_invalid(path, key, qualified_name_faults(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_BYTES_MAX:
        yield too_long(path, ANNOTATIONS_BYTES_MAX)


def _masked(prefix: str) -> str:
    return prefix[:-1] + "a" if prefix.endswith("-") and len(prefix) > 1 else prefix


def _validate_owners(meta: Mapping[str, Any]) -> Faults:
    path = "metadata.ownerReferences"
    controllers = []
    for owner in items(meta, "ownerReferences"):
        yield from _validate_owner(owner, path)
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        detail = (
            "Only one reference can have Controller set to true. Found "
            f'"true" in references for {controllers[0]} and {controllers[1]}'
        )
        yield invalid(path, list(items(meta, "ownerReferences")), detail)


def _validate_owner(owner: Mapping[str, Any], path: str) -> Faults:
    version = str(owner.get("apiVersion") or "")
    if not version.rpartition("/")[2] or version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, "version must not be empty")
    if version == "v1" and owner.get("kind") == "Event":
        yield invalid(path, dict(owner), "/v1, Kind=Event is disallowed from being an owner")
    for field, shown in _OWNER_REQUIRED:
        if not owner.get(field):
            yield invalid(f"{path}.{field}", "", f"{shown} must not be empty")


def _validate_finalizers(meta: Mapping[str, Any]) -> Faults:
    for index, finalizer in enumerate(items(meta, "finalizers")):
        yield from validate_finalizer(finalizer, f"metadata.finalizers[{index}]")
    finalizers = set(items(meta, "finalizers"))
    if {"orphan", "foregroundDeletion"} <= finalizers:
        detail = 'finalizer "orphan" and "foregroundDeletion" cannot be both set'
        yield invalid("metadata.finalizers", sorted(finalizers), detail)


def validate_finalizer(finalizer: str, path: str) -> Faults:
    """Yield the faults of one finalizer: a standard one, or a name with a domain."""
    if not finalizer:
        yield required(path)
        return
    yield from all_invalid(path, finalizer, qualified_name_faults(finalizer))
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        yield invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")
