"""Which names a CustomResourceDefinition gets, and whether its objects are served.

Names are free or taken within a group. What was accepted once stays accepted; a definition is established as soon as
all its names are accepted, in the very write that creates it, and stays established.

Upstream: apiextensions-apiserver controller/status/naming_controller.go and controller/establish.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minikube_py.api.meta import Obj, format_time, name_of
from minikube_py.api.rules.apiextensions import condition_is
from minikube_py.api.rules.faults import items, part

_NAMES = ("plural", "singular", "kind", "listKind")


def settle_names(crd: Obj, others: Iterable[Mapping[str, Any]], wall_s: float) -> None:
    """Set acceptedNames and the conditions of a definition, in place, beside the other ones of its group."""
    status = crd.setdefault("status", {})
    taken_resources, taken_kinds = _taken(crd, others)
    accepted, conflicts = _accept(crd, taken_resources, taken_kinds)
    status["acceptedNames"] = accepted
    if conflicts:
        reason, message = conflicts[0]
        set_condition(crd, "NamesAccepted", "False", reason, message, wall_s)
        if not condition_is(crd, "Established", "True"):
            set_condition(crd, "Established", "False", "NotAccepted", "not all names are accepted", wall_s)
        return
    set_condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found", wall_s)
    if not condition_is(crd, "Established", "True"):
        message = "the initial names have been accepted"
        set_condition(crd, "Established", "True", "InitialNamesAccepted", message, wall_s)


def _taken(crd: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    group = part(crd, "spec").get("group")
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if name_of(other) == name_of(crd) or part(other, "spec").get("group") != group:
            continue
        names = part(part(other, "status"), "acceptedNames")
        resources.update(name for name in (names.get("plural"), names.get("singular")) if name)
        resources.update(items(names, "shortNames"))
        kinds.update(name for name in (names.get("kind"), names.get("listKind")) if name)
    return resources, kinds


def _accept(crd: Mapping[str, Any], resources: set[str], kinds: set[str]) -> tuple[Obj, list[tuple[str, str]]]:
    """Return the accepted names, and (reason, message) of each conflict; a conflict keeps the name of before."""
    wanted, before = part(part(crd, "spec"), "names"), part(part(crd, "status"), "acceptedNames")
    accepted: Obj = {}
    conflicts: list[tuple[str, str]] = []
    for field in _NAMES:
        name, taken = wanted.get(field, ""), kinds if field in ("kind", "listKind") else resources
        if name and name in taken:
            conflicts.append((f"{field[0].upper()}{field[1:]}Conflict", f'"{name}" is already in use'))
            name = before.get(field, "")
        accepted[field] = name
    short_names = items(wanted, "shortNames")
    clashes = [name for name in short_names if name in resources]
    if clashes:
        conflicts.append(("ShortNamesConflict", f'"{clashes[0]}" is already in use'))
        short_names = items(before, "shortNames")
    if short_names:
        accepted["shortNames"] = list(short_names)
    if wanted.get("categories"):
        accepted["categories"] = list(wanted["categories"])
    return accepted, conflicts


def set_condition(crd: Obj, kind: str, status: str, reason: str, message: str, wall_s: float) -> None:
    """Set one condition in place; its time moves when its status does."""
    conditions = list(items(part(crd, "status"), "conditions"))
    condition = {
        "type": kind,
        "status": status,
        "lastTransitionTime": format_time(wall_s),
        "reason": reason,
        "message": message,
    }
    for index, old in enumerate(conditions):
        if old.get("type") == kind:
            if old.get("status") == status:
                condition["lastTransitionTime"] = old.get("lastTransitionTime", condition["lastTransitionTime"])
            conditions[index] = condition
            break
    else:
        conditions.append(condition)
    crd["status"] = {**part(crd, "status"), "conditions": conditions}
