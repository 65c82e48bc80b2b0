"""The facts of the API reference about writes, patches, server-side apply, errors and authentication, a row each.

A row is a name (`section: fact`) and the requests that show it, asked in order in a namespace of its own. What other
suites hold is in HELD_ELSEWHERE with the suite, what does not hold in NOT_HELD with the reason.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import pytest

from minikube_py.testing.custom_objects import a_definition, a_widget
from minikube_py.testing.memory_api_server import ADMIN_TOKEN, READER_TOKEN, memory_api_server, serving

NS = "/api/v1/namespaces/default"
MAPS, PODS, DEPLOYMENTS = f"{NS}/configmaps", f"{NS}/pods", "/apis/apps/v1/namespaces/default/deployments"
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
_CONTAINER = {"name": "a", "image": "i"}
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [_CONTAINER]}}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_CONTAINER]}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE},
}


@dataclass(frozen=True)
class Ask:
    """One request, and what its answer must be: the code, and values at paths (`details.causes.0.field`)."""

    method: str
    path: str
    code: int
    body: object = None
    media: str = "application/json"
    shows: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    has_headers: dict = field(default_factory=dict)


def post(path, body, code=201, **shows):
    return Ask("POST", path, code, body, shows=_paths(shows))


def put(path, body, code=200, **shows):
    return Ask("PUT", path, code, body, shows=_paths(shows))


def get(path, code=200, **shows):
    return Ask("GET", path, code, shows=_paths(shows))


def delete(path, code=200, body=None, **shows):
    return Ask("DELETE", path, code, body, shows=_paths(shows))


def patch(path, body, media=MERGE, code=200, **shows):
    return Ask("PATCH", path, code, body, media, _paths(shows))


def apply(path, body, code=200, **shows):
    return Ask("PATCH", path, code, body, APPLY, _paths(shows))


def _paths(shows):
    return {name.replace("__", "."): value for name, value in shows.items()}


def changed(obj, **data):
    return {**obj, "data": data}


def named(obj, name, **meta):
    return {**obj, "metadata": {"name": name, **meta}}


ABSENT, ANY = object(), object()
_MADE = post(MAPS, MAP)
_POD = post(PODS, POD)
_DEPLOYED = post(DEPLOYMENTS, DEPLOYMENT)
_HELD = named(MAP, "x", finalizers=["ex.io/hold"])
_TWO = {"spec": {"containers": [{"name": "b", "image": "j"}]}}
_ORDER = [{"name": "a"}, {"name": "b"}]
_TWICE = {**POD, "spec": {"containers": [_CONTAINER, _CONTAINER]}}
_WIDGET = named({**a_widget(size="many"), "apiVersion": "fact.io/v1"}, "w")
_MOUNT = {"name": "v", "mountPath": "/v"}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
_SLICE = {"metadata": {"name": "s"}, "addressType": "IPv4", "ports": []}


def _pod_with(**more):
    return {**POD, "spec": {"containers": [{**_CONTAINER, **more}]}}


def _cause(reason, where):
    first = {"details.causes.0.reason": f"FieldValue{reason}", "details.causes.0.field": where}
    return {"reason": "Invalid", **first}


def _refused(path, body, reason, where):
    return Ask("POST", path, 422, body, shows=_cause(reason, where))


_TEMPLATE_TWO = {"spec": {"template": _TWO}}

FACTS = {
    "1.9: create is 201, update and patch are 200": [
        _MADE,
        put(f"{MAPS}/x", changed(MAP, a="2")),
        patch(f"{MAPS}/x", {"data": {"a": "3"}}, data__a="3"),
    ],
    "1.9: delete answers a Status that names the object": [
        _MADE,
        delete(f"{MAPS}/x", kind="Status", status="Success", details__name="x", details__kind="configmaps"),
        get(f"{MAPS}/x", 404),
    ],
    "1.9: delete answers the object while it lingers": [
        post(MAPS, _HELD),
        delete(f"{MAPS}/x", kind="ConfigMap", metadata__deletionTimestamp=ANY),
        patch(f"{MAPS}/x", {"metadata": {"finalizers": ["ex.io/hold", "ex.io/new"]}}, code=422),
        patch(f"{MAPS}/x", {"metadata": {"finalizers": None}}),
        get(f"{MAPS}/x", 404),
    ],
    "1.9: bindings and evictions are 201 with a Status": [
        _POD,
        post(f"{PODS}/p/binding", {"target": {"name": "n"}}, status="Success"),
        post(f"{PODS}/p/eviction", {"metadata": {"name": "p"}}, status="Success"),
    ],
    "1.9: generateName gives a name": [post(MAPS, {"metadata": {"generateName": "g-"}}, metadata__name=ANY)],
    "1.9: the server sets uid, times, version and generation": [
        post(
            DEPLOYMENTS,
            named(DEPLOYMENT, "d", uid="mine", generation=7),
            metadata__generation=1,
            metadata__creationTimestamp=ANY,
            metadata__resourceVersion=ANY,
            metadata__namespace="default",
        ),
        patch(f"{DEPLOYMENTS}/d", {"metadata": {"labels": {"x": "y"}}}, metadata__generation=1),
        patch(f"{DEPLOYMENTS}/d", {"spec": {"replicas": 3}}, metadata__generation=2),
    ],
    "1.9: an update without a version is unconditional, with a stale one a conflict": [
        _MADE,
        put(f"{MAPS}/x", changed(MAP, a="2")),
        put(f"{MAPS}/x", named(MAP, "x", resourceVersion="1"), 409, reason="Conflict"),
        put(f"{MAPS}/x", named(MAP, "x", uid="other"), 409, reason="Conflict"),
    ],
    "1.9: names in body and URL must agree": [
        _MADE,
        put(f"{MAPS}/x", named(MAP, "y"), 400, reason="BadRequest"),
        post(MAPS, named(MAP, "z", namespace="other"), 400, reason="BadRequest"),
        put(f"{MAPS}/missing", named(MAP, "missing"), 404, reason="NotFound"),
    ],
    "1.9: leases are created by an update": [
        put("/apis/coordination.k8s.io/v1/namespaces/default/leases/l", {"metadata": {"name": "l"}}, 201)
    ],
    "1.9: what has a uid is not created in place of an update": [
        put(
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/l",
            {"metadata": {"name": "l", "uid": "gone"}},
            409,
            reason="Conflict",
        ),
        apply(f"{MAPS}/x?fieldManager=m", named(MAP, "x", uid="gone"), 409, reason="Conflict"),
        get(f"{MAPS}/x", 404),
    ],
    "1.9: a version at creation is a 500 without a reason": [
        post(MAPS, named(MAP, "x", resourceVersion="1"), 500, reason=ABSENT, status="Failure")
    ],
    "1.9: the object ignores its status, and /status all else": [
        _POD,
        patch(f"{PODS}/p", {"status": {"phase": "Running"}}, status__phase="Pending"),
        patch(
            f"{PODS}/p/status",
            {"status": {"phase": "Running"}, "spec": {"nodeName": "n"}},
            status__phase="Running",
            spec__nodeName=ABSENT,
        ),
    ],
    "1.9: a dry run keeps nothing": [
        post(f"{MAPS}?dryRun=All", MAP, metadata__uid=ANY, metadata__resourceVersion=ABSENT),
        get(f"{MAPS}/x", 404),
        post(f"{MAPS}?dryRun=Some", MAP, 422, reason="Invalid", details__kind="CreateOptions"),
    ],
    "1.9: strict validation names what is unknown": [
        post(f"{MAPS}?fieldValidation=Strict", {**MAP, "bogus": 1}, 400, reason="BadRequest"),
        Ask("POST", MAPS, 201, {**MAP, "bogus": 1}, has_headers={"Warning": '299 - "unknown field \\"bogus\\""'}),
        post(f"{MAPS}?fieldValidation=Ignore", {**named(MAP, "y"), "bogus": 1}),
    ],
    "1.9: a wrong type is a 400": [post(MAPS, {**MAP, "data": {"a": 1}}, 400, reason="BadRequest")],
    "1.9: deletecollection takes selectors and answers the list": [
        post(MAPS, named(MAP, "x", labels={"n": "1"})),
        post(MAPS, named(MAP, "y", labels={"n": "2"})),
        delete(f"{MAPS}?labelSelector=n%3D1", kind="ConfigMapList"),
        get(f"{MAPS}/x", 404),
        get(f"{MAPS}/y"),
    ],
    "1.9: delete has preconditions and propagation policies": [
        _MADE,
        delete(f"{MAPS}/x", 409, {"preconditions": {"uid": "other"}}, reason="Conflict"),
        delete(f"{MAPS}/x", 422, {"propagationPolicy": "Sideways"}, reason="Invalid"),
        delete(f"{MAPS}/x", 200, {"propagationPolicy": "Foreground"}, metadata__finalizers__0="foregroundDeletion"),
    ],
    "1.9: a scheduled pod goes with its grace": [
        post(PODS, {**POD, "spec": {**POD["spec"], "nodeName": "n"}}),
        delete(f"{PODS}/p", kind="Pod", metadata__deletionGracePeriodSeconds=30),
        delete(f"{PODS}/p?gracePeriodSeconds=5", metadata__deletionGracePeriodSeconds=5),
        delete(f"{PODS}/p?gracePeriodSeconds=0"),
        get(f"{PODS}/p", 404),
    ],
    "1.9: a pod without a node goes at once": [_POD, delete(f"{PODS}/p"), get(f"{PODS}/p", 404)],
    "1.9: namespaces: missing, immortal, terminating": [
        post("/api/v1/namespaces/nowhere/configmaps", MAP, 404, details__kind="namespaces"),
        delete("/api/v1/namespaces/kube-system", 403, reason="Forbidden"),
        post("/api/v1/namespaces", {"metadata": {"name": "n"}}, spec__finalizers__0="kubernetes"),
        delete("/api/v1/namespaces/n", status__phase="Terminating"),
        post("/api/v1/namespaces/n/configmaps", MAP, 403, details__causes__0__reason="NamespaceTerminating"),
        put("/api/v1/namespaces/n/finalize", {"metadata": {"name": "n"}, "spec": {}}),
        get("/api/v1/namespaces/n", 404),
    ],
    "1.9: a pod is bound once": [
        _POD,
        post(f"{PODS}/p/binding", {"target": {"name": "n"}}),
        get(f"{PODS}/p", spec__nodeName="n", status__conditions__0__type="PodScheduled"),
        post(f"{PODS}/p/binding", {"target": {"name": "m"}}, 409, details__kind="pods/binding"),
    ],
    "1.9: what may not change is a 422": [
        _POD,
        patch(f"{PODS}/p", {"spec": {"restartPolicy": "Never"}}, code=422, details__causes__0__field="spec"),
        _DEPLOYED,
        patch(
            f"{DEPLOYMENTS}/d",
            {"spec": {"selector": {"matchLabels": {"a": "c"}}, "template": {"metadata": {"labels": {"a": "c"}}}}},
            code=422,
            details__causes__0__field="spec.selector",
        ),
    ],
    "1.10: a JSON patch that does not fit is a 422": [
        _MADE,
        patch(f"{MAPS}/x", [{"op": "test", "path": "/data/a", "value": "9"}], JSON_PATCH, 422, reason="Invalid"),
        patch(f"{MAPS}/x", [{"op": "remove", "path": "/data/z"}], JSON_PATCH, 422, reason="Invalid"),
        patch(f"{MAPS}/x", {"op": "test"}, JSON_PATCH, 400, reason="BadRequest"),
        patch(f"{MAPS}/x", [{"op": "add", "path": "/data/b", "value": "2"}], JSON_PATCH, data__b="2"),
    ],
    "1.10: a merge patch merges, replaces lists and deletes with null": [
        _MADE,
        patch(f"{MAPS}/x", {"data": {"a": None, "b": "2"}}, data__a=ABSENT, data__b="2"),
    ],
    "1.10: a version in a patch is a precondition": [
        _MADE,
        patch(f"{MAPS}/x", {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}, code=409, reason="Conflict"),
    ],
    "1.10: an unknown patch type is a 415": [
        _MADE,
        patch(f"{MAPS}/x", {}, "application/x-patch", 415, reason="UnsupportedMediaType"),
    ],
    "1.10: strategic merge puts new elements first": [
        _DEPLOYED,
        patch(
            f"{DEPLOYMENTS}/d",
            _TEMPLATE_TWO,
            STRATEGIC,
            spec__template__spec__containers__0__name="b",
            spec__template__spec__containers__1__name="a",
        ),
    ],
    "1.10: strategic merge orders, deletes and replaces by directive": [
        _DEPLOYED,
        patch(
            f"{DEPLOYMENTS}/d",
            {
                "spec": {
                    "template": {
                        "spec": {**_TWO["spec"], "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}]}
                    }
                }
            },
            STRATEGIC,
            spec__template__spec__containers__1__name="b",
        ),
        patch(
            f"{DEPLOYMENTS}/d",
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}}},
            STRATEGIC,
            spec__template__spec__containers__0__name="b",
        ),
        patch(
            f"{DEPLOYMENTS}/d",
            {"spec": {"template": {"spec": {"containers": [{"$patch": "replace"}, {"name": "c", "image": "k"}]}}}},
            STRATEGIC,
            spec__template__spec__containers__0__name="c",
            spec__template__spec__containers__1=ABSENT,
        ),
    ],
    "1.10: strategic merge takes primitives out and keeps keys": [
        post(MAPS, named(MAP, "x", finalizers=["ex.io/a", "ex.io/b"])),
        patch(
            f"{MAPS}/x",
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["ex.io/a"]}},
            STRATEGIC,
            metadata__finalizers=["ex.io/b"],
        ),
        _DEPLOYED,
        patch(
            f"{DEPLOYMENTS}/d",
            {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
            STRATEGIC,
            spec__strategy={"type": "Recreate"},
        ),
    ],
    "1.10: strategic merge without the merge key is a 500": [
        _DEPLOYED,
        patch(
            f"{DEPLOYMENTS}/d",
            {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}},
            STRATEGIC,
            500,
            status="Failure",
        ),
    ],
    "1.11: an apply needs a manager and creates with 201": [
        apply(f"{MAPS}/x", MAP, 422, details__kind="PatchOptions"),
        apply(f"{MAPS}/x?fieldManager=m", MAP, 201, metadata__managedFields__0__operation="Apply"),
        apply(f"{MAPS}/x?fieldManager=m", MAP, 200),
    ],
    "1.11: who owns a field is a conflict, unless forced": [
        apply(f"{MAPS}/x?fieldManager=m", MAP, 201),
        apply(
            f"{MAPS}/x?fieldManager=n",
            changed(MAP, a="2"),
            409,
            reason="Conflict",
            details__causes__0__reason="FieldManagerConflict",
            details__causes__0__field=".data.a",
        ),
        apply(f"{MAPS}/x?fieldManager=n&force=true", changed(MAP, a="2"), 200, data__a="2"),
    ],
    "1.11: what an applier no longer names goes": [
        apply(f"{MAPS}/x?fieldManager=m", changed(MAP, a="1", b="2"), 201),
        apply(f"{MAPS}/x?fieldManager=m", MAP, 200, data__b=ABSENT),
    ],
    "1.11: a key twice is a 500": [
        apply(
            f"{PODS}/p?fieldManager=m",
            {**POD, "spec": {"containers": [_CONTAINER, _CONTAINER]}},
            500,
            status="Failure",
        )
    ],
    "1.11: managedFields may not be applied": [
        apply(f"{MAPS}/x?fieldManager=m", named(MAP, "x", managedFields=[]), 400, reason="BadRequest")
    ],
    "1.11: the manager is the User-Agent up to its slash": [
        Ask(
            "POST",
            MAPS,
            201,
            MAP,
            headers={"User-Agent": "tool/1.0 (x)"},
            shows={"metadata.managedFields.0.manager": "tool", "metadata.managedFields.0.operation": "Update"},
        )
    ],
    "1.12: 401 and 403": [
        Ask("GET", MAPS, 401, headers={"Authorization": "Bearer no"}, shows={"reason": "Unauthorized"}),
        Ask(
            "GET",
            MAPS,
            403,
            headers={"Authorization": f"Bearer {READER_TOKEN}"},
            shows={"reason": "Forbidden", "details.kind": "configmaps"},
        ),
    ],
    "1.12: 404 names the object, or nothing for an unknown path": [
        get(f"{MAPS}/nope", 404, reason="NotFound", details__name="nope", details__kind="configmaps"),
        get("/apis/ex.io/v1/widgets", 404, reason=ANY),
    ],
    "1.12: 405, 406 and 415": [
        Ask("POST", f"{MAPS}/x", 405, MAP, shows={"reason": "MethodNotAllowed"}),
        Ask("GET", MAPS, 406, headers={"Accept": "text/html"}, shows={"reason": "NotAcceptable"}),
        Ask("POST", MAPS, 415, {}, "text/plain", shows={"reason": "UnsupportedMediaType"}),
    ],
    "1.12: 409 of both kinds": [
        _MADE,
        post(MAPS, MAP, 409, reason="AlreadyExists", details__name="x"),
        put(f"{MAPS}/x", named(MAP, "x", resourceVersion="1"), 409, reason="Conflict"),
    ],
    "1.12: 413 and 422": [
        Ask("POST", MAPS, 413, changed(MAP, a="x" * (4 << 20)), shows={"reason": "RequestEntityTooLarge"}),
        post(
            MAPS,
            named(MAP, "NO"),
            422,
            reason="Invalid",
            details__kind="ConfigMap",
            details__causes__0__reason="FieldValueInvalid",
            details__causes__0__field="metadata.name",
        ),
    ],
    "1.12: causes say by a reason what is wrong with a field": [
        _refused(PODS, {**POD, "spec": {}}, "Required", "spec.containers"),
        _refused(PODS, _TWICE, "Duplicate", "spec.containers[1].name"),
        _refused(PODS, _pod_with(imagePullPolicy="x"), "NotSupported", "spec.containers[0].imagePullPolicy"),
        _refused(PODS, _pod_with(volumeMounts=[_MOUNT]), "NotFound", "spec.containers[0].volumeMounts[0].name"),
        _refused(MAPS, changed(MAP, a="x" * ((1 << 20) + 1)), "TooLong", "[]"),
        _refused(SLICES, {**_SLICE, "endpoints": [{"addresses": ["10.0.0.1"]}] * 1001}, "TooMany", "endpoints"),
        Ask("GET", f"{MAPS}?resourceVersionMatch=Exact", 422, shows=_cause("Forbidden", "resourceVersionMatch")),
    ],
    "1.12: a value of a wrong type in a custom resource": [
        post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", a_definition(group="fact.io")),
        _refused("/apis/fact.io/v1/namespaces/default/widgets", _WIDGET, "TypeInvalid", "spec.size"),
    ],
    "1.12: every answer has Audit-Id and no-cache": [
        Ask("GET", MAPS, 200, has_headers={"Audit-Id": ANY, "Cache-Control": "no-cache, private"}),
        Ask("GET", f"{MAPS}/nope", 404, has_headers={"Audit-Id": ANY, "Cache-Control": "no-cache, private"}),
    ],
    "1.13: a log and an exec without a node": [
        _POD,
        Ask("GET", f"{PODS}/p/log", 204),
        Ask("POST", f"{PODS}/p/exec?command=ls&stdout=1", 400, shows={"reason": "BadRequest"}),
    ],
    "1.14: who am I, and may I": [
        post(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"},
            status__userInfo__username="admin",
        ),
        post(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}},
            status__allowed=True,
        ),
        post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "no"}}, status__authenticated=ABSENT),
    ],
    "1.14: a service account gets tokens": [
        post(f"{NS}/serviceaccounts", {"metadata": {"name": "s"}}),
        post(f"{NS}/serviceaccounts/s/token", {"spec": {}}, status__token=ANY, status__expirationTimestamp=ANY),
    ],
    "1.14: nobody in particular is anonymous": [
        Ask("GET", MAPS, 403, headers={"Authorization": ""}, shows={"reason": "Forbidden"})
    ],
    "1.14: health, version and metrics": [
        Ask("GET", "/livez", 200, shows={"": "ok"}),
        Ask("GET", "/readyz/bootstrap", 200, shows={"": "ok"}),
        get("/version", minor="36", gitVersion=ANY),
        Ask("GET", "/metrics", 200),
    ],
    "1.14: an administrator may be somebody else": [
        Ask("GET", MAPS, 403, headers={"Impersonate-User": "bob"}, shows={"reason": "Forbidden"}),
    ],
}

HELD_ELSEWHERE = {
    "1.9: no-op updates keep the version": "test_apiserver_matrix.py",
    "1.9: names that clash are generated again": "../unit/apiserver/io/test_storage.py",
    "1.9: custom resources must say which version they replace": "test_custom_resources_kubectl.py",
    "1.9: keys that stand twice are found in the text": "test_observed_errors.py",
    "1.10: custom resources know no strategic merge": "test_custom_resource_versions.py",
    "1.10: the six lists whose merge key is not their map key": "../unit/api/test_strategic_merge.py",
    "1.11: owners in fieldsV1, sets, keys and indices": "../unit/api/test_managed_fields.py",
    "1.11: the oldest update managers are joined": "../unit/api/test_managed_fields.py",
    "1.11: kubectl's move from client-side apply": "test_kubectl_resources.py",
    "1.11: owners in several versions": "test_apiserver_apply.py",
    "1.12: 410 for lists and watches": "test_apiserver_protocol.py",
    "1.12: 429 and 504 with Retry-After": "test_apiserver_protocol.py",
    "1.12: 503 when a kubelet or another server does not answer": "test_apiserver_streams.py",
    "1.12: 500 InternalError when a webhook fails": "test_admission.py",
    "1.14: metrics.k8s.io": "test_metrics_api.py",
    "1.13: exec, attach, port-forward and proxy": "test_apiserver_streams.py",
    "1.13: logs": "test_apiserver_http.py",
}
NOT_HELD = {
    "1.12: 500 ServerTimeout": "the store is in the process: nothing waits for it so long",
}


def _at(value, path):
    for part in filter(None, path.split(".")):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


async def _ask(session, ask, namespace):
    """Return what is wrong with the answer, empty when it is as it must be."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": ask.media, **ask.headers}
    headers = {name: value for name, value in headers.items() if value}
    data = None if ask.body is None else orjson.dumps(ask.body)
    path = ask.path.replace("/namespaces/default/", f"/namespaces/{namespace}/")
    async with session.request(ask.method, path, data=data, headers=headers) as answer:
        raw = await answer.read()
    shown = f"{ask.method} {path}: {answer.status} {raw[:500]!r}"
    if answer.status != ask.code:
        return f"{shown}, not {ask.code}"
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    body = orjson.loads(raw) if is_json and raw else raw.decode()
    for place, given in ask.shows.items():
        found, wanted = _at(body, place), namespace if given == "default" else given
        if found is ABSENT if wanted is ANY else found != wanted:
            return f"{place}: {found}, not {wanted}: {shown}"
    for name, wanted in ask.has_headers.items():
        if name not in answer.headers or wanted not in (ANY, answer.headers[name]):
            return f"{name}: {answer.headers.get(name)}, not {wanted}: {shown}"
    return ""


async def _ask_all():
    found = {}
    async with serving(memory_api_server(), None) as url, aiohttp.ClientSession(url) as session:
        for number, (fact, asks) in enumerate(FACTS.items()):
            namespace = f"fact-{number}"
            made = await _ask(session, post("/api/v1/namespaces", {"metadata": {"name": namespace}}), "")
            assert not made, made
            found[fact] = [fault for ask in asks if (fault := await _ask(session, ask, namespace))]
    return found


@pytest.fixture(scope="module")
def answers():
    return asyncio.run(_ask_all())


@pytest.mark.parametrize("fact", FACTS)
def test_the_fact_holds(fact, answers):
    assert answers[fact] == []


@pytest.mark.parametrize("fact", HELD_ELSEWHERE)
def test_the_suite_that_holds_a_fact_is_there(fact):
    assert (Path(__file__).parent / HELD_ELSEWHERE[fact]).exists()


def test_each_section_has_rows_and_no_fact_stands_twice():
    names = [*FACTS, *HELD_ELSEWHERE, *NOT_HELD]

    assert len(set(names)) == len(names)
    assert {name.partition(":")[0] for name in FACTS} == {"1.9", "1.10", "1.11", "1.12", "1.13", "1.14"}
    assert all(NOT_HELD.values())
