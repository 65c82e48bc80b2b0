"""Ask a resource's rules about the least object with something changed: tables of cases instead of builders.

A change names a place by its path, list indices included: `{"spec.rules.0.host": "*"}`; REMOVED takes a field away.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.resource import Fields, Resource
from minikube_py.testing.least_objects import least_object

REMOVED = object()
Fault = tuple[str, str]
"""(field, reason without FieldValue)"""


def with_changes(obj: Mapping[str, Any], changes: Mapping[str, Any]) -> Obj:
    """Return a copy of an object with values set at paths."""
    changed = copy_object(obj)
    for path, value in changes.items():
        *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = changed
        last_key: Any = last
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        if value is REMOVED:
            del place[last_key]
        else:
            place[last_key] = copy_object({"": value})[""]
    return changed


def made(resource: Resource, changes: Mapping[str, Any] | None = None) -> Obj:
    """Return the least object with changes, as it is after its creation has been prepared."""
    obj = with_changes(least_object(resource), changes or {})
    obj["metadata"]["uid"] = "u"
    resource.rules.set_defaults(obj)
    resource.rules.prepare_create(obj)
    return obj


def new_faults(resource: Resource, changes: Mapping[str, Any] | None = None) -> list[Fault]:
    """Return the faults of a new object."""
    return _shown(resource.rules.validate(made(resource, changes)))


def update_faults(
    resource: Resource, changes: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> list[Fault]:
    """Return the faults of changing the least object (with `before` in it)."""
    old = made(resource, before)
    new = with_changes(old, changes)
    resource.rules.set_defaults(new)
    resource.rules.prepare_update(new, old)
    return _shown(resource.rules.validate_update(new, old))


def _shown(faults: Fields) -> list[Fault]:
    return [(fault.field, fault.reason.removeprefix("FieldValue")) for fault in faults]
