"""Taints and tolerations: which taint of a node a pod does not tolerate (upstream: component-helpers/scheduling).

Used by the scheduler (NoSchedule, PreferNoSchedule), by eviction (NoExecute) and by the kubelet's admission.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj

NO_SCHEDULE = "NoSchedule"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
NO_EXECUTE = "NoExecute"
HARD_EFFECTS = frozenset({NO_SCHEDULE, NO_EXECUTE})

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""Set by an administrator who knows that the node is switched off: its pods need not be waited for."""


def taints_of(node: Mapping[str, Any]) -> Sequence[Obj]:
    """Return spec.taints of a Node."""
    return (node.get("spec") or {}).get("taints") or ()


def tolerations_of(pod: Mapping[str, Any]) -> Sequence[Obj]:
    """Return spec.tolerations of a Pod."""
    return (pod.get("spec") or {}).get("tolerations") or ()


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Return whether one toleration covers one taint."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator != "Equal" or not toleration.get("key"):
        return False
    return bool((toleration.get("value") or "") == (taint.get("value") or ""))


def find_untolerated(
    taints: Iterable[Obj], tolerations: Sequence[Mapping[str, Any]], effects: frozenset[str]
) -> Obj | None:
    """Return the first taint with one of `effects` that no toleration covers, or None."""
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(toleration, taint) for toleration in tolerations):
            return taint
    return None
