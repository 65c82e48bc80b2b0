"""What is written down about a request at each stage of it: audit.k8s.io/v1 Event.

Upstream: apiserver audit/request.go, apis/audit/v1.
"""

from dataclasses import dataclass

import orjson

from minikube_py.api.meta import Obj, format_micro_time
from minikube_py.apiserver.audit_policy import API_VERSION, Decision, Stage
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import UserInfo, render_user


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as the audit log knows it from its beginning."""

    audit_id: str
    info: RequestInfo
    uri: str
    user: UserInfo
    source: str
    user_agent: str
    received_s: float
    body: bytes = b""
    acts_as: UserInfo | None = None
    """Whom the user impersonates, once that is known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request was answered."""

    code: int
    body: bytes = b""


def render_event(
    stage: Stage, call: Call, decision: Decision, wall_s: float, trail: AuditTrail, outcome: Outcome | None
) -> Obj:
    """Return the event of a stage; `outcome` is None before there is an answer."""
    event: Obj = {
        "kind": "Event",
        "apiVersion": API_VERSION,
        "level": decision.level,
        "auditID": call.audit_id,
        "stage": stage,
        "requestURI": call.uri,
        "verb": call.info.verb,
        "user": render_user(call.user),
    }
    if call.acts_as is not None:
        event["impersonatedUser"] = render_user(call.acts_as)
    if call.source:
        event["sourceIPs"] = [call.source]
    if call.user_agent:
        event["userAgent"] = call.user_agent
    if call.info.is_resource:
        event["objectRef"] = _object_ref(call.info, trail)
    if outcome is not None:
        event["responseStatus"] = _status(outcome)
    sent = trail.request_object or _parsed(call.body)
    if stage != "RequestReceived" and decision.keeps("Request") and sent is not None:
        event["requestObject"] = _shown(sent, decision)
    is_answered = stage == "ResponseComplete" and outcome is not None and decision.keeps("RequestResponse")
    if is_answered and outcome is not None and (answer := _parsed(outcome.body)) is not None:
        event["responseObject"] = _shown(answer, decision)
    event["requestReceivedTimestamp"] = format_micro_time(call.received_s)
    event["stageTimestamp"] = format_micro_time(wall_s)
    if trail.annotations:
        event["annotations"] = dict(sorted(trail.annotations.items()))
    return event


def _object_ref(info: RequestInfo, trail: AuditTrail) -> Obj:
    fields = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "apiGroup": info.group,
        "apiVersion": info.version,
        "subresource": info.subresource,
    }
    return {**trail.object_ref, **{field: value for field, value in fields.items() if value}}


def _status(outcome: Outcome) -> Obj:
    status: Obj = {"metadata": {}, "code": outcome.code}
    if outcome.code >= 400 and (said := _parsed(outcome.body)) is not None:
        status |= {field: said[field] for field in ("status", "message", "reason", "details") if said.get(field)}
    return status


def _parsed(body: bytes) -> Obj | None:
    """Return the object in a JSON body; None for anything else (upstream leaves out what it cannot decode too)."""
    if body[:1] != b"{":
        return None
    try:
        parsed: Obj = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return parsed


def _shown(obj: Obj, decision: Decision) -> Obj:
    """Return an object without its managed fields, when the policy wants that."""
    if not decision.omit_managed_fields:
        return obj
    shown = dict(obj)
    if isinstance(shown.get("metadata"), dict):
        shown["metadata"] = {key: value for key, value in shown["metadata"].items() if key != "managedFields"}
    if isinstance(shown.get("items"), list):
        shown["items"] = [_shown(item, decision) if isinstance(item, dict) else item for item in shown["items"]]
    return shown
