"""Columns of the core group's workloads, limits and components (core_v1 has the rest).

Upstream: printers/internalversion (printReplicationController, printResourceQuota, printComponentStatus, ...).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.apps_v1 import REPLICA_SET_COLUMNS
from minikube_py.api.columns.workloads import CONTAINERS, IMAGES, format_labels, spec_of, status_of
from minikube_py.api.meta import labels_of
from minikube_py.api.resource import Column

REPLICATION_CONTROLLER_COLUMNS = (
    *REPLICA_SET_COLUMNS[:-1],
    Column(
        "Selector",
        lambda obj, _: format_labels(spec_of(obj).get("selector")),
        description="Which pods belong to the object.",
        priority=1,
    ),
)


def _template(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a PodTemplate in the shape of a workload, whose template it would be."""
    return {"spec": {"template": template.get("template") or {}}}


POD_TEMPLATE_COLUMNS = (
    NAME,
    Column("Containers", lambda o, now: CONTAINERS.cell(_template(o), now), description=CONTAINERS.description),
    Column("Images", lambda o, now: IMAGES.cell(_template(o), now), description=IMAGES.description),
    Column(
        "Pod Labels",
        lambda obj, _: format_labels(labels_of(obj.get("template") or {})),
        description="Labels that pods of the template get.",
    ),
)


def _quota(quota: Mapping[str, Any], *, limits: bool) -> str:
    hard, used = status_of(quota).get("hard") or {}, status_of(quota).get("used") or {}
    names = sorted(name for name in hard if name.startswith("limits") == limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)


RESOURCE_QUOTA_COLUMNS = (
    NAME,
    Column("Request", lambda o, _: _quota(o, limits=False), description="Used and allowed requests and counts."),
    Column("Limit", lambda o, _: _quota(o, limits=True), description="Used and allowed limits."),
    AGE,
)


def _component(component: Mapping[str, Any], field: str) -> str:
    conditions = component.get("conditions") or ()
    healthy: Mapping[str, Any] = next(
        (condition for condition in conditions if condition.get("type") == "Healthy"), {}
    )
    return str(healthy.get(field) or "")


def _health(component: Mapping[str, Any], _: float) -> str:
    return {"True": "Healthy", "False": "Unhealthy"}.get(_component(component, "status"), "Unknown")


COMPONENT_STATUS_COLUMNS = (
    NAME,
    Column("Status", _health, description="Healthy, Unhealthy or Unknown."),
    Column("Message", lambda obj, _: _component(obj, "message"), description="What the component says."),
    Column("Error", lambda obj, _: _component(obj, "error"), description="What is wrong with it."),
)
