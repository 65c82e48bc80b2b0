"""Every answer that a real upstream 1.20.2 gave to 490 requests, asked of this server over HTTP.

Compared are the code, the reason, the details and each cause's reason and field; texts are upstream's in sense only.
Entries that are not compared are in LEFT_OUT or follow from what this version does not serve; entries where 1.36
answers otherwise than 1.20 are in CHANGED, with what is right now.
"""

import asyncio
import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest
from yarl import URL

from minikube_py.api.resources import find_resource
from minikube_py.apiserver.routes import parse_request
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    LOOPBACK_CONFIG,
    loopback_pki,
    memory_api_server,
    serving,
)
from minikube_py.testing.webhook_server import SLOW, webhook_server

FIXTURE = Path(__file__).parents[1] / "fixtures/observed/errors-1.20.json.gz"
REQUESTS = json.loads(gzip.decompress(FIXTURE.read_bytes()))["requests"]

LEFT_OUT = {
    r"kubelet: .*": "needs a kubelet: tests/node/cluster and test_apiserver_streams hold these",
    r"quota: .*": "admission by quotas: the tenancy issue",
    r"limitrange: .*": "admission by limit ranges: the tenancy issue",
    r"rbac (escalation|bind)": "RBAC: the security issue",
    r"node (?!proxy).*": "the node authorizer: the security issue",
    r"immutable: pod (creationTimestamp|deletionTimestamp)|immutable: service clusterIP|service clusterIP taken": (
        "the recording has a placeholder where the request's value stood"
    ),
    r"finalizer added while deleting": "recorded before the deletion of the namespace's content had begun",
    r"pod generateName bad": "the name in the answer is random",
    r"crd status after establishment|crd: (group change|exists)": (
        "a definition that an earlier entry of the recording made: test_custom_resource_versions holds these"
    ),
}
"""Names (as patterns) that are not compared, and why."""

CHANGED = {
    "pod ephemeral containers at create": (422, "Invalid", "ephemeral containers are known since 1.25"),
    "immutable: service clusterIP null": (
        200,
        "",
        "patchAllocatedValues puts back what was allocated before anything is validated, since 1.20.1",
    ),
    "service dual stack not enabled": (422, "Invalid", "no gate since 1.23: a cluster of one family says so"),
    "update without resourceVersion of a service": (200, "", "services may be updated unconditionally"),
    "method on list DELETE of services": (200, "", "services have deletecollection since 1.23"),
    "merge patch invalid json": (400, "BadRequest", "patches are decoded before they are merged"),
    "merge patch a list": (400, "BadRequest", "patches are decoded before they are merged"),
    "merge patch null body": (400, "BadRequest", "patches are decoded before they are merged"),
    "merge patch empty body": (400, "BadRequest", "patches are decoded before they are merged"),
    "bad resourceVersion get": (400, "BadRequest", "observed on 1.36"),
    "bad resourceVersion list": (400, "BadRequest", "observed on 1.36"),
    "watch bad rv": (400, "BadRequest", "observed on 1.36"),
    "token bound to wrong kind": (
        404,
        "NotFound",
        "tokens may be bound to nodes since 1.31, and this one is not there",
    ),
    "ephemeralcontainers gate off": (400, "BadRequest", "served since 1.25, and takes a Pod"),
}
"""Name -> what is right for 1.36 (code, reason), and why."""

CAUSES_CHANGED = {
    "pod env bad name": "names of variables may be almost anything since 1.34",
    "pod hostAliases bad ip": "the path has the index since",
    "pod init container with probe": "sidecars may have probes: the others are told so since 1.28",
    "secret basic-auth empty": "the path was a format without its argument",
    "daemonset bad values": "a surge may stand in since 1.22: 0 means that something is missing",
    "crd bad": "stored versions are the server's own to write since 1.24",
    "crd: not structural": "v1 has no schema for all versions, and says which version it means",
    "job negative values": "finished jobs can be given a time to live since 1.23",
}
"""Name -> why 1.36 finds other faults; code, reason and details are compared."""

SETUP = (
    ("namespaces", {"kind": "Namespace", "metadata": {"name": "obs-bad"}}),
    ("namespaces", {"kind": "Namespace", "metadata": {"name": "obs-hook2"}}),
    ("serviceaccounts", {"kind": "ServiceAccount", "metadata": {"name": "default"}}),
    ("pods", {"kind": "Pod", "metadata": {"name": "p1"}, "spec": {}}),
    ("pods", {"kind": "Pod", "metadata": {"name": "p2"}, "spec": {}}),
    ("configmaps", {"kind": "ConfigMap", "metadata": {"name": "c1"}, "data": {"a": "1"}}),
    ("configmaps", {"kind": "ConfigMap", "metadata": {"name": "cim"}, "data": {"a": "1"}, "immutable": True}),
    ("secrets", {"kind": "Secret", "metadata": {"name": "sim"}, "stringData": {"a": "1"}, "immutable": True}),
    ("secrets", {"kind": "Secret", "metadata": {"name": "sec1"}, "stringData": {"a": "1"}}),
    ("services", {"kind": "Service", "metadata": {"name": "s1"}, "spec": {"ports": [{"port": 80}]}}),
)
RENAMED_GROUPS = {"extensions": "networking.k8s.io"}
"""Groups under which errors named kinds that had moved already, and do no longer since 1.22."""
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
_SPEC = {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}
_ONCE = {"template": {"spec": {**_TEMPLATE["spec"], "restartPolicy": "Never"}}}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
GROUP_SETUP = (
    ("/apis/apps/v1", "deployments", {"kind": "Deployment", "metadata": {"name": "d1"}, "spec": _SPEC}),
    (
        "/apis/apps/v1",
        "statefulsets",
        {"kind": "StatefulSet", "metadata": {"name": "ss1"}, "spec": {**_SPEC, "serviceName": "s"}},
    ),
    ("/apis/batch/v1", "jobs", {"kind": "Job", "metadata": {"name": "j1"}, "spec": _ONCE}),
    (
        "/api/v1",
        "persistentvolumeclaims",
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "pvc1"}, "spec": _CLAIM},
    ),
    (
        "/apis/rbac.authorization.k8s.io/v1",
        "rolebindings",
        {"kind": "RoleBinding", "metadata": {"name": "rb1"}, "roleRef": _ROLE},
    ),
)
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def _ids():
    return [f"{number}-{entry['name']}" for number, entry in enumerate(REQUESTS)]


def _reason_left_out(entry):
    for pattern, reason in LEFT_OUT.items():
        if re.fullmatch(pattern, entry["name"]):
            return reason
    request = entry["request"]
    info = parse_request(request["method"], urlsplit(request["path"]).path, {})
    names_an_object = bool((entry.get("answer") or {}).get("details")) or entry["code"] != 404
    if not info.is_resource or not names_an_object:
        return ""
    resource = find_resource(info.group, info.version, info.resource)
    if resource is None:
        return f"this version does not serve {info.group or 'v1'} {info.resource}"
    if info.subresource and resource.subresource(info.subresource) is None:
        return f"this version does not serve {info.resource}/{info.subresource}"
    return ""


_BUDGET = {
    "kind": "PodDisruptionBudget",
    "apiVersion": "policy/v1",
    "spec": {"selector": {"matchLabels": {"e": "v"}}},
}
_EVICTED = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "ev1", "labels": {"e": "v"}},
    "spec": {"containers": [{"name": "c", "image": "busybox"}]},
}
_READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
_PODS, _BUDGETS = "/api/v1/namespaces/obs-bad/pods", "/apis/policy/v1/namespaces/obs-bad/poddisruptionbudgets"
_SPENT = {
    "observedGeneration": 1,
    "disruptionsAllowed": 0,
    "desiredHealthy": 1,
    "currentHealthy": 1,
    "expectedPods": 1,
}
BEFORE = {
    "eviction blocked by a PDB": (
        ("POST", _PODS, _EVICTED),
        ("PATCH", f"{_PODS}/ev1/status", {"status": _READY}),
        ("POST", _BUDGETS, {**_BUDGET, "metadata": {"name": "b"}}),
        ("PATCH", f"{_BUDGETS}/b/status", {"status": _SPENT}),
    ),
    "eviction with two PDBs": (("POST", _BUDGETS, {**_BUDGET, "metadata": {"name": "b2"}}),),
    "eviction dry run": (
        ("DELETE", f"{_BUDGETS}/b2", None),
        ("PATCH", f"{_BUDGETS}/b/status", {"status": {"disruptionsAllowed": 1}}),
    ),
}
"""What a controller or the recorder had done before an entry was asked."""

RESTORED = {
    "pod resourceVersion at create": ("metadata", "1"),
    "update with stale resourceVersion": ("metadata", "1"),
    "update with bad resourceVersion": ("metadata", "abc"),
    "patch with stale resourceVersion": ("metadata", "1"),
    "delete with wrong rv precondition": ("preconditions", "1"),
}
"""The recording has no resourceVersion anywhere; here are those that requests stood and fell with."""


_NO_SERVICE = {"service": {"namespace": "obs-bad", "name": "nohook", "path": "/x"}}
_BAD_STATUS = {"message": "because I say so", "code": 418, "reason": "NotAllowedHere"}
_BAD_PATCH = [{"op": "remove", "path": "/nope"}]
_BAD_LABEL = [{"op": "add", "path": "/metadata/labels", "value": {"a": "a b"}}]


def _response(**fields):
    return lambda request: {"uid": request["uid"], "allowed": True, **fields}


def _denied(request):
    return {"uid": request["uid"], "allowed": False, "status": _BAD_STATUS}


def _encoded(patch):
    return base64.b64encode(orjson.dumps(patch)).decode()


HOOKS = {
    "denied without a message": lambda request: {"uid": request["uid"], "allowed": False},
    "denied with status": _denied,
    "500": 500,
    "garbage": b'"garbage"',
    "timeout": SLOW,
    "timeout ignored": SLOW,
    "refused": {"url": "https://localhost:1/x"},
    "service absent": _NO_SERVICE,
    "wrong uid": lambda request: {"uid": "zzz", "allowed": True},
    "warnings": _response(warnings=["careful", "twice"]),
    "unknown CA": {"caBundle": ""},
    "mutating denied": _denied,
    "mutating bad patch": _response(patchType="JSONPatch", patch=_encoded(_BAD_PATCH)),
    "mutating patch without type": _response(patch=_encoded(_BAD_LABEL)),
    "mutating patch makes it invalid": _response(patchType="JSONPatch", patch=_encoded(_BAD_LABEL)),
}
"""What the recorder's webhook answered (or where it was said to be), by the entry's name."""


def hook_configuration(entry, hooks):
    """Return the configuration that stood when an entry about webhooks was recorded."""
    name = entry["name"].removeprefix("webhook: ")
    note = re.fullmatch(r"(\w+) webhook, failurePolicy (\w+), timeoutSeconds (\d+)", entry["note"])
    answer = HOOKS[name]
    client = {**hooks.client_config("/hook"), **answer} if isinstance(answer, dict) else hooks.client_config("/hook")
    if "service" in client:
        del client["url"]
    hooks.answers["/hook"] = b"" if isinstance(answer, dict) else answer
    webhook = {
        "name": "hook.obs.example.com",
        "clientConfig": client,
        "rules": [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "obs-hook2"}},
        "failurePolicy": note[2],
        "timeoutSeconds": int(note[3]),
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = f"{note[1].title()}WebhookConfiguration"
    api_version = "admissionregistration.k8s.io/v1"
    return {"kind": kind, "apiVersion": api_version, "metadata": {"name": "obs"}, "webhooks": [webhook]}


class Replay:
    """Asks the entries in order, on the objects that the recording was made with."""

    def __init__(self, session, hooks):
        self._session = session
        self._hooks = hooks
        self.answers = {}

    async def set_up(self):
        for plural, obj in orjson.loads(orjson.dumps(SETUP)):
            if plural == "pods":
                count = 2 if obj["metadata"]["name"] == "p2" else 1
                containers = [{"name": name, "image": "busybox:1.29"} for name in ("c", "c2")[:count]]
                obj["spec"]["containers"] = containers
            path = "/api/v1/namespaces" if plural == "namespaces" else f"/api/v1/namespaces/obs-bad/{plural}"
            await self._made(path, {"apiVersion": "v1", **obj})
        for root, plural, obj in GROUP_SETUP:
            api_version = root.removeprefix("/apis/").removeprefix("/api/")
            await self._made(f"{root}/namespaces/obs-bad/{plural}", {"apiVersion": api_version, **obj})
        await self._made("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "obs-term2"}})
        hold = {"kind": "ConfigMap", "metadata": {"name": "hold", "finalizers": ["obs.example.com/hold"]}}
        await self._made("/api/v1/namespaces/obs-term2/configmaps", hold)
        async with self._session.delete("/api/v1/namespaces/obs-term2", headers=ADMIN) as deleted:
            assert deleted.status == 200
        apply = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "capp"}, "data": {"a": "1", "b": "1"}}
        path = "/api/v1/namespaces/obs-bad/configmaps/capp?fieldManager=one"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        async with self._session.patch(path, data=orjson.dumps(apply), headers={**ADMIN, **headers}) as made:
            assert made.status == 201, (path, await made.text())

    async def _made(self, path, obj):
        async with self._session.post(path, json=obj, headers=ADMIN) as made:
            assert made.status == 201, (path, await made.text())

    async def ask_with_webhook(self, number, entry):
        configuration = hook_configuration(entry, self._hooks)
        path = f"/apis/admissionregistration.k8s.io/v1/{configuration['kind'].lower()}s"
        await self._made(path, configuration)
        try:
            await self.ask(number, entry)
        finally:
            async with self._session.delete(f"{path}/obs", headers=ADMIN) as deleted:
                assert deleted.status == 200

    async def prepare(self, entry):
        for method, path, body in BEFORE.get(entry["name"], ()):
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            data, headers = orjson.dumps(body), {**ADMIN, "Content-Type": kind}
            async with self._session.request(method, path, data=data if body else None, headers=headers) as done:
                assert done.status in (200, 201), (path, await done.text())

    async def ask(self, number, entry):
        await self.prepare(entry)
        request = entry["request"]
        headers = {**_credentials(entry), "User-Agent": "recorder/1", "Accept": request.get("accept", "*/*")}
        # A watch that goes on tells all of it within a second.
        url = URL(request["path"].replace("timeoutSeconds=2", "timeoutSeconds=1"), encoded=True)
        if request.get("contentType"):
            headers["Content-Type"] = request["contentType"]
        async with self._session.request(
            request["method"], url, data=_body(entry), headers=headers, skip_auto_headers=("Content-Type",)
        ) as answer:
            self.answers[number] = (answer.status, await answer.read())
        if request["method"] == "POST" and answer.status == 201 and "dryRun" not in request["path"]:
            await self._remove(request["path"], self.answers[number][1])

    async def _remove(self, path, body):
        """The recorder cleaned up behind itself."""
        name = orjson.loads(body).get("metadata", {}).get("name")
        if name:
            where = f"{path.partition('?')[0]}/{name}?gracePeriodSeconds=0"
            async with self._session.delete(where, headers=ADMIN):
                pass


def _credentials(entry):
    request = entry["request"]
    if entry["name"].startswith("anonymous"):
        return {}
    if "Authorization" in request.get("headers", {}):
        return {"Authorization": request["headers"]["Authorization"].replace("<...>", "bm9wZTpub3Bl")}
    if "user" not in request:
        return ADMIN
    groups = request.get("groups", ["system:authenticated"])
    return {**ADMIN, "Impersonate-User": request["user"], **({"Impersonate-Group": groups[0]} if groups else {})}


def _body(entry):
    request = entry["request"]
    if "raw" in request:
        return request["raw"].encode()
    body = request.get("body")
    if isinstance(body, str) and (elided := re.fullmatch(r"<(\d+) bytes>", body)):
        if entry["request"]["contentType"] == "application/json-patch+json":
            return orjson.dumps([{"op": "add", "path": "/data/a", "value": "1"}] * 10_001)
        large = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": ""}}
        missing = int(elided[1]) - len(orjson.dumps(large))
        large["data"]["a"] = "x" * missing
        return orjson.dumps(large)
    if entry["name"] in RESTORED:
        place, version = RESTORED[entry["name"]]
        body = {**body, place: {**body.get(place, {}), "resourceVersion": version}}
    return None if body is None else orjson.dumps(body)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return asyncio.run(_replay(loopback_pki(tmp_path_factory.mktemp("pki"), SystemClock().wall_s())))


async def _replay(pki):
    server = memory_api_server(replace(LOOPBACK_CONFIG, future_wait_s=0.1, disable_admission_plugins=()))
    async with (
        serving(server, None) as url,
        webhook_server(pki) as hooks,
        aiohttp.ClientSession(url) as session,
    ):
        replay = Replay(session, hooks)
        await replay.set_up()
        for number, entry in enumerate(REQUESTS):
            if _reason_left_out(entry):
                continue
            ask = replay.ask_with_webhook if entry["name"].startswith("webhook: ") else replay.ask
            await ask(number, entry)
    return replay.answers


def _seen(status):
    """Return what is compared of a Status."""
    details = dict(status.get("details") or {})
    causes = {(cause.get("reason"), cause.get("field")) for cause in details.pop("causes", [])}
    details.pop("uid", None)
    if details.get("group") in RENAMED_GROUPS:
        details["group"] = RENAMED_GROUPS[details["group"]]
    return status.get("reason", ""), details, causes


@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=_ids())
def test_the_answer_is_upstreams(number, answers):
    entry = REQUESTS[number]
    if reason := _reason_left_out(entry):
        pytest.skip(reason)
    code, body = answers[number]
    if entry["name"] in CHANGED:
        expected, reason, _ = CHANGED[entry["name"]]
        assert code == expected, body
        assert orjson.loads(body).get("reason", "") == reason
        return
    assert code == entry["code"], body
    wanted = entry.get("answer") or {}
    if wanted.get("status") != "Failure":
        return
    reason, details, causes = _seen(orjson.loads(body))
    assert reason == wanted.get("reason", "")
    assert details == _seen(wanted)[1]
    if entry["name"] not in CAUSES_CHANGED:
        assert causes == _seen(wanted)[2]


def test_no_exception_is_left_that_is_not_needed(answers):
    names = {entry["name"] for entry in REQUESTS}
    assert set(CHANGED) | set(CAUSES_CHANGED) | set(RESTORED) | set(BEFORE) <= names
    for pattern in LEFT_OUT:
        assert any(re.fullmatch(pattern, name) for name in names), pattern
    assert len(answers) > 250
