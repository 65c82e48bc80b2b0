"""Disruption budgets: how many of the pods that a budget protects may be taken away at this moment.

    allowed = healthy pods - pods that must stay healthy        (never below 0, 0 when no pods are expected)

`minAvailable: 3` says itself how many must stay; a percentage, and `maxUnavailable`, count from how many pods their
controllers want (`disruption_scale`). Percentages are rounded up. An eviction counts `disruptionsAllowed` down and
notes the pod in `disruptedPods`: until this controller sees the pod being deleted, or two minutes have passed, the
pod counts as gone. The status is the API server's only source: without this controller nothing can be evicted.

Upstream: pkg/controller/disruption.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from minikube_py.api.meta import (
    Obj,
    copy_object,
    format_time,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
)
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resources import DISRUPTION_BUDGETS, PODS
from minikube_py.api.rules.faults import percent_of
from minikube_py.api.rules.policy import set_disruption_allowed, set_disruption_condition
from minikube_py.client.interface import Change
from minikube_py.controllers.disruption_scale import SCALED, Expectation, expectation, shape_of
from minikube_py.controllers.plan import Action, Failure, Item, Listers, Plan, Record, Update, latest_item
from minikube_py.controllers.pod_state import is_ready
from minikube_py.controllers.service_pods import LABEL_PAIR, PODS_BY_LABEL
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.controllers.timestamps import seconds_of

DELETION_TIMEOUT_S = 120.0
"""An evicted pod that is not being deleted after so long counts again (upstream: DeletionTimeout)."""


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget, the pods that it selects, and how many of them their controllers want."""

    budget: Obj
    pods: tuple[Obj, ...]
    expected: Expectation


@dataclass(frozen=True, slots=True)
class Going:
    """Evictions under way: `noted` is the new disruptedPods, `expired` are pods that stayed in spite of theirs."""

    noted: Mapping[str, str]
    expired: tuple[Obj, ...]
    next_s: float | None


def observe(listers: Listers, item: Item, failure: Failure | None) -> BudgetView | None:
    """Collect the pods of a budget and what their controllers want."""
    budget = listers.get(DISRUPTION_BUDGETS, item.key)
    if budget is None or is_deleting(budget):
        return None
    pods = _select_pods(listers, budget)
    return BudgetView(budget, pods, expectation(listers, pods))


def _select_pods(listers: Listers, budget: Obj) -> tuple[Obj, ...]:
    given = (budget.get("spec") or {}).get("selector")
    selector, namespace = compile_label_selector(given), namespace_of(budget)
    if given is None or selector is None:
        return ()
    exact = sorted((given.get("matchLabels") or {}).items())
    found = (listers.by_index(PODS, LABEL_PAIR, f"{namespace}/{key}={value}") for key, value in exact)
    candidates = min(found, key=len) if exact else listers.list(PODS, namespace)
    return tuple(pod for pod in candidates if selects(selector, labels_of(pod)))


def reconcile(seen: BudgetView, now_s: float) -> Plan:
    """Compute the status of a budget, and tell what keeps it from being right."""
    events = _events(seen)
    counts = desired(seen)
    going = pods_going(seen, now_s)
    actions = [*events, *(_not_deleted(seen.budget, pod) for pod in going.expired)]
    old = seen.budget.get("status") or {}
    status = copy_object(old)
    now = format_time(now_s)
    if counts is None:
        message = seen.expected.fault
        status["disruptionsAllowed"] = 0
        set_disruption_condition(status, allowed=False, reason="SyncFailed", message=message, now=now)
        actions.append(
            Record(
                seen.budget,
                "Warning",
                "CalculateExpectedPodCountFailed",
                f"Failed to calculate the number of expected pods: {message}",
            )
        )
    else:
        status = _compute_status(seen, counts, going, now)
    if status != old:
        actions.append(Update(DISRUPTION_BUDGETS, {**seen.budget, "status": status}, subresource="status"))
    return Plan(tuple(actions), requeue_after_s=going.next_s)


def desired(seen: BudgetView) -> tuple[int, int] | None:
    """Return (expected pods, pods that must stay healthy); None when the controllers cannot be asked."""
    spec = seen.budget.get("spec") or {}
    minimum, maximum = spec.get("minAvailable"), spec.get("maxUnavailable")
    total = seen.expected.count
    if maximum is not None:
        return None if seen.expected.fault else (total, max(0, total - scaled(maximum, total)))
    if minimum is None:
        return 0, 0
    if isinstance(minimum, str):
        return None if seen.expected.fault else (total, scaled(minimum, total))
    return len(seen.pods), int(minimum)


def scaled(value: int | str, total: int) -> int:
    """Return a count, or that percentage of `total`, rounded up."""
    percent = percent_of(value)
    return int(value) if percent is None else ceil(percent * total / 100)


def pods_going(seen: BudgetView, now_s: float) -> Going:
    """Sort the evictions under way: done (the pod is being deleted or gone), still expected, given up."""
    evicted = (seen.budget.get("status") or {}).get("disruptedPods") or {}
    noted, expired, waits = {}, [], []
    for pod in seen.pods:
        since = evicted.get(name_of(pod))
        if since is None or is_deleting(pod):
            continue
        rest_s = seconds_of(since) + DELETION_TIMEOUT_S - now_s
        if rest_s <= 0:
            expired.append(pod)
        else:
            noted[name_of(pod)] = since
            waits.append(rest_s)
    return Going(noted, tuple(expired), min(waits, default=None))


def _compute_status(seen: BudgetView, counts: tuple[int, int], going: Going, now: str) -> Obj:
    expected, wanted = counts
    healthy = sum(is_ready(pod) and not is_deleting(pod) and name_of(pod) not in going.noted for pod in seen.pods)
    status: Obj = {
        "conditions": (seen.budget.get("status") or {}).get("conditions") or [],
        "currentHealthy": healthy,
        "desiredHealthy": wanted,
        "disruptionsAllowed": max(0, healthy - wanted) if expected > 0 else 0,
        "expectedPods": expected,
        "observedGeneration": metadata(seen.budget).get("generation", 0),
    }
    if going.noted:
        status["disruptedPods"] = dict(going.noted)
    set_disruption_allowed(status, now)
    return status


def _events(seen: BudgetView) -> list[Action]:
    """Tell about pods that count for nothing, and about none at all."""
    events: list[Action] = []
    if not seen.pods:
        events.append(Record(seen.budget, "Normal", "NoPods", "No matching pods found"))
    spec = seen.budget.get("spec") or {}
    counted = spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)
    if counted and seen.expected.unmanaged:
        message = (
            f"{seen.expected.unmanaged} of the selected pods have no controller that says how many of them there "
            'should be, so they do not count. To protect them, set ".spec.minAvailable" to a number'
        )
        events.append(Record(seen.budget, "Warning", "UnmanagedPods", message))
    return events


def _not_deleted(budget: Obj, pod: Obj) -> Record:
    where = f"{namespace_of(budget)}/{name_of(budget)}"
    return Record(pod, "Warning", "NotDeleted", f"Pod was expected by PDB {where} to be deleted but it wasn't")


def _matters(pod: Obj) -> tuple[Any, ...]:
    references = metadata(pod).get("ownerReferences") or ()
    return labels_of(pod), is_ready(pod), is_deleting(pod), references


def items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the budgets that selected the pod before or after the change, when it makes a difference to them."""
    old, new = change.old, change.new
    if old is not None and new is not None and _matters(old) == _matters(new):
        return ()
    found = []
    for budget in listers.list(DISRUPTION_BUDGETS, namespace_of(change.latest)):
        selector = compile_label_selector((budget.get("spec") or {}).get("selector"))
        if any(selects(selector, labels_of(pod)) for pod in (old, new) if pod is not None):
            found.append(Item(DISRUPTION_BUDGETS.qualified, key_of(budget)))
    return found


def items_of_scaled(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the budgets of a namespace in which a controller wants another number of pods."""
    if change.old is not None and change.new is not None and shape_of(change.old) == shape_of(change.new):
        return ()
    budgets = listers.list(DISRUPTION_BUDGETS, namespace_of(change.latest))
    return [Item(DISRUPTION_BUDGETS.qualified, key_of(budget)) for budget in budgets]


def spec() -> ControllerSpec[BudgetView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="disruption",
        component="controllermanager",
        watches=(
            Watch(DISRUPTION_BUDGETS, lambda change, listers: (latest_item(DISRUPTION_BUDGETS, change),)),
            Watch(PODS, items_of_pod),
            *(Watch(resource, items_of_scaled) for resource in SCALED),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_LABEL,),
        watch_custom=lambda resource: Watch(resource, items_of_scaled) if resource.scale is not None else None,
    )
