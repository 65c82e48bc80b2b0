"""Each FlowSchema says in its status whether the priority level that it names is there (condition Dangling).

Upstream: apiserver pkg/util/flowcontrol (the config controller's status updates).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, ObjectKey, copy_object, is_deleting, key_of, name_of
from minikube_py.api.resources import FLOW_SCHEMAS, PRIORITY_LEVELS
from minikube_py.client.interface import Change
from minikube_py.controllers.conditions import Condition, find_condition, set_condition
from minikube_py.controllers.plan import NOTHING, Failure, Item, Listers, Plan, Update, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch

DANGLING = "Dangling"


@dataclass(frozen=True, slots=True)
class SchemaView:
    """A FlowSchema, and whether its priority level is there."""

    schema: Obj
    level: str
    found: bool


def observe(listers: Listers, item: Item, failure: Failure | None) -> SchemaView | None:
    """Look the priority level of a FlowSchema up."""
    schema = listers.get(FLOW_SCHEMAS, item.key)
    if schema is None or is_deleting(schema):
        return None
    level = level_of(schema)
    return SchemaView(schema, level, listers.get(PRIORITY_LEVELS, ObjectKey("", level)) is not None)


def level_of(schema: Obj) -> str:
    """Return the name of the priority level."""
    return str(((schema.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name", ""))


def reconcile(seen: SchemaView, now_s: float) -> Plan:
    """Say whether the level is there, when something else is said."""
    old = seen.schema.get("status") or {}
    verb = "it exists" if seen.found else "there is no such object"
    message = f'This FlowSchema references the PriorityLevelConfiguration object named "{seen.level}" and {verb}'
    wanted = Condition(DANGLING, "False" if seen.found else "True", "Found" if seen.found else "NotFound", message)
    current = find_condition(old.get("conditions") or (), DANGLING)
    if current is not None and (current.get("status"), current.get("message")) == (wanted.status, message):
        return NOTHING
    conditions = set_condition(old.get("conditions") or (), wanted, now_s, force=True)
    changed = copy_object(seen.schema)
    changed["status"] = {**old, "conditions": list(conditions)}
    return Plan((Update(FLOW_SCHEMAS, changed, subresource="status"),))


def _items_of_level(change: Change, listers: Listers) -> Sequence[Item]:
    if change.old is not None and change.new is not None:
        return ()
    name = name_of(change.latest)
    return [
        Item(FLOW_SCHEMAS.qualified, key_of(schema))
        for schema in listers.list(FLOW_SCHEMAS)
        if level_of(schema) == name
    ]


def spec() -> ControllerSpec[SchemaView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="flow-schemas",
        component="api-priority-and-fairness",
        watches=(
            Watch(FLOW_SCHEMAS, lambda change, listers: (latest_item(FLOW_SCHEMAS, change),)),
            Watch(PRIORITY_LEVELS, _items_of_level),
        ),
        observe=observe,
        reconcile=reconcile,
        workers_max=1,
    )
