"""Events of the group events.k8s.io: another spelling of core's Events, with stricter rules.

Stored is core's form. Components that report in the new way give the time, who reports and what was done; what the
old ones need may not be set.

Upstream: pkg/apis/events/v1 conversion.go, pkg/apis/core/validation ValidateEventCreate, ValidateEventUpdate.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj, namespace_of
from minikube_py.api.names import qualified_name_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    invalid,
    part,
    required,
)
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update

NOTE_LENGTH_MAX = 1024
TEXT_LENGTH_MAX = 128
_RENAMED = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)
"""(name in core/v1, name in events.k8s.io/v1); all other fields have one name."""
_TO_CORE = {new: old for old, new in _RENAMED}
_FROM_CORE = dict(_RENAMED)
_NOT_SET = (
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
    ("deprecatedSource", "source"),
)
_FROZEN = (
    "involvedObject",
    "reason",
    "message",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
    "type",
)


def to_core(event: Mapping[str, Any]) -> Obj:
    """Return the stored form of an event of events.k8s.io."""
    return {**{_TO_CORE.get(field, field): value for field, value in event.items()}, "apiVersion": "v1"}


def from_core(event: Mapping[str, Any]) -> Obj:
    """Return a stored event as events.k8s.io shows it; a time that is missing is written as null there."""
    shown = {_FROM_CORE.get(field, field): value for field, value in event.items()}
    return {"eventTime": None, **shown, "apiVersion": "events.k8s.io/v1"}


def validate_new(event: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a new event of events.k8s.io, under the paths that upstream gives them."""
    return (*validate_metadata(event), *_validate_namespace(event), *_validate_report(event))


def validate_change(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed event: only its series goes on."""
    core_new, core_old = to_core(new), to_core(old)
    return (
        *validate_metadata_update(new, old),
        *_validate_namespace(new),
        *(fault for field in _FROZEN for fault in check_immutable(field, core_new.get(field), core_old.get(field))),
    )


def _validate_namespace(event: Mapping[str, Any]) -> Faults:
    about, namespace = part(event, "regarding").get("namespace") or "", namespace_of(event)
    if about != namespace and not (not about and namespace in ("default", "kube-system")):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")


def _validate_report(event: Mapping[str, Any]) -> Faults:
    if not event.get("eventTime"):
        yield required("eventTime")
    controller = event.get("reportingController") or ""
    if not controller:
        yield required("reportingController")
    yield from all_invalid("reportingController", controller, qualified_name_faults(controller) if controller else ())
    for field, path in (
        ("reportingInstance", "reportingControllerInstance"),
        ("action", "action"),
        ("reason", "reason"),
    ):
        text = event.get(field) or ""
        if not text:
            yield required(path)
        elif len(text) > TEXT_LENGTH_MAX:
            yield invalid(path, "", f"can have at most {TEXT_LENGTH_MAX} characters")
    if len(event.get("note") or "") > NOTE_LENGTH_MAX:
        yield invalid("message", "", f"can have at most {NOTE_LENGTH_MAX} characters")
    if event.get("type") not in ("Normal", "Warning"):
        yield invalid("type", event.get("type") or "", "has invalid value: must be Normal or Warning")
    for field, path in _NOT_SET:
        if event.get(field):
            yield invalid(path, event[field], "needs to be unset")
