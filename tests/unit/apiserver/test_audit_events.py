from dataclasses import replace

from minikube_py.apiserver.audit_events import Call, Outcome, render_event
from minikube_py.apiserver.audit_policy import Decision
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.routes import parse_request
from minikube_py.apiserver.users import UserInfo

MAPS = "/api/v1/namespaces/n/configmaps"
BODY = b'{"kind":"ConfigMap","metadata":{"name":"m","managedFields":[]}}'
CALL = Call(
    audit_id="id",
    info=parse_request("POST", MAPS, {}),
    uri=f"{MAPS}?fieldManager=x",
    user=UserInfo("alice", ("devs",)),
    source="10.0.0.1",
    user_agent="kubectl/v1",
    received_s=0.5,
    body=BODY,
    acts_as=UserInfo("bob", ()),
)
CREATED = Outcome(201, BODY)


def event(level="Metadata", stage="ResponseComplete", outcome=CREATED, call=CALL, trail=None, **more):
    return render_event(stage, call, Decision(level, **more), 1.25, trail or AuditTrail(), outcome)


def test_metadata_says_who_did_what_to_which_object():
    trail = AuditTrail()
    trail.annotate("a/b", "c")
    trail.sent({"metadata": {"name": "m", "uid": "u", "resourceVersion": "7"}})
    assert event(trail=trail) == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "id",
        "stage": "ResponseComplete",
        "requestURI": f"{MAPS}?fieldManager=x",
        "verb": "create",
        "user": {"username": "alice", "groups": ["devs"]},
        "impersonatedUser": {"username": "bob"},
        "sourceIPs": ["10.0.0.1"],
        "userAgent": "kubectl/v1",
        "objectRef": {
            "resource": "configmaps",
            "namespace": "n",
            "name": "m",
            "uid": "u",
            "apiVersion": "v1",
            "resourceVersion": "7",
        },
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "1970-01-01T00:00:00.500000Z",
        "stageTimestamp": "1970-01-01T00:00:01.250000Z",
        "annotations": {"a/b": "c"},
    }


def test_bodies_come_with_their_levels_and_stages():
    assert "requestObject" not in event("Request", "RequestReceived", None)
    seen = event("Request")
    assert seen["requestObject"]["metadata"] == {"name": "m", "managedFields": []}
    assert "responseObject" not in seen
    whole = event("RequestResponse", omit_managed_fields=True)
    assert whole["requestObject"]["metadata"] == whole["responseObject"]["metadata"] == {"name": "m"}
    listed = Outcome(200, b'{"items":[' + BODY + b"]}")
    assert event("RequestResponse", outcome=listed, omit_managed_fields=True)["responseObject"]["items"] == [
        {"kind": "ConfigMap", "metadata": {"name": "m"}}
    ]


def test_an_object_that_was_no_json_is_shown_as_it_was_decoded():
    trail = AuditTrail(keeps_request=True)
    trail.sent({"kind": "ConfigMap"})
    packed = replace(CALL, body=b"k8s\x00...")
    assert event("Request", call=packed, trail=trail)["requestObject"] == {"kind": "ConfigMap"}
    assert "requestObject" not in event("Request", call=replace(CALL, body=b"{"))


def test_a_refusal_has_its_status():
    body = b'{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no","code":403}'
    status = event(outcome=Outcome(403, body))["responseStatus"]
    assert status == {"metadata": {}, "code": 403, "status": "Failure", "reason": "Forbidden", "message": "no"}


def test_other_paths_have_no_object():
    call = replace(CALL, info=parse_request("GET", "/healthz", {}), acts_as=None, source="", user_agent="")
    seen = event(call=call, outcome=Outcome(200, b"ok"))
    assert seen.keys() & {"objectRef", "impersonatedUser", "sourceIPs", "userAgent", "requestObject"} == set()
