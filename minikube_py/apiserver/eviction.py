"""pods/eviction: take a pod away, if its disruption budget allows it.

The budget is what the disruption controller last wrote into its status. An eviction counts one disruption down and
notes the pod there, on the version that it has read, so that two evictions cannot use the same disruption; only then
is the pod deleted.

Upstream: registry/core/pod/storage/eviction.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from minikube_py.api.errors import ForbiddenError, StatusError, TooManyRequestsError, UnnamedError, forbidden
from minikube_py.api.meta import Obj, copy_object, format_time, is_deleting, labels_of, metadata, name_of
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resources import DISRUPTION_BUDGETS
from minikube_py.api.rules.faults import items, part
from minikube_py.api.rules.policy import ALWAYS_ALLOW, set_disruption_allowed
from minikube_py.apiserver.decisions import Decision, Write

DISRUPTED_PODS_MAX = 2000
"""A budget that has so many evictions under way allows no more (upstream: MaxDisruptedPodSize)."""
RETRY_S = 10
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class DeleteNow:
    """No budget stands in the way.

    `if_unchanged`: of the pod as it was read; another one may be ready by now, and count.
    """

    if_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Spend:
    """Use up a disruption of this budget, as it is now, then delete."""

    budget: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The pod stays."""

    error: StatusError


Verdict: TypeAlias = DeleteNow | Spend | Refuse


def decide_eviction(pod: Mapping[str, Any], budgets: Sequence[Mapping[str, Any]]) -> Verdict:
    """Return what becomes of a request to evict a pod; `budgets` are all of its namespace."""
    phase = part(pod, "status").get("phase")
    if phase in _ENDED or is_deleting(pod):
        return DeleteNow()
    if phase == "Pending":
        return DeleteNow(if_unchanged=True)
    concerned = [budget for budget in budgets if _selects(budget, pod)]
    if not concerned:
        return DeleteNow()
    if len(concerned) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        return Refuse(UnnamedError(why))
    budget = concerned[0]
    if not _is_ready(pod) and _ignores_unready(budget):
        return DeleteNow(if_unchanged=True)
    refused = _check_budget(budget)
    return Refuse(refused) if refused is not None else Spend(budget)


def _selects(budget: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    selector = part(budget, "spec").get("selector")
    return selector is not None and selects(compile_label_selector(selector), labels_of(pod))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = items(part(pod, "status"), "conditions")
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def _ignores_unready(budget: Mapping[str, Any]) -> bool:
    """Return whether a pod that is not ready may go anyhow: always, or because enough others are healthy."""
    if part(budget, "spec").get("unhealthyPodEvictionPolicy") == ALWAYS_ALLOW:
        return True
    status = part(budget, "status")
    return 0 < int(status.get("desiredHealthy") or 0) <= int(status.get("currentHealthy") or 0)


def _check_budget(budget: Mapping[str, Any]) -> StatusError | None:
    status, name = part(budget, "status"), name_of(budget)
    if int(status.get("observedGeneration") or 0) < int(metadata(budget).get("generation") or 0):
        why = f"The disruption budget {name} is still being processed by the server."
        return _too_many(why, retry_after_s=RETRY_S)
    allowed = int(status.get("disruptionsAllowed") or 0)
    if allowed < 0:
        return _forbidden(name, "pdb disruptions allowed is negative")
    if len(part(status, "disruptedPods")) > DISRUPTED_PODS_MAX:
        return _forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    if allowed:
        return None
    healthy, wanted = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
    return _too_many(f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")


def _forbidden(name: str, why: str) -> ForbiddenError:
    return forbidden(DISRUPTION_BUDGETS.group, DISRUPTION_BUDGETS.plural, name, why)


def _too_many(why: str, retry_after_s: int = 0) -> TooManyRequestsError:
    details = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return TooManyRequestsError(message, details, retry_after_s)


def spend_disruption(budget: Mapping[str, Any], pod_name: str, wall_s: float) -> Obj:
    """Return a budget with one disruption less, and the pod noted as going."""
    spent = copy_object(budget)
    status = spent.setdefault("status", {})
    status["disruptionsAllowed"] = int(status.get("disruptionsAllowed") or 0) - 1
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod_name: format_time(wall_s)}
    set_disruption_allowed(status, format_time(wall_s))
    return spent


def mark_disrupted(decision: Decision, wall_s: float) -> Decision:
    """Tell in a pod that lives on until it has stopped who wanted it gone (upstream: addConditionAndDeletePod)."""
    if not isinstance(decision, Write):
        return decision
    pod = copy_object(decision.obj)
    status = pod.setdefault("status", {})
    others = [condition for condition in items(status, "conditions") if condition.get("type") != "DisruptionTarget"]
    status["conditions"] = [
        *others,
        {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": format_time(wall_s),
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        },
    ]
    return Write(pod)
