"""Tables: what `kubectl get` prints, made on the server so that every client prints the same.

Columns and cells belong to the resource (api/columns); this module only puts them together. Wide columns are always
sent, a client filters by priority. Age is computed when a row is rendered.

Upstream: printers/tablegenerator.go and apiserver endpoints/handlers/response.go.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson

from minikube_py.api.columns.ages import NAME
from minikube_py.api.meta import Obj, metadata
from minikube_py.api.resource import Column, Resource, cells_of
from minikube_py.apiserver.glance import Glance

IncludeObject = Literal["Metadata", "Object", "None"]
"""What a row carries beside its cells: nothing but metadata, the whole object, or null."""

_DEFAULT_COLUMNS = (
    NAME,
    Column("Created At", lambda obj, _: metadata(obj).get("creationTimestamp"), type="date"),
)


def render_table(
    resource: Resource,
    objects: Iterable[Mapping[str, Any]],
    wall_s: float,
    *,
    include_object: str = "Metadata",
    list_meta: Obj | None = None,
    with_definitions: bool = True,
) -> Obj:
    """Return a meta.k8s.io/v1 Table of `objects`.

    Args:
        resource: whose columns to print.
        objects: the rows, in order.
        wall_s: now, in seconds since the epoch, for ages.
        include_object: one of IncludeObject.
        list_meta: resourceVersion, continue and remainingItemCount of the list.
        with_definitions: False for every event but the first of a watch, whose columnDefinitions are null.
    """
    columns = resource.columns or _DEFAULT_COLUMNS
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_meta or {},
        "columnDefinitions": [_definition(column) for column in columns] if with_definitions else None,
        "rows": [_row(resource, columns, obj, wall_s, include_object) for obj in objects],
    }


def partial_metadata(obj: Mapping[str, Any]) -> Obj:
    """Return a PartialObjectMetadata: what clients need that care for metadata only."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata(obj)}


def _definition(column: Column) -> Obj:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(
    resource: Resource, columns: Iterable[Column], obj: Mapping[str, Any], wall_s: float, include_object: str
) -> Obj:
    row = _cells(resource, columns, obj, wall_s)
    match include_object:
        case "Object":
            row["object"] = dict(obj)
        case "None":
            row["object"] = None
        case _:
            row["object"] = partial_metadata(obj)
    return row


def _cells(resource: Resource, columns: Iterable[Column], obj: Mapping[str, Any], wall_s: float) -> Obj:
    """Return a row without what it carries."""
    row: Obj = {"cells": cells_of(columns, obj, wall_s)}
    conditions = resource.row_conditions(obj) if resource.row_conditions else ()
    if conditions:
        row["conditions"] = list(conditions)
    return row


def table_row(resource: Resource, seen: Glance, wall_s: float, version: str) -> Obj:
    """Return a row that carries nothing but metadata, for orjson: what `kubectl get` asks for."""
    row = _cells(resource, resource.columns or _DEFAULT_COLUMNS, seen.obj, wall_s)
    row["object"] = {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": orjson.Fragment(seen.metadata),
    }
    return row
