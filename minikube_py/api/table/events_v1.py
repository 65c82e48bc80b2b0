"""The row of events.k8s.io/v1: core's Events in another spelling."""

from dataclasses import replace

from minikube_py.api.columns.events_v1 import EVENT_COLUMNS
from minikube_py.api.resource import Rules, StoredAs
from minikube_py.api.rules import events
from minikube_py.api.rules.rule_sets import change_nothing, keep_new
from minikube_py.api.table.core_v1 import EVENTS
from minikube_py.api.table.parts import select

_REGARDING = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
NEW_EVENTS = replace(
    EVENTS,
    group="events.k8s.io",
    rules=Rules(change_nothing, change_nothing, keep_new, events.validate_new, events.validate_change),
    columns=EVENT_COLUMNS,
    field_selectors={
        **select(*(f"regarding.{field}" for field in _REGARDING)),
        **select("reason", "type", "reportingController"),
    },
    stored_as=StoredAs(EVENTS, events.to_core, events.from_core),
)

ROWS = (NEW_EVENTS,)
