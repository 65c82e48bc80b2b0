"""certificatesigningrequests/approval: a person, or a controller, says yes or no.

Upstream: registry/certificates/certificates strategy.go (csrApprovalStrategy).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object, format_time
from minikube_py.api.resource import Resource
from minikube_py.api.rules.certificates import validate_approval
from minikube_py.api.rules.faults import items, part
from minikube_py.apiserver.decisions import Decision, WriteContext, reject_invalid
from minikube_py.apiserver.managed_fields import record_owners, take_owners
from minikube_py.apiserver.verbs import check_identity, settle


def update_approval(resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    """Decide an update through /approval: nothing but the conditions changes; new ones get their times."""
    refused = check_identity(resource, old, new, context)
    if refused is not None:
        return refused
    merged = copy_object(old)
    take_owners(merged, new, context)
    status = {**part(old, "status")}
    conditions = [dict(condition) for condition in items(part(new, "status"), "conditions")]
    known = {condition.get("type"): condition for condition in items(part(old, "status"), "conditions")}
    now = format_time(context.wall_s)
    for condition in conditions:
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        if not condition.get("lastTransitionTime"):
            before = known.get(condition.get("type"), {})
            same = before.get("status") == condition.get("status")
            condition["lastTransitionTime"] = before.get("lastTransitionTime", now) if same else now
    if conditions:
        status["conditions"] = conditions
    else:
        status.pop("conditions", None)
    merged["status"] = status
    faults = validate_approval(merged, old)
    if faults:
        return reject_invalid(resource, merged, faults)
    record_owners(resource, old, merged, context)
    return settle(resource, old, merged)
