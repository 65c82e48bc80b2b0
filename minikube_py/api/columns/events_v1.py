"""Columns of events.k8s.io's Events: those of core's, whose other spelling they are."""

from minikube_py.api.columns.core_v1 import EVENT_COLUMNS as CORE_COLUMNS
from minikube_py.api.resource import Column
from minikube_py.api.rules.events import to_core

EVENT_COLUMNS = tuple(
    Column(
        column.name,
        lambda obj, now, cell=column.cell: cell(to_core(obj), now),  # type: ignore[misc]
        type=column.type,
        format=column.format,
        description=column.description,
        priority=column.priority,
    )
    for column in CORE_COLUMNS
)
