"""Certificate requests that have had their answer, or never get one, are removed.

    answered or denied or failed   an hour after that (the certificate lives on with whoever asked)
    certificate has expired        at once
    undecided                      a day after creation
    approved, no certificate       a day after the approval

Upstream: pkg/controller/certificates/cleaner, which looks once an hour; here each request is looked at when due.
"""

from collections.abc import Iterator

from minikube_py.api.certificate_requests import expires_at_s
from minikube_py.api.meta import Obj, is_deleting, key_of, metadata, uid_of
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.api.rules.certificates import APPROVED, DENIED, FAILED
from minikube_py.client.interface import DeleteOptions
from minikube_py.controllers.plan import NOTHING, Delete, Failure, Item, Listers, Plan, Target, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.controllers.timestamps import seconds_of

ANSWERED_S = 3600.0
PENDING_S = 24 * 3600.0


def observe(listers: Listers, item: Item, failure: Failure | None) -> Obj | None:
    """Return a request that is there."""
    request = listers.get(SIGNING_REQUESTS, item.key)
    return request if request is not None and not is_deleting(request) else None


def reconcile(request: Obj, now_s: float) -> Plan:
    """Delete a request that is due, or come back when it is."""
    due_s = min(due_times_s(request), default=None)
    if due_s is None:
        return NOTHING
    if due_s > now_s:
        return Plan(requeue_after_s=due_s - now_s)
    version = str(metadata(request).get("resourceVersion", ""))
    target = Target(key_of(request), uid_of(request))
    return Plan((Delete(SIGNING_REQUESTS, target, DeleteOptions(resource_version=version)),))


def due_times_s(request: Obj) -> Iterator[float]:
    """Yield the moments at which a request is due, for each reason that there is."""
    status = request.get("status") or {}
    certificate, conditions = status.get("certificate"), status.get("conditions") or ()
    if not conditions:
        yield seconds_of(metadata(request).get("creationTimestamp")) + PENDING_S
    for condition in conditions:
        since_s = seconds_of(condition.get("lastUpdateTime"))
        kind = condition.get("type")
        if not since_s:
            continue
        if kind in (DENIED, FAILED) or (kind == APPROVED and certificate):
            yield since_s + ANSWERED_S
        elif kind == APPROVED:
            yield since_s + PENDING_S
    if certificate and (expiry_s := expires_at_s(certificate)) is not None:
        yield expiry_s


def spec() -> ControllerSpec[Obj]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="csrcleaner",
        component="certificate-controller",
        watches=(Watch(SIGNING_REQUESTS, lambda change, listers: (latest_item(SIGNING_REQUESTS, change),)),),
        observe=observe,
        reconcile=reconcile,
        workers_max=1,
    )
