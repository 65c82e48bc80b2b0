"""Every verb of every resource and subresource, in process and over HTTPS; a row or verb without a cell fails."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from minikube_py.api.errors import NotFoundError, from_status
from minikube_py.api.resources import RESOURCES
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.memory_api_server import client_context, loopback_pki, memory_api_server, serving

_POD_SPEC = {"containers": [{"name": "c", "image": "busybox:1.36"}]}
_TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": _POD_SPEC}
_WORKLOAD = {"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": _TEMPLATE}}
MINIMAL = {
    "namespaces": {},
    "nodes": {},
    "pods": {"spec": _POD_SPEC},
    "services": {"spec": {"ports": [{"port": 80}], "selector": {"app": "x"}}},
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]},
    "configmaps": {"data": {"a": "b"}},
    "secrets": {"data": {"a": "Yg=="}},
    "serviceaccounts": {},
    "events": {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "x"}, "reason": "Started"},
    "endpointslices.discovery.k8s.io": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}]},
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "x"}},
    "replicasets.apps": _WORKLOAD,
    "deployments.apps": _WORKLOAD,
}
STREAMED = ("log", "exec", "attach", "portforward", "proxy")
"""Subresources with a kubelet or a pod behind them: test_apiserver_streams."""
CELLS = [(r, "", verb) for r in RESOURCES for verb in r.verbs] + [
    (r, sub.name, verb) for r in RESOURCES for sub in r.subresources for verb in sub.verbs if sub.name not in STREAMED
]


def _minimal(resource, name="x", **metadata):
    meta = {"name": name, **({"namespace": "default"} if resource.namespaced else {}), **metadata}
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **MINIMAL[resource.qualified]}
    return orjson.loads(orjson.dumps(obj))


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
        _, obj = await self("POST", resource.path("default"), _minimal(resource, name, **metadata))
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


async def _create(api, r):
    status, obj = await api("POST", r.path("default"), _minimal(r))
    assert status == 201
    assert obj["kind"] == r.kind
    meta = obj["metadata"]
    assert meta["uid"]
    assert meta["creationTimestamp"].endswith("Z")
    assert int(meta["resourceVersion"]) > 0
    assert meta.get("namespace", "") == ("default" if r.namespaced else "")
    assert meta.get("generation", 0) == (1 if r.has_generation else 0)
    with pytest.raises(Exception, match=f'{r.qualified} "x" already exists'):
        await api("POST", r.path("default"), _minimal(r))


async def _get(api, r):
    made = await api.create(r)
    status, got = await api("GET", r.path("default", "x"))
    assert (status, got) == (200, made)
    with pytest.raises(NotFoundError, match=f'{r.qualified} "y" not found'):
        await api("GET", r.path("default", "y"))


async def _list(api, r):
    names = {name: await api.create(r, name, labels={"n": name}) for name in ("x1", "x2", "x3")}
    _, everything = await api("GET", r.path("default"))
    assert everything["kind"] == f"{r.kind}List"
    assert [o for o in everything["items"] if o["metadata"]["name"] in names] == list(names.values())
    _, some = await api("GET", r.path("default"), labelSelector="n in (x1,x3)")
    assert some["items"] == [names["x1"], names["x3"]]
    _, one = await api("GET", r.path("default"), fieldSelector="metadata.name=x2")
    assert one["items"] == [names["x2"]]
    _, page = await api("GET", r.path("default"), limit="1", labelSelector="n")
    _, rest = await api("GET", r.path("default"), labelSelector="n", **{"continue": page["metadata"]["continue"]})
    assert page["items"] + rest["items"] == list(names.values())


async def _watch(api, r):
    _, before = await api("GET", r.path("default"))
    query = {"watch": "true", "resourceVersion": before["metadata"]["resourceVersion"], "timeoutSeconds": "5"}
    query["fieldSelector"] = "metadata.name=x"
    stream = api.transport.stream(ApiRequest("GET", r.path("default"), query, {}))
    made = await api.create(r)
    await api.create(r, "other")
    _, changed = await api("PATCH", r.path("default", "x"), {"metadata": {"labels": {"a": "b"}}}, MERGE)
    await api("DELETE", r.path("default", "x"))
    events = []
    async with asyncio.timeout(5):
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
    status, changed = await api("PUT", r.path("default", "x"), made)
    assert status == 200
    assert changed["metadata"]["labels"]["a"] == "b"
    with pytest.raises(Exception, match="the object has been modified"):
        await api("PUT", r.path("default", "x"), made)
    _, same = await api("PUT", r.path("default", "x"), changed)
    assert same == changed, "a write of what is there already must not make a new version"


async def _patch(api, r):
    await api.create(r)
    patches = (
        (MERGE, {"metadata": {"labels": {"m": "1"}}}),
        (STRATEGIC, {"metadata": {"labels": {"s": "1"}}}),
        (JSON_PATCH, [{"op": "add", "path": "/metadata/labels/j", "value": "1"}]),
    )
    for content_type, patch in patches:
        status, changed = await api("PATCH", r.path("default", "x"), patch, content_type)
        assert status == 200
    assert changed["metadata"]["labels"].items() >= {"m": "1", "s": "1", "j": "1"}.items()


async def _delete(api, r):
    made = await api.create(r)
    _, gone = await api("DELETE", r.path("default", "x"))
    if gone["kind"] == "Status":
        assert gone["status"] == "Success"
        assert gone["details"]["uid"] == made["metadata"]["uid"]
    _, left = await api("GET", r.path("default"), fieldSelector="metadata.name=x")
    assert all(o["metadata"]["deletionTimestamp"] for o in left["items"])
    assert not left["items"] or r.subresource("finalize")


async def _deletecollection(api, r):
    await api.create(r, "x1", labels={"n": "1"})
    await api.create(r, "x2", labels={"n": "1"})
    await api.create(r, "x3")
    status, _ = await api("DELETE", r.path("default"), labelSelector="n=1")
    _, left = await api("GET", r.path("default"))
    names = {o["metadata"]["name"] for o in left["items"]}
    assert status == 200
    assert "x3" in names
    assert not names & {"x1", "x2"}


async def _get_status(api, r):
    made = await api.create(r)
    assert (await api("GET", r.path("default", "x", "status")))[1] == made


STATUS = {"conditions": [{"type": "Ready", "status": "True", "reason": "Test"}]}


async def _update_status(api, r):
    made = await api.create(r)
    _, changed = await api("PUT", r.path("default", "x", "status"), {**made, "status": STATUS})
    assert changed["status"]["conditions"][0]["reason"] == "Test"
    assert changed.get("spec") == made.get("spec")
    assert changed["metadata"].get("generation") == made["metadata"].get("generation")
    _, main = await api("PATCH", r.path("default", "x"), {"status": {"conditions": []}}, MERGE)
    assert main["status"] == changed["status"], "the main resource must not change the status"


async def _patch_status(api, r):
    made = await api.create(r)
    _, changed = await api("PATCH", r.path("default", "x", "status"), {"status": STATUS, "spec": {}}, MERGE)
    assert changed["status"]["conditions"][0]["reason"] == "Test"
    assert changed.get("spec") == made.get("spec")


async def _get_scale(api, r):
    await api.create(r)
    _, scale = await api("GET", r.path("default", "x", "scale"))
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=x"}


async def _update_scale(api, r):
    await api.create(r)
    _, scale = await api("GET", r.path("default", "x", "scale"))
    _, scaled = await api("PUT", r.path("default", "x", "scale"), {**scale, "spec": {"replicas": 7}})
    _, obj = await api("GET", r.path("default", "x"))
    assert scaled["kind"] == "Scale"
    assert (scaled["spec"]["replicas"], obj["spec"]["replicas"], obj["metadata"]["generation"]) == (7, 7, 2)


async def _patch_scale(api, r):
    await api.create(r)
    _, scaled = await api("PATCH", r.path("default", "x", "scale"), {"spec": {"replicas": 0}}, MERGE)
    _, obj = await api("GET", r.path("default", "x"))
    assert scaled["kind"] == "Scale"
    assert obj["spec"]["replicas"] == 0
    with pytest.raises(Exception, match="must be greater than or equal to 0"):
        await api("PATCH", r.path("default", "x", "scale"), {"spec": {"replicas": -1}}, MERGE)


async def _create_binding(api, r):
    await api.create(r)
    target = {"kind": "Node", "name": "n1"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "x"}, "target": target}
    status, answer = await api("POST", r.path("default", "x", "binding"), binding)
    _, pod = await api("GET", r.path("default", "x"))
    assert (status, answer["status"]) == (201, "Success")
    assert pod["spec"]["nodeName"] == "n1"
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]} == {"PodScheduled": "True"}
    with pytest.raises(Exception, match='pod x is already assigned to node "n1"'):
        await api("POST", r.path("default", "x", "binding"), binding)


async def _update_finalize(api, r):
    await api.create(r)
    _, deleting = await api("DELETE", r.path("default", "x"))
    assert deleting["status"]["phase"] == "Terminating"
    deleting["spec"]["finalizers"] = []
    await api("PUT", r.path("default", "x", "finalize"), deleting)
    with pytest.raises(NotFoundError):
        await api("GET", r.path("default", "x"))


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
}


@pytest.mark.parametrize("way", OPEN)
@pytest.mark.parametrize(
    ("resource", "subresource", "verb"), CELLS, ids=["/".join(filter(None, (r.plural, s, v))) for r, s, v in CELLS]
)
async def test_cell(resource, subresource, verb, way, tmp_path):
    async with OPEN[way](tmp_path) as api:
        await CHECKS[subresource, verb](api, resource)
