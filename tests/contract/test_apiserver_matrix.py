"""Every verb of every resource and subresource, in process and over HTTPS; a row or verb without a cell fails."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from minikube_py.api.errors import BadRequestError, InvalidError, NotFoundError, TooManyRequestsError, from_status
from minikube_py.api.resources import RESOURCES, find_resource
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.least_objects import least_object, least_status, name_for
from minikube_py.testing.memory_api_server import client_context, loopback_pki, memory_api_server, serving

STREAMED = ("log", "exec", "attach", "portforward", "proxy")
"""Subresources with a kubelet or a pod behind them: test_apiserver_streams."""
CELLS = [(r, "", verb) for r in RESOURCES for verb in r.verbs] + [
    (r, sub.name, verb) for r in RESOURCES for sub in r.subresources for verb in sub.verbs if sub.name not in STREAMED
]
OVER_HTTPS = ("pods", "services", "configmaps", "namespaces", "leases", "deployments", "horizontalpodautoscalers")
"""Rows whose cells are tried over HTTPS too: one of each sort; the rest differ in nothing but rules."""


class Api:
    """Requests by method, path and object, over either transport."""

    def __init__(self, transport):
        self.transport = transport

    async def __call__(self, method, path, obj=None, content_type="application/json", **query):
        headers = {"content-type": content_type, "user-agent": "matrix/1", "accept": "application/json"}
        body = orjson.dumps(obj) if obj is not None else b""
        answer = await self.transport.send(ApiRequest(method, path, query, headers, body))
        parsed = orjson.loads(answer.body)
        if answer.status >= 400:
            raise from_status(parsed)
        return answer.status, parsed

    async def create(self, resource, name="x", **metadata):
        _, obj = await self("POST", resource.path("default"), least_object(resource, name, **metadata))
        return obj


@asynccontextmanager
async def _local(tmp_path):
    server = memory_api_server()
    await server.bootstrap()
    yield Api(server.local_transport())


@asynccontextmanager
async def _https(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    async with (
        serving(server, pki.server_context()) as url,
        HttpTransport(url, client_context(pki, with_certificate=True), user_agent="matrix/1") as transport,
    ):
        yield Api(transport)


OPEN = {"local": _local, "https": _https}


def _at(resource, subresource=""):
    return resource.path("default", name_for(resource, "x"), subresource)


async def _create(api, r):
    status, obj = await api("POST", r.path("default"), least_object(r))
    assert status == 201
    assert obj["kind"] == r.kind
    meta = obj["metadata"]
    assert meta["uid"]
    assert meta["creationTimestamp"].endswith("Z")
    assert int(meta["resourceVersion"]) > 0
    assert meta.get("namespace", "") == ("default" if r.namespaced else "")
    assert meta.get("generation", 0) == (1 if r.has_generation else 0)
    with pytest.raises(Exception, match=f'{r.qualified} "{name_for(r, "x")}" already exists'):
        await api("POST", r.path("default"), least_object(r))


async def _get(api, r):
    made = await api.create(r)
    status, got = await api("GET", _at(r))
    assert (status, got) == (200, made)
    with pytest.raises(NotFoundError, match=f'{r.qualified} "{name_for(r, "y")}" not found'):
        await api("GET", r.path("default", name_for(r, "y")))


async def _list(api, r):
    names = {name: await api.create(r, name, labels={"n": name}) for name in ("x1", "x2", "x3")}
    _, everything = await api("GET", r.path("default"))
    assert everything["kind"] == f"{r.kind}List"
    wanted = {name_for(r, name) for name in names}
    assert [o for o in everything["items"] if o["metadata"]["name"] in wanted] == list(names.values())
    _, some = await api("GET", r.path("default"), labelSelector="n in (x1,x3)")
    assert some["items"] == [names["x1"], names["x3"]]
    _, one = await api("GET", r.path("default"), fieldSelector=f"metadata.name={name_for(r, 'x2')}")
    assert one["items"] == [names["x2"]]
    _, page = await api("GET", r.path("default"), limit="1", labelSelector="n")
    _, rest = await api("GET", r.path("default"), labelSelector="n", **{"continue": page["metadata"]["continue"]})
    assert page["items"] + rest["items"] == list(names.values())


async def _watch(api, r):
    _, before = await api("GET", r.path("default"))
    query = {"watch": "true", "resourceVersion": before["metadata"]["resourceVersion"], "timeoutSeconds": "5"}
    query["fieldSelector"] = f"metadata.name={name_for(r, 'x')}"
    stream = api.transport.stream(ApiRequest("GET", r.path("default"), query, {}))
    made = await api.create(r)
    await api.create(r, "other")
    _, changed = await api("PATCH", _at(r), {"metadata": {"labels": {"a": "b"}}}, MERGE)
    await api("DELETE", _at(r))
    events = []
    async with asyncio.timeout(30):
        async for event in stream:
            events.append(event)
            if event.type == "DELETED" or event.object["metadata"].get("deletionTimestamp"):
                break
    await stream.aclose()
    assert [e.type for e in events] == ["ADDED", "MODIFIED", events[-1].type]
    assert [e.object for e in events[:2]] == [made, changed]
    assert int(events[2].object["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])


async def _update(api, r):
    made = await api.create(r)
    made["metadata"]["labels"] = {"a": "b"}
    status, changed = await api("PUT", _at(r), made)
    assert status == 200
    assert changed["metadata"]["labels"]["a"] == "b"
    with pytest.raises(Exception, match="the object has been modified"):
        await api("PUT", _at(r), made)
    _, same = await api("PUT", _at(r), changed)
    assert same == changed, "a write of what is there already must not make a new version"


async def _patch(api, r):
    await api.create(r)
    patches = (
        (MERGE, {"metadata": {"labels": {"m": "1"}}}),
        (STRATEGIC, {"metadata": {"labels": {"s": "1"}}}),
        (JSON_PATCH, [{"op": "add", "path": "/metadata/labels/j", "value": "1"}]),
    )
    for content_type, patch in patches:
        status, changed = await api("PATCH", _at(r), patch, content_type)
        assert status == 200
    assert changed["metadata"]["labels"].items() >= {"m": "1", "s": "1", "j": "1"}.items()


async def _delete(api, r):
    made = await api.create(r)
    _, gone = await api("DELETE", _at(r))
    if gone["kind"] == "Status":
        assert gone["status"] == "Success"
        assert gone["details"]["uid"] == made["metadata"]["uid"]
    _, left = await api("GET", r.path("default"), fieldSelector=f"metadata.name={name_for(r, 'x')}")
    assert all(o["metadata"]["deletionTimestamp"] for o in left["items"])
    assert not left["items"] or r.subresource("finalize") or r.finalizers_on_delete or made["metadata"]["finalizers"]


async def _deletecollection(api, r):
    await api.create(r, "x1", labels={"n": "1"})
    await api.create(r, "x2", labels={"n": "1"})
    await api.create(r, "x3")
    status, _ = await api("DELETE", r.path("default"), labelSelector="n=1")
    _, left = await api("GET", r.path("default"))
    there = {o["metadata"]["name"] for o in left["items"] if not o["metadata"].get("deletionTimestamp")}
    assert status == 200
    assert name_for(r, "x3") in there
    assert not there & {name_for(r, "x1"), name_for(r, "x2")}


async def _get_status(api, r):
    made = await api.create(r)
    assert (await api("GET", _at(r, "status")))[1] == made


async def _update_status(api, r):
    made = await api.create(r)
    _, changed = await api("PUT", _at(r, "status"), {**made, "status": least_status(r)})
    assert least_status(r).items() <= changed["status"].items()
    assert changed.get("spec") == made.get("spec")
    assert changed["metadata"].get("generation") == made["metadata"].get("generation")
    _, main = await api("PATCH", _at(r), {"status": {"conditions": []}}, MERGE)
    assert main["status"] == changed["status"], "the main resource must not change the status"


async def _patch_status(api, r):
    made = await api.create(r)
    _, changed = await api("PATCH", _at(r, "status"), {"status": least_status(r), "spec": {}}, MERGE)
    assert least_status(r).items() <= changed["status"].items()
    assert changed.get("spec") == made.get("spec")


async def _get_scale(api, r):
    await api.create(r)
    _, scale = await api("GET", _at(r, "scale"))
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=x"}


async def _update_scale(api, r):
    await api.create(r)
    _, scale = await api("GET", _at(r, "scale"))
    _, scaled = await api("PUT", _at(r, "scale"), {**scale, "spec": {"replicas": 7}})
    _, obj = await api("GET", _at(r))
    assert scaled["kind"] == "Scale"
    assert (scaled["spec"]["replicas"], obj["spec"]["replicas"], obj["metadata"]["generation"]) == (7, 7, 2)


async def _patch_scale(api, r):
    await api.create(r)
    _, scaled = await api("PATCH", _at(r, "scale"), {"spec": {"replicas": 0}}, MERGE)
    _, obj = await api("GET", _at(r))
    assert scaled["kind"] == "Scale"
    assert obj["spec"]["replicas"] == 0
    with pytest.raises(Exception, match="must be greater than or equal to 0"):
        await api("PATCH", _at(r, "scale"), {"spec": {"replicas": -1}}, MERGE)


async def _create_binding(api, r):
    await api.create(r)
    target = {"kind": "Node", "name": "n1"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "x"}, "target": target}
    status, answer = await api("POST", _at(r, "binding"), binding)
    _, pod = await api("GET", _at(r))
    assert (status, answer["status"]) == (201, "Success")
    assert pod["spec"]["nodeName"] == "n1"
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]} == {"PodScheduled": "True"}
    with pytest.raises(Exception, match='pod x is already assigned to node "n1"'):
        await api("POST", _at(r, "binding"), binding)


async def _update_finalize(api, r):
    await api.create(r)
    _, deleting = await api("DELETE", _at(r))
    assert deleting["status"]["phase"] == "Terminating"
    deleting["spec"]["finalizers"] = []
    await api("PUT", _at(r, "finalize"), deleting)
    with pytest.raises(NotFoundError):
        await api("GET", _at(r))


async def _create_eviction(api, r):
    await api.create(r)
    budget = least_object(find_resource("policy", "v1", "poddisruptionbudgets"))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x"}}
    await api("PATCH", _at(r), {"metadata": {"labels": {"app": "x"}}}, MERGE)
    await api("PATCH", _at(r, "status"), {"status": {"phase": "Running"}}, MERGE)
    await api("POST", f"{BUDGETS}", budget)
    with pytest.raises(TooManyRequestsError, match="it would violate the pod's disruption budget"):
        await api("POST", _at(r, "eviction"), eviction)
    allowed = {"status": {"observedGeneration": 1, "disruptionsAllowed": 1}}
    await api("PATCH", f"{BUDGETS}/x/status", allowed, MERGE)
    await api("POST", _at(r, "eviction"), eviction, dryRun="All")
    status, answer = await api("POST", _at(r, "eviction"), eviction)
    _, budget = await api("GET", f"{BUDGETS}/x")
    assert (status, answer["status"]) == (201, "Success")
    assert budget["status"]["disruptionsAllowed"] == 0
    assert list(budget["status"]["disruptedPods"]) == ["x"]
    with pytest.raises(NotFoundError):
        await api("GET", _at(r))


async def _get_pod(api, r):
    made = await api.create(r)
    for subresource in ("ephemeralcontainers", "resize"):
        assert (await api("GET", _at(r, subresource)))[1] == made


DEBUGGER = {"name": "debug", "image": "busybox:1.36"}


async def _update_ephemeral(api, r):
    made = await api.create(r)
    made["spec"]["ephemeralContainers"] = [DEBUGGER]
    _, changed = await api("PUT", _at(r, "ephemeralcontainers"), made)
    assert changed["spec"]["ephemeralContainers"][0]["terminationMessagePolicy"] == "File"
    changed["spec"]["ephemeralContainers"] = []
    with pytest.raises(InvalidError, match='existing ephemeral containers "debug" may not be removed'):
        await api("PUT", _at(r, "ephemeralcontainers"), changed)


async def _patch_ephemeral(api, r):
    made = await api.create(r)
    patch = {"spec": {"ephemeralContainers": [DEBUGGER], "nodeName": "elsewhere"}}
    _, changed = await api("PATCH", _at(r, "ephemeralcontainers"), patch, STRATEGIC)
    assert [c["name"] for c in changed["spec"]["ephemeralContainers"]] == ["debug"]
    assert "nodeName" not in changed["spec"]
    assert changed["metadata"]["generation"] == made["metadata"]["generation"] + 1


def _resized(cpu):
    return {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}


async def _patch_resize(api, r):
    pod = least_object(r)
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
    await api("POST", r.path("default"), pod)
    _, changed = await api("PATCH", _at(r, "resize"), _resized("200m"), STRATEGIC)
    assert changed["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "200m"
    with pytest.raises(InvalidError, match="pod resizes may not change fields other than"):
        await api("PATCH", _at(r, "resize"), {"spec": {"hostNetwork": True}}, MERGE)


async def _update_resize(api, r):
    made = await api.create(r)
    made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    with pytest.raises(InvalidError, match="Pod QOS Class may not change as a result of resizing"):
        await api("PUT", _at(r, "resize"), made)


APPROVED = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Test"}]}}


async def _get_approval(api, r):
    made = await api.create(r)
    assert (await api("GET", _at(r, "approval")))[1] == made


async def _update_approval(api, r):
    made = await api.create(r)
    with pytest.raises(InvalidError, match='may not add a condition of type "Approved"'):
        await api("PUT", _at(r, "status"), {**made, **APPROVED})
    _, changed = await api("PUT", _at(r, "approval"), {**made, **APPROVED})
    assert changed["status"]["conditions"][0]["lastTransitionTime"].endswith("Z")
    assert changed["spec"]["username"] in ("system:apiserver", "kubernetes-admin")


async def _patch_approval(api, r):
    await api.create(r)
    await api("PATCH", _at(r, "approval"), APPROVED, MERGE)
    denied = {"status": {"conditions": [*APPROVED["status"]["conditions"], {"type": "Denied", "status": "True"}]}}
    with pytest.raises(InvalidError, match="mutually exclusive"):
        await api("PATCH", _at(r, "approval"), denied, MERGE)


async def _create_bindings(api, r):
    pods = find_resource("", "v1", "pods")
    await api.create(pods)
    status, answer = await api("POST", r.path("default"), least_object(r))
    assert (status, answer["status"]) == (201, "Success")
    assert (await api("GET", _at(pods)))[1]["spec"]["nodeName"] == "n1"


async def _get_component(api, r):
    _, component = await api("GET", r.path(name="bootstrap"))
    healthy = {"type": "Healthy", "status": "True", "message": "ok"}
    assert (component["metadata"]["name"], component["conditions"]) == ("bootstrap", [healthy])
    with pytest.raises(NotFoundError, match='componentstatuses "x" not found'):
        await api("GET", r.path(name="x"))


async def _list_components(api, r):
    _, listed = await api("GET", r.path())
    assert (listed["kind"], [c["metadata"]["name"] for c in listed["items"]]) == (
        "ComponentStatusList",
        ["bootstrap", "ping"],
    )


async def _get_metrics(api, r):
    with pytest.raises(NotFoundError, match=f'{r.plural}.metrics.k8s.io "x" not found'):
        await api("GET", r.path("default", "x"))


async def _list_metrics(api, r):
    """What nothing was measured of is not listed; tests/contract/test_metrics_api.py measures."""
    _, listed = await api("GET", r.path())
    assert (listed["kind"], listed["apiVersion"], listed["items"]) == (r.list_kind, "metrics.k8s.io/v1beta1", [])


ANSWERS = {
    "tokenreviews": {"authenticated": True, "user": {"username": "alice", "groups": ["system:authenticated"]}},
    "selfsubjectreviews": None,
    "subjectaccessreviews": {"allowed": False},
    "localsubjectaccessreviews": {"allowed": False},
    "selfsubjectaccessreviews": {"allowed": True},
    "selfsubjectrulesreviews": {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    },
}


async def _create_review(api, r):
    status, review = await api("POST", r.path("default"), least_object(r))
    assert (status, review["kind"]) == (201, r.kind)
    if ANSWERS[r.plural] is None:
        assert "system:masters" in review["status"]["userInfo"]["groups"]
    else:
        assert review["status"] == ANSWERS[r.plural]


async def _create_token(api, r):
    account = await api.create(r)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    status, answer = await api("POST", _at(r, "token"), request)
    assert (status, answer["kind"], answer["spec"]["expirationSeconds"]) == (201, "TokenRequest", 3600)

    reviews = find_resource("authentication.k8s.io", "v1", "tokenreviews")

    async def user_of(token):
        body = {**least_object(reviews), "spec": {"token": token}}
        return (await api("POST", reviews.path(), body))[1]["status"]

    token = answer["status"]["token"]
    assert (await user_of(token))["user"]["username"] == "system:serviceaccount:default:x"
    assert "authenticated" not in await user_of(token[:-4] + "AAAA")
    await api.create(find_resource("", "v1", "pods"))
    bound = {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}}}
    with pytest.raises(BadRequestError, match="different serviceaccount"):
        await api("POST", _at(r, "token"), {**request, **bound})
    with pytest.raises(InvalidError, match="may not specify a duration less than 10 minutes"):
        await api("POST", _at(r, "token"), {**request, "spec": {"expirationSeconds": 5}})
    await api("DELETE", _at(r))
    again = await api.create(r)
    assert again["metadata"]["uid"] != account["metadata"]["uid"]
    assert "authenticated" not in await user_of(token), "a token ends with its account"


BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
CHECKS = {
    ("", "create"): _create,
    ("", "get"): _get,
    ("", "list"): _list,
    ("", "watch"): _watch,
    ("", "update"): _update,
    ("", "patch"): _patch,
    ("", "delete"): _delete,
    ("", "deletecollection"): _deletecollection,
    ("status", "get"): _get_status,
    ("status", "update"): _update_status,
    ("status", "patch"): _patch_status,
    ("scale", "get"): _get_scale,
    ("scale", "update"): _update_scale,
    ("scale", "patch"): _patch_scale,
    ("binding", "create"): _create_binding,
    ("finalize", "update"): _update_finalize,
    ("eviction", "create"): _create_eviction,
    ("ephemeralcontainers", "get"): _get_pod,
    ("ephemeralcontainers", "update"): _update_ephemeral,
    ("ephemeralcontainers", "patch"): _patch_ephemeral,
    ("resize", "get"): _get_pod,
    ("resize", "update"): _update_resize,
    ("resize", "patch"): _patch_resize,
    ("token", "create"): _create_token,
    ("approval", "get"): _get_approval,
    ("approval", "update"): _update_approval,
    ("approval", "patch"): _patch_approval,
}
COMPUTED = {
    ("bindings", "create"): _create_bindings,
    ("componentstatuses", "get"): _get_component,
    ("componentstatuses", "list"): _list_components,
    ("nodes", "get"): _get_metrics,
    ("nodes", "list"): _list_metrics,
    ("pods", "get"): _get_metrics,
    ("pods", "list"): _list_metrics,
    **{(plural, "create"): _create_review for plural in ANSWERS},
}
"""Cells of resources that store nothing."""


TRIED = [(*cell, way) for cell in CELLS for way in OPEN if way == "local" or cell[0].plural in OVER_HTTPS]


@pytest.mark.parametrize(
    ("resource", "subresource", "verb", "way"),
    TRIED,
    ids=["/".join(filter(None, (r.plural, r.version, s, v, w))) for r, s, v, w in TRIED],
)
async def test_cell(resource, subresource, verb, way, tmp_path):
    check = COMPUTED[resource.plural, verb] if resource.computed else CHECKS[subresource, verb]
    async with OPEN[way](tmp_path) as api:
        await check(api, resource)
