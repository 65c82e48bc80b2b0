"""Owners of fields seen through /scale: of all that is owned, the number of replicas, under the Scale's own path.

A Deployment's `spec.replicas` (a custom resource's may stand elsewhere) is the Scale's `spec.replicas`. After a write
through /scale its owners are put back: who has lost the number there loses it here, who has taken it there gets an
entry of its own here; all other fields keep their owners.

Upstream: apimachinery util/managedfields (scalehandler.go).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minikube_py.api.field_paths import ManagedFieldsError, Path, contains, encode_fields
from minikube_py.api.managed_fields import ManagedEntry, decode_entries, encode_entries
from minikube_py.api.meta import Obj, metadata
from minikube_py.api.resource import Resource

SCALE_VERSION = "autoscaling/v1"
_SCALE_PATH: Path = ("f:spec", "f:replicas")


def _parent_path(resource: Resource) -> Path:
    if resource.scale is None:
        return _SCALE_PATH
    return tuple(f"f:{field}" for field in resource.scale.spec_replicas)


def _decoded(obj: Mapping[str, Any]) -> tuple[ManagedEntry, ...]:
    try:
        return decode_entries(metadata(obj).get("managedFields"))
    except ManagedFieldsError:
        return ()


def scale_owners(resource: Resource, obj: Mapping[str, Any]) -> list[Obj]:
    """Return metadata.managedFields of an object's Scale."""
    path = _parent_path(resource)
    seen = encode_fields([_SCALE_PATH])
    return encode_entries(
        replace(entry, api_version=SCALE_VERSION, fields_v1=seen)
        for entry in _decoded(obj)
        if contains(entry.fields_v1, path)
    )


def parent_owners(resource: Resource, obj: Mapping[str, Any], scale: Mapping[str, Any]) -> list[Obj]:
    """Return metadata.managedFields of an object after its Scale has been written; `obj` as it was before."""
    path = _parent_path(resource)
    owners = {_who(entry): entry for entry in _decoded(scale) if contains(entry.fields_v1, _SCALE_PATH)}
    kept = _kept(_decoded(obj), path, owners)
    taken = (
        replace(entry, api_version=resource.api_version, fields_v1=encode_fields([path]), time="")
        for entry in owners.values()
    )
    return encode_entries((*kept, *taken))


def _who(entry: ManagedEntry) -> tuple[str, str, str]:
    return (entry.manager, entry.operation, entry.subresource)


def _kept(
    entries: Sequence[ManagedEntry], path: Path, owners: dict[tuple[str, str, str], ManagedEntry]
) -> list[ManagedEntry]:
    """Return the entries as they stay; those who still own the number are taken out of `owners`."""
    kept = []
    for entry in entries:
        if contains(entry.fields_v1, path) and owners.pop(_who(entry), None) is None:
            left = entry.without(frozenset({path}))
            if left.fields_v1:
                kept.append(left)
        else:
            kept.append(entry)
    return kept
