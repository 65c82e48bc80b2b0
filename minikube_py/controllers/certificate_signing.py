"""Signs certificate requests that somebody approved, for the cluster's own signers.

What does not fit its signer's rule fails for good (condition Failed), whoever approved it. Requests to other signers
are theirs.

Upstream: pkg/controller/certificates/signer (csrsigning-*).
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from minikube_py.api.certificate_requests import UnreadableRequestError, load_request, request_facts
from minikube_py.api.meta import Obj, copy_object, format_time, uid_of
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.api.rules.certificates import APPROVED, DENIED, FAILED
from minikube_py.api.rules.signers import SIGNERS
from minikube_py.controllers.certificate_authority import (
    AuthorityError,
    CertificateAuthority,
    lifetime_s,
    serial_of,
)
from minikube_py.controllers.conditions import find_condition
from minikube_py.controllers.plan import Failure, Item, Listers, Plan, Update, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.kit.notes import Note

RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class Signer:
    """The CA and the longest lifetime that it gives (upstream: --cluster-signing-duration)."""

    authority: CertificateAuthority
    longest_s: float


def observe(listers: Listers, item: Item, failure: Failure | None) -> Obj | None:
    """Return a request that is approved, for one of our signers, and has no answer yet."""
    request = listers.get(SIGNING_REQUESTS, item.key)
    return request if request is not None and is_to_be_signed(request) else None


def is_to_be_signed(request: Obj) -> bool:
    """Return whether a request waits for its certificate."""
    status = request.get("status") or {}
    conditions = status.get("conditions") or ()
    if status.get("certificate") or request["spec"].get("signerName") not in SIGNERS:
        return False
    if any(find_condition(conditions, kind) for kind in (DENIED, FAILED)):
        return False
    return find_condition(conditions, APPROVED) is not None


def sign(request: Obj, signer: Signer, now_s: float) -> Plan:
    """Sign a request, or say why not."""
    spec = request["spec"]
    usages = tuple(spec.get("usages") or ())
    try:
        fault = SIGNERS[spec["signerName"]](request_facts(spec.get("request") or ""), usages)
    except UnreadableRequestError as error:
        fault = str(error)
    if fault:
        return _answer(request, {"conditions": [*_conditions(request), _failed(fault, now_s)]})
    valid_s = lifetime_s(spec.get("expirationSeconds"), signer.longest_s)
    serial = serial_of(uid_of(request), spec["request"])
    try:
        pem = signer.authority.sign(load_request(spec["request"]), usages, valid_s, now_s, serial)
    except AuthorityError as error:
        note = Note("error", f"cannot sign {request['metadata']['name']}: {error}")
        return Plan(notes=(note,), requeue_after_s=RETRY_S)
    return _answer(request, {"certificate": base64.b64encode(pem).decode()})


def _conditions(request: Obj) -> list[Obj]:
    return list((request.get("status") or {}).get("conditions") or ())


def _failed(why: str, now_s: float) -> Obj:
    now = format_time(now_s)
    return {
        "type": FAILED,
        "status": "True",
        "reason": "SignerValidationFailure",
        "message": why,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
    }


def _answer(request: Obj, change: Obj) -> Plan:
    answered = copy_object(request)
    answered["status"] = {**(answered.get("status") or {}), **change}
    return Plan((Update(SIGNING_REQUESTS, answered, subresource="status"),))


def spec(signer: Signer) -> ControllerSpec[Obj]:
    """Return the row of the table of controllers."""
    reconcile: Callable[[Obj, float], Plan] = lambda request, now_s: sign(request, signer, now_s)  # noqa: E731
    return ControllerSpec(
        name="csrsigning",
        component="certificate-controller",
        watches=(Watch(SIGNING_REQUESTS, lambda change, listers: (latest_item(SIGNING_REQUESTS, change),)),),
        observe=observe,
        reconcile=reconcile,
    )
