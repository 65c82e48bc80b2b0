"""The audit log of a real server: what HTTP and components in the process do, as lines in a file."""

import asyncio
from dataclasses import replace

import aiohttp
import orjson
import pytest

from minikube_py.api.resources import CONFIGMAPS
from minikube_py.apiserver.audit_policy import parse_policy
from minikube_py.apiserver.audit_rotation import Rotation
from minikube_py.apiserver.io.audit_log import AuditSettings
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.memory_api_server import ADMIN_TOKEN, memory_api_server, serving

pytestmark = pytest.mark.slow

MAPS = CONFIGMAPS.path("default")
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": ["system:apiserver"], "verbs": ["get"]},
        {"level": "RequestResponse", "resources": [{"resources": ["configmaps"]}]},
        {"level": "Metadata", "resources": [{"group": "admissionregistration.k8s.io"}]},
    ],
}
AUDITED = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "small"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
            ]
        },
        "validations": [{"expression": "size(object.data) < 1", "message": "no data"}],
        "auditAnnotations": [{"key": "size", "valueExpression": "string(size(object.data))"}],
    },
}
BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "small"},
    "spec": {"policyName": "small", "validationActions": ["Audit"]},
}


EVERYTHING = Rotation()


def audited(path, rotation=EVERYTHING):
    return AuditSettings(parse_policy(POLICY), str(path), rotation)


def events(path):
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_who_did_what_is_in_the_file(tmp_path):
    path = tmp_path / "logs/audit.log"
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "User-Agent": "test/1", "Audit-ID": "mine"}
    a_map = {"metadata": {"name": "m"}, "data": {"a": "1"}}
    server = memory_api_server(audit=audited(path))
    async with serving(server, None) as url, aiohttp.ClientSession(url, headers=headers) as session:
        root = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
        for where, obj in ((f"{root}ies", AUDITED), (f"{root}ybindings", BINDING), (MAPS, a_map)):
            async with session.post(where, json=obj) as answer:
                assert answer.status == 201, await answer.text()
                assert answer.headers["Audit-Id"] == "mine"
        stored = await (await session.get(f"{MAPS}/m")).json()
        async with session.put(f"{MAPS}/m", json=stored) as answer:
            assert answer.status == 200
        as_nobody = {"Impersonate-User": "nobody", "Impersonate-Uid": "u", "Impersonate-Extra-Scopes": "view"}
        async with session.get(MAPS, headers=as_nobody) as answer:
            assert answer.status == 403
        async with session.get(MAPS, headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401
        async with session.get(f"{MAPS}?watch=1&timeoutSeconds=1") as answer:
            await answer.read()
        async with session.get("/healthz") as answer:
            assert answer.status == 200

    policy, _, made, _, put, denied, unknown, started, ended = events(path)
    assert (policy["level"], policy["responseStatus"]["code"]) == ("Metadata", 201)
    assert "requestObject" not in policy
    assert (made["auditID"], made["verb"], made["user"]["username"]) == ("mine", "create", "admin")
    assert made["objectRef"] == {"resource": "configmaps", "namespace": "default", "name": "m", "apiVersion": "v1"}
    assert made["requestObject"]["data"] == made["responseObject"]["data"] == {"a": "1"}
    assert made["responseObject"]["metadata"]["uid"]
    notes = made["annotations"]
    assert (notes["small/size"], notes["authorization.k8s.io/decision"]) == ("1", "allow")
    (failure,) = orjson.loads(notes["validation.policy.admission.k8s.io/validation_failure"])
    assert (failure["message"], failure["validationActions"]) == ("no data", ["Audit"])
    meta = stored["metadata"]
    told = (put["objectRef"]["uid"], put["objectRef"]["resourceVersion"])
    assert told == (meta["uid"], meta["resourceVersion"])
    nobody = {"username": "nobody", "groups": ["system:authenticated"], "uid": "u", "extra": {"scopes": ["view"]}}
    assert (denied["impersonatedUser"], denied["responseStatus"]["reason"]) == (nobody, "Forbidden")
    assert denied["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert (unknown["stage"], unknown["user"], unknown["responseStatus"]["code"]) == ("ResponseStarted", {}, 401)
    assert [(e["stage"], e["verb"]) for e in (started, ended)] == [
        ("ResponseStarted", "watch"),
        ("ResponseComplete", "watch"),
    ]


async def test_components_in_the_process_are_in_it_too_and_full_files_are_put_aside(tmp_path):
    path = tmp_path / "audit.log"
    server = memory_api_server(audit=audited(path, Rotation(size_mb_max=1, backups_max=1)))
    large = {"metadata": {"name": "m"}, "data": {"a": "x" * 400_000}}
    async with serving(server, None):
        transport = server.local_transport()
        request = ApiRequest("POST", MAPS, {}, {"content-type": "application/json"}, orjson.dumps(large))
        for number in range(4):
            named = {**large, "metadata": {"name": f"m{number}"}}
            answer = await transport.send(replace(request, body=orjson.dumps(named)))
            assert answer.status == 201
            while b"apiserver_audit_event_total " + f"{number + 1}.0".encode() not in b"".join(server.metrics.text()):
                await asyncio.sleep(0.01)
    assert len(events(path)) == 1
    (old,) = (entry for entry in tmp_path.iterdir() if entry != path)
    assert old.name.startswith("audit-")
    assert events(path)[0]["user"]["username"] == "system:apiserver"


async def test_headers_that_are_no_text_do_not_end_the_log(tmp_path):
    path = tmp_path / "audit.log"
    server = memory_api_server(audit=audited(path))
    async with serving(server, None):
        for agent in (b"\xff/1", b"test/1"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.http.port)
            head = (b"GET " + MAPS.encode() + b" HTTP/1.1", b"Host: x", b"User-Agent: " + agent, b"Audit-ID: \xfe")
            writer.write(
                b"\r\n".join((*head, b"Authorization: Bearer " + ADMIN_TOKEN.encode(), b"Connection: close"))
            )
            writer.write(b"\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"Audit-Id: \xfe\r\n" in answer
            writer.close()
    assert [(event["userAgent"], event["auditID"]) for event in events(path)] == [
        ("\ufffd/1", "\ufffd"),
        ("test/1", "\ufffd"),
    ]
