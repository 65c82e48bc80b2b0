"""Server-side apply through subresources and in several versions: owners stay the same ones wherever they write."""

import base64
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from minikube_py.testing.memory_api_server import ADMIN_TOKEN, LOOPBACK_CONFIG, memory_api_server, serving
from minikube_py.testing.signing_requests import pkcs10, signing_request

ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
}


class Api:
    def __init__(self, session):
        self._session = session

    async def __call__(self, method, path, body=None, **query):
        async with self._session.request(method, path, json=body, params=query) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def apply(self, path, body, manager, **query):
        query = {"fieldManager": manager, **query}
        async with self._session.patch(path, data=orjson.dumps(body), headers=APPLY, params=query) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def owners(self, path):
        _, obj = await self("GET", path)
        return {(e["manager"], e.get("subresource", "")): e for e in obj["metadata"]["managedFields"]}


@pytest.fixture
async def api():
    async with _api() as running:
        yield running


@asynccontextmanager
async def _api():
    async with (
        serving(memory_api_server(LOOPBACK_CONFIG), None) as url,
        aiohttp.ClientSession(url, headers=ADMIN) as session,
    ):
        yield Api(session)


def scale(replicas):
    spec = {"replicas": replicas}
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": spec}


async def test_a_scale_can_be_applied_and_conflicts_with_who_owns_the_number(api):
    await api.apply(f"{DEPLOYMENTS}/web", DEPLOYMENT, "maker")
    refused, status = await api.apply(f"{DEPLOYMENTS}/web/scale", scale(3), "hpa")
    assert (refused, status["reason"]) == (409, "Conflict")
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "maker"', "field": ".spec.replicas"}
    ]

    done, answered = await api.apply(f"{DEPLOYMENTS}/web/scale", scale(3), "hpa", force="true")
    assert (done, answered["kind"], answered["spec"]) == (200, "Scale", {"replicas": 3})
    owners = await api.owners(f"{DEPLOYMENTS}/web")
    assert owners["hpa", "scale"]["operation"] == "Apply"
    assert owners["hpa", "scale"]["apiVersion"] == "apps/v1"
    assert owners["hpa", "scale"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners["maker", ""]["fieldsV1"]["f:spec"]
    _, deployment = await api("GET", f"{DEPLOYMENTS}/web")
    assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (3, 2)

    again, status = await api.apply(f"{DEPLOYMENTS}/web", DEPLOYMENT, "maker")
    assert (again, status["details"]["causes"][0]["field"]) == (409, ".spec.replicas")


async def test_an_equal_scale_changes_nothing(api):
    await api.apply(f"{DEPLOYMENTS}/web", {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 2}}, "maker")
    await api.apply(f"{DEPLOYMENTS}/web/scale", scale(2), "hpa")
    _, before = await api("GET", f"{DEPLOYMENTS}/web")
    done, _ = await api.apply(f"{DEPLOYMENTS}/web/scale", scale(2), "hpa")
    _, after = await api("GET", f"{DEPLOYMENTS}/web")

    assert done == 200
    assert {e["manager"] for e in after["metadata"]["managedFields"]} == {"maker", "hpa"}
    assert after == before


async def test_the_scale_of_nothing_is_not_made(api):
    missing, status = await api.apply(f"{DEPLOYMENTS}/none/scale", {**scale(1), "metadata": {"name": "none"}}, "hpa")

    assert (missing, status["reason"]) == (404, "NotFound")


async def test_a_scale_is_a_scale(api):
    await api.apply(f"{DEPLOYMENTS}/web", DEPLOYMENT, "maker")
    wrong, status = await api.apply(f"{DEPLOYMENTS}/web/scale", DEPLOYMENT, "hpa")
    assert (wrong, "expected objects of the same type" in status["message"]) == (500, True)
    odd, status = await api.apply(f"{DEPLOYMENTS}/web/scale", {**scale(1), "spec": {"size": 1}}, "hpa")
    assert (odd, "field not declared in schema" in status["message"]) == (500, True)


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}


async def test_an_ephemeral_container_can_be_applied_and_nothing_else_comes_to_be_owned(api):
    await api("POST", PODS, {**POD, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    debugger = {"name": "d", "image": "busybox", "targetContainerName": "c"}
    spec = {"containers": [{"name": "c", "image": "other"}], "ephemeralContainers": [debugger]}
    done, pod = await api.apply(f"{PODS}/p/ephemeralcontainers", {**POD, "spec": spec}, "debug")

    assert done == 200, pod
    assert pod["spec"]["ephemeralContainers"][0]["name"] == "d"
    assert pod["spec"]["containers"][0]["image"] == "i"
    fields = (await api.owners(f"{PODS}/p"))["debug", "ephemeralcontainers"]["fieldsV1"]
    assert list(fields) == ["f:spec"]
    assert list(fields["f:spec"]) == ["f:ephemeralContainers"]


async def test_a_resize_can_be_applied(api):
    resources = {"requests": {"cpu": "100m"}}
    await api("POST", PODS, {**POD, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}})
    wanted = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "200m"}}}]}
    done, pod = await api.apply(f"{PODS}/p/resize", {**POD, "spec": wanted}, "vpa", force="true")

    assert done == 200, pod
    assert pod["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "200m"}}
    owned = (await api.owners(f"{PODS}/p"))["vpa", "resize"]["fieldsV1"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert set(owned) == {".", "f:name", "f:resources"}


async def test_a_decision_about_a_certificate_can_be_applied(api):
    made, _ = await api("POST", REQUESTS, signing_request(pkcs10("system:node:n1"), name="r"))
    assert made == 201
    encoded = base64.b64encode(b"x").decode()
    status = {
        "conditions": [{"type": "Approved", "status": "True", "reason": "R", "message": "m"}],
        "certificate": encoded,
    }
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "r"}}
    done, request = await api.apply(f"{REQUESTS}/r/approval", {**kind, "status": status}, "approver")

    assert done == 200, request
    assert request["status"]["conditions"][0]["type"] == "Approved"
    assert "certificate" not in request["status"]
    owned = (await api.owners(f"{REQUESTS}/r"))["approver", "approval"]["fieldsV1"]
    assert list(owned["f:status"]) == ["f:conditions"]


SCALERS = "/namespaces/default/horizontalpodautoscalers/a"
_SCALER = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}
_SCALED = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3}


def scaler_v1(percent):
    return {**_SCALER, "apiVersion": "autoscaling/v1", "spec": {**_SCALED, "targetCPUUtilizationPercentage": percent}}


def scaler_v2(percent):
    target = {"type": "Utilization", "averageUtilization": percent}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    return {**_SCALER, "apiVersion": "autoscaling/v2", "spec": {"maxReplicas": 3, "metrics": [metric]}}


async def test_owners_in_two_versions_of_one_object_conflict_each_under_its_own_names(api):
    v1, v2 = (f"/apis/autoscaling/{version}{SCALERS}" for version in ("v1", "v2"))
    made, _ = await api.apply(v1, scaler_v1(50), "one")
    equal, answered = await api.apply(v2, {**scaler_v2(50), "spec": {"maxReplicas": 3}}, "two")
    assert (made, equal) == (201, 200), answered
    refused, status = await api.apply(v2, scaler_v2(60), "two")
    assert (refused, [cause["field"] for cause in status["details"]["causes"]]) == (
        409,
        [".spec.targetCPUUtilizationPercentage"],
    )

    forced, _ = await api.apply(v2, scaler_v2(60), "two", force="true")
    _, seen = await api("GET", v1)
    assert (forced, seen["spec"]["targetCPUUtilizationPercentage"]) == (200, 60)
    owners = {e["manager"]: (e["apiVersion"], e["fieldsV1"]["f:spec"]) for e in seen["metadata"]["managedFields"]}
    assert owners["one"][0] == "autoscaling/v1"
    assert "f:targetCPUUtilizationPercentage" not in owners["one"][1]
    assert owners["two"][0] == "autoscaling/v2"
    assert "f:metrics" in owners["two"][1]


async def test_an_applier_may_change_the_version_that_he_speaks(api):
    v1, v2 = (f"/apis/autoscaling/{version}{SCALERS}" for version in ("v1", "v2"))
    await api.apply(v1, {**scaler_v1(50), "spec": {**scaler_v1(50)["spec"], "minReplicas": 2}}, "me")
    done, seen = await api.apply(v2, {**scaler_v2(50), "spec": {**_SCALED, **scaler_v2(50)["spec"]}}, "me")

    assert done == 200, seen
    assert seen["spec"]["minReplicas"] == 1
    assert [(e["manager"], e["apiVersion"]) for e in seen["metadata"]["managedFields"]] == [("me", "autoscaling/v2")]


async def test_a_field_that_stands_twice_is_warned_of_or_refused():
    path = "/api/v1/namespaces/default/configmaps/twice"
    body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
    async with _api() as api:
        found = {}
        for validation in ("Strict", "Warn", "Ignore"):
            query = {"fieldManager": "m", "fieldValidation": validation}
            async with api._session.patch(path, data=body, headers=APPLY, params=query) as answer:
                found[validation] = answer.status, answer.headers.get("Warning"), await answer.json()
    assert found["Strict"][0] == 400
    assert found["Strict"][2]["message"] == 'error strict decoding YAML: key "a" already set in map'
    assert found["Warn"][:2] == (201, '299 - "key \\"a\\" already set in map"')
    assert found["Ignore"][:2] == (200, None)
    assert found["Warn"][2]["data"] == {"a": "2"}
