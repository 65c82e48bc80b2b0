"""The other versions in which an object can be read and written: what its owners' fields are compared in.

Built-in kinds convert by their rules. Custom ones are compared as they are: with conversion None all versions have
the same fields, and asking a webhook for every write would make each a question over the network (fields that it
moves are found again at the manager's next write).

Upstream: apimachinery util/managedfields/internal (versionconverter.go).
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource, storage_of
from minikube_py.api.resources import RESOURCES
from minikube_py.api.versioned_fields import ObjectVersion, Versions


@cache
def _siblings() -> Mapping[str, tuple[Resource, ...]]:
    """Return all rows by what they store, of those kinds that have several."""
    found: dict[str, tuple[Resource, ...]] = {}
    for row in RESOURCES:
        prefix = storage_of(row).storage_prefix
        found[prefix] = (*found.get(prefix, ()), row)
    return {prefix: rows for prefix, rows in found.items() if len(rows) > 1}


def versions_of(resource: Resource) -> Versions | None:
    """Return the other versions of a resource's objects, None when there is one version only."""
    if resource.custom is not None:
        return partial(_custom_version, resource)
    rows = _siblings().get(resource.storage_prefix)
    return partial(_built_in_version, resource, rows) if rows is not None else None


def _built_in_version(resource: Resource, rows: tuple[Resource, ...], api_version: str) -> ObjectVersion | None:
    row = next((row for row in rows if row.api_version == api_version), None)
    if row is None:
        return None
    return ObjectVersion(row.schema, partial(_convert, resource, row), partial(_convert, row, resource))


def _convert(given: Resource, wanted: Resource, obj: Mapping[str, Any]) -> Obj:
    if not (obj.get("spec") or obj.get("metadata")):
        return dict(obj)  # nothing yet: what an object was before it was made
    stored = given.stored_as.to_stored(obj) if given.stored_as else obj
    return wanted.stored_as.from_stored(stored) if wanted.stored_as else dict(stored)


def _custom_version(resource: Resource, api_version: str) -> ObjectVersion | None:
    if resource.custom is None or api_version not in resource.custom.served:
        return None
    return ObjectVersion(resource.schema, dict, dict)
