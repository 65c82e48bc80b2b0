"""Group versions of other API servers, as controllers need them that care for all objects there are.

An APIService says which other server has a group version, and whether it can be asked; what resources there are only
that server knows. While one cannot be asked nobody knows whether something of it is left in a namespace.

Upstream: the discovery client in pkg/controller/namespace/deletion (stale group versions are errors there).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.resource import Resource
from minikube_py.api.rules.rule_sets import make_rules
from minikube_py.controllers.conditions import find_condition

_NEEDED_VERBS = {"list", "delete"}
_NO_RULES = make_rules()


@dataclass(frozen=True, slots=True, order=True)
class OtherGroup:
    """One group version of another server."""

    group: str
    version: str
    available: bool

    @property
    def group_version(self) -> str:
        """Return `group/version`."""
        return f"{self.group}/{self.version}"


def other_groups(api_services: Iterable[Mapping[str, Any]]) -> tuple[OtherGroup, ...]:
    """Return the group versions of other servers among APIServices, sorted."""
    found = []
    for service in api_services:
        spec = service.get("spec") or {}
        if spec.get("service"):
            conditions = (service.get("status") or {}).get("conditions") or ()
            condition = find_condition(conditions, "Available") or {}
            available = condition.get("status") == "True"
            found.append(OtherGroup(str(spec.get("group") or ""), str(spec.get("version") or ""), available))
    return tuple(sorted(found))


def discovery_failure(groups: Sequence[OtherGroup]) -> str:
    """Return upstream's words for group versions that cannot be asked, an empty text when all can."""
    failing = [group.group_version for group in groups if not group.available]
    if not failing:
        return ""
    said = ", ".join(f"{name}: stale GroupVersion discovery: {name}" for name in failing)
    return (
        f"Discovery failed for some groups, {len(failing)} failing: "
        f"unable to retrieve the complete list of server APIs: {said}"
    )


def other_rows(group: str, version: str, document: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return the resources of an APIResourceList."""
    return tuple(
        Resource(
            group=group,
            version=version,
            kind=str(entry.get("kind") or ""),
            plural=str(entry["name"]),
            singular=str(entry.get("singularName") or ""),
            namespaced=bool(entry.get("namespaced")),
            rules=_NO_RULES,
            columns=(),
            verbs=tuple(entry.get("verbs") or ()),
        )
        for entry in document.get("resources") or ()
        if "/" not in str(entry["name"])
    )


def deletable_rows(group: str, version: str, document: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return the namespaced resources of an APIResourceList whose objects can be listed and deleted."""
    rows = other_rows(group, version, document)
    return tuple(row for row in rows if row.namespaced and {*row.verbs} >= _NEEDED_VERBS)
