"""A pod that was to be disrupted and was not, loses the mark after two minutes.

Whoever wants a pod gone says so in its condition DisruptionTarget before deleting it; when the deletion then does not
happen, the condition would mislead for the pod's whole life. What the kubelet set stays: it may take long.

Upstream: pkg/controller/disruption (the stale pod disruption worker).
"""

from collections.abc import Sequence

from minikube_py.api.meta import Obj, format_time, is_deleting, key_of, uid_of
from minikube_py.api.resources import PODS
from minikube_py.client.interface import STRATEGIC, Change
from minikube_py.controllers.plan import Failure, Item, Listers, Patch, Plan
from minikube_py.controllers.pod_state import condition_of, is_terminal
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.controllers.timestamps import seconds_of

STALE_AFTER_S = 120.0
CONDITION = "DisruptionTarget"


def _is_marked(pod: Obj) -> bool:
    condition = condition_of(pod, CONDITION)
    if condition is None or condition.get("status") != "True" or is_deleting(pod) or is_terminal(pod):
        return False
    return condition.get("reason") != "TerminationByKubelet"


def observe(listers: Listers, item: Item, failure: Failure | None) -> Obj | None:
    """Return a pod that is marked and lives on."""
    pod = listers.get(PODS, item.key)
    return pod if pod is not None and _is_marked(pod) else None


def reconcile(pod: Obj, now_s: float) -> Plan:
    """Take the mark away when it is old enough."""
    condition = condition_of(pod, CONDITION) or {}
    rest_s = seconds_of(condition.get("lastTransitionTime")) + STALE_AFTER_S - now_s
    if rest_s > 0:
        return Plan(requeue_after_s=rest_s)
    cleared = {"type": CONDITION, "status": "False", "lastTransitionTime": format_time(now_s)}
    patch = {"status": {"conditions": [{**cleared, "reason": None, "message": None}]}}
    return Plan((Patch(PODS, key_of(pod), patch, uid=uid_of(pod), patch_type=STRATEGIC, subresource="status"),))


def _items(change: Change, listers: Listers) -> Sequence[Item]:
    return (Item(PODS.qualified, key_of(change.new)),) if change.new is not None and _is_marked(change.new) else ()


def spec() -> ControllerSpec[Obj]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="stale-disruption",
        component="controllermanager",
        watches=(Watch(PODS, _items),),
        observe=observe,
        reconcile=reconcile,
    )
