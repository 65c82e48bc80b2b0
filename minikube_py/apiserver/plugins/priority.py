"""Priority: from a pod's priorityClassName to the number that the scheduler sorts by; one default class at most.

Upstream: plugin/pkg/admission/priority.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import name_of
from minikube_py.api.resources import PRIORITY_CLASSES
from minikube_py.api.rules.scheduling_classes import SYSTEM_CLASSES
from minikube_py.apiserver.plugins.plugin import Asked, Lookups, Plugin

_PREEMPTS = "PreemptLowerPriority"
_REFUSED = (
    "the {what} ({given}) must not be provided in pod spec; "
    "priority admission controller computed {computed} from the given PriorityClass name"
)


def default_class(lookups: Lookups) -> Mapping[str, Any] | None:
    """Return the class of pods that name none; should there be several, the lowest."""
    marked = [found for found in lookups.list(PRIORITY_CLASSES) if found.get("globalDefault")]
    return min(marked, key=lambda found: (int(found.get("value") or 0), name_of(found)), default=None)


def _admit_pod(asked: Asked) -> None:
    spec = asked.new.setdefault("spec", {})
    if asked.attributes.operation == "UPDATE":
        _keep(spec, (asked.old or {}).get("spec") or {})
        return
    name = spec.get("priorityClassName") or ""
    found = asked.lookups.get(PRIORITY_CLASSES, "", name) if name else default_class(asked.lookups)
    if name and found is None:
        raise asked.refusal(f"no PriorityClass with name {name} was found")
    if found is not None:
        spec["priorityClassName"] = name_of(found)
    value = int(found.get("value") or 0) if found is not None else 0
    given = spec.get("priority")
    if given is not None and given != value:
        raise asked.refusal(_REFUSED.format(what="integer value of priority", given=given, computed=value))
    spec["priority"] = value
    policy = (found or {}).get("preemptionPolicy") or _PREEMPTS
    asked_policy = spec.get("preemptionPolicy")
    if asked_policy and asked_policy != policy:
        why = _REFUSED.format(what="string value of PreemptionPolicy", given=asked_policy, computed=policy)
        raise asked.refusal(why)
    spec["preemptionPolicy"] = policy


def _keep(spec: dict[str, Any], before: Mapping[str, Any]) -> None:
    """An update that leaves them out keeps them; whether they may change is validation's business."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and before.get(field) is not None:
            spec[field] = before[field]


def _validate_class(asked: Asked) -> None:
    attributes, name = asked.attributes, name_of(asked.new)
    if attributes.operation == "DELETE":
        if attributes.name in SYSTEM_CLASSES:
            raise asked.refusal("this is a system priority class and cannot be deleted")
        return
    if not asked.new.get("globalDefault"):
        return
    other = default_class(asked.lookups)
    if other is not None and (attributes.operation == "CREATE" or name_of(other) != name):
        marked = f"PriorityClass {name_of(other)} is already marked as default."
        raise asked.refusal(f"{marked} Only one default can exist")


PLUGINS = (
    Plugin("Priority", ("pods",), ("CREATE", "UPDATE"), mutate=_admit_pod),
    Plugin(
        "Priority",
        ("priorityclasses.scheduling.k8s.io",),
        ("CREATE", "UPDATE", "DELETE"),
        validate=_validate_class,
    ),
)
