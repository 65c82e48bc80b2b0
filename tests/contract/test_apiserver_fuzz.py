"""Whatever is sent, the API server answers with a Status or an object, and what it stores stays whole (seeded)."""

import copy
from random import Random

import orjson
import pytest

from minikube_py.api.resources import RESOURCES
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.least_objects import MINIMAL, least_object, least_status, name_for
from minikube_py.testing.memory_api_server import memory_api_server

pytestmark = pytest.mark.slow

REQUESTS = 1800
JUNK = (None, "", 0, -1, 1.5, True, [], {}, [None], {"a": None}, "x" * 300, [[]], "2026-01-01T00:00:00Z")
FIELDS = (
    "finalizers",
    "ownerReferences",
    "managedFields",
    "deletionTimestamp",
    "generateName",
    "resourceVersion",
    "labels",
    "annotations",
    "generation",
    "replicas",
    "conditions",
    "ports",
)
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
QUERIES = ({}, {"fieldValidation": "Strict"}, {"dryRun": "All"}, {"fieldManager": "f"}, {"limit": "x", "watch": "?"})
EXPECTED_500 = (
    b"failed calling webhook",  # a webhook that was made here is not there
    b"declared merge key",
    b"typed patch object",
    b"typed live object",
    b"should not be set",
    b"target.",
    b"objects of the same type",
    b"strconv.ParseUint",
)
"""The cases in which upstream answers 500 too."""


def _places(value, path=()):
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


class Sender:
    """Makes requests that are almost right."""

    def __init__(self, seed):
        self.rng = Random(seed)

    def body_of(self, resource, name, subresource):
        if subresource in ("binding", "eviction"):
            kind = {"binding": "Binding", "eviction": "Eviction"}[subresource]
            api_version = "v1" if subresource == "binding" else "policy/v1"
            obj = {"apiVersion": api_version, "kind": kind, "target": {"kind": "Node", "name": "n"}}
        elif subresource == "token":
            obj = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["a"]}}
        elif resource.computed and resource.qualified not in MINIMAL:
            obj = {"apiVersion": resource.api_version, "kind": resource.kind}
        elif subresource == "scale":
            obj = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 1}}
        else:
            obj = least_object(resource, name)
        if subresource in ("status", "approval"):
            obj["status"] = {**least_status(resource), "conditions": [{"type": "Ready", "status": "True"}]}
        return copy.deepcopy({**obj, "metadata": {"name": name_for(resource, name)}})

    def spoil(self, obj):
        for _ in range(self.rng.randint(0, 3)):
            path = self.rng.choice([*_places(obj)])
            parent = obj
            for key in path[:-1]:
                parent = parent[key]
            place, junk = parent[path[-1]], copy.deepcopy(self.rng.choice(JUNK))
            if isinstance(place, dict) and self.rng.random() < 0.6:
                place[self.rng.choice(FIELDS)] = junk
            elif self.rng.random() < 0.2 and isinstance(parent, dict):
                del parent[path[-1]]
            else:
                parent[path[-1]] = junk
            if not any(_places(obj)):
                break
        return obj

    def request(self):
        rng = self.rng
        resource, name = rng.choice(RESOURCES), rng.choice(("x", "y", "z"))
        streamed = ("log", "exec", "attach", "portforward", "proxy")
        subresource = rng.choice(["", "", *(s.name for s in resource.subresources if s.name not in streamed)])
        query = dict(rng.choice(QUERIES))
        obj = self.body_of(resource, name, subresource)
        path = resource.path("default", name_for(resource, name), subresource)
        kind = rng.choice(("create", "create", "update", "delete", "json", *PATCHES))
        accept = rng.choice(("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"))
        method, media, body = "PATCH", PATCHES.get(kind, "application/json"), self.spoil(obj)
        match kind:
            case "create":
                method, path = (
                    "POST",
                    path if subresource in ("binding", "eviction", "token") else resource.path("default"),
                )
            case "update":
                method = "PUT"
            case "delete":
                method, grace = "DELETE", rng.choice((None, 0, 5))
                policy = rng.choice((None, "Foreground", "Orphan", "Background"))
                body = {"kind": "DeleteOptions", "gracePeriodSeconds": grace, "propagationPolicy": policy}
            case "json":
                pointer = "/" + "/".join(map(str, rng.choice([*_places(self.body_of(resource, name, subresource))])))
                operation = rng.choice(("add", "replace", "remove", "test"))
                media = "application/json-patch+json"
                body = [{"op": operation, "path": pointer, "value": rng.choice(JUNK)}]
            case "apply":
                query = {"fieldManager": rng.choice("ab"), "force": rng.choice(("true", "false"))}
        return ApiRequest(method, path, query, {"content-type": media, "accept": accept}, orjson.dumps(body))


@pytest.mark.parametrize("seed", range(3))
async def test_every_request_is_answered_and_the_state_stays_whole(seed):
    server = memory_api_server()
    await server.bootstrap()
    transport, sender = server.local_transport(), Sender(seed)
    statuses = set()
    for _ in range(REQUESTS):
        request = sender.request()
        answer = await transport.send(request)
        statuses.add(answer.status)
        assert orjson.loads(answer.body)["kind"]
        if answer.status >= 500:
            assert any(text in answer.body for text in EXPECTED_500), (request, answer.body)

    assert {200, 201, 400, 404, 409, 422} <= statuses
    for resource in (r for r in RESOURCES if "list" in r.verbs):
        for accept in ("application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io"):
            listed = await transport.send(ApiRequest("GET", resource.path(), {}, {"accept": accept}))
            assert listed.status == 200
        plain = await transport.send(ApiRequest("GET", resource.path(), {}, {}))
        for obj in orjson.loads(plain.body)["items"]:
            meta = obj["metadata"]
            assert meta["name"]
            if resource.computed:
                continue
            assert meta["uid"]
            assert int(meta["resourceVersion"]) > 0
