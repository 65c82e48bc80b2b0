"""Admission of what is no plain write: bindings, evictions, tokens, scales, streams, deletions; and who asks."""

from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from minikube_py.apiserver.users import SYSTEM_MASTERS, UserInfo
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.memory_api_server import ADMIN_TOKEN, loopback_pki, memory_api_server, serving
from minikube_py.testing.webhook_server import allow, deny, webhook_server

pytestmark = pytest.mark.slow

PODS = "/api/v1/namespaces/default/pods"
USER = UserInfo("jane", (SYSTEM_MASTERS, "devs"), "u-1", (("example.com/team", ("a", "b")),))
A_POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
A_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": A_POD["spec"]}
A_DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": A_TEMPLATE},
}


class World:
    def __init__(self, transport, hooks, url):
        self.transport, self.hooks, self.url = transport, hooks, url

    async def ask(self, method, path, obj=None, content_type="application/json", **query):
        headers = {"content-type": content_type, "user-agent": "test/1"}
        answer = await self.transport.send(
            ApiRequest(method, path, query, headers, orjson.dumps(obj) if obj is not None else b"")
        )
        return answer.status, orjson.loads(answer.body)

    async def watch_over(self, *resources, kind="Validating"):
        webhook = {
            "name": "hook.example.com",
            "clientConfig": self.hooks.client_config("/hook"),
            "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": list(resources)}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        path = f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}webhookconfigurations"
        code, made = await self.ask("POST", path, {"metadata": {"name": "hook"}, "webhooks": [webhook]})
        assert code == 201, made

    def asked(self):
        """Return the requests that the webhook has seen since the last look."""
        requests = [review["request"] for review in self.hooks.asked]
        self.hooks.asked.clear()
        return requests


@asynccontextmanager
async def a_world(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path, SystemClock().wall_s())
    async with serving(server, None) as url, webhook_server(pki) as hooks:
        hooks.answers["/hook"] = allow()
        yield World(server.local_transport(USER), hooks, url)


async def test_a_binding_an_eviction_and_a_token_are_creations_of_their_own_kind(tmp_path):
    async with a_world(tmp_path) as world:
        await world.ask("POST", PODS, A_POD)
        await world.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "bot"}})
        await world.watch_over("pods/binding", "pods/eviction", "serviceaccounts/token")

        binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
        assert (await world.ask("POST", f"{PODS}/p/binding", binding))[0] == 201
        token = "/api/v1/namespaces/default/serviceaccounts/bot/token"
        assert (await world.ask("POST", token, {"spec": {}}))[0] == 201
        assert (await world.ask("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}}))[0] == 201

        bound, issued, evicted = world.asked()
        assert [(r["operation"], r["kind"]["kind"], r["subResource"]) for r in (bound, issued, evicted)] == [
            ("CREATE", "Binding", "binding"),
            ("CREATE", "TokenRequest", "token"),
            ("CREATE", "Eviction", "eviction"),
        ]
        assert bound["resource"] == {"group": "", "version": "v1", "resource": "pods"}
        assert evicted["kind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}
        assert (bound["name"], bound["object"]["target"]["name"], bound["oldObject"]) == ("p", "n1", None)
        assert bound["userInfo"] == {
            "username": "jane",
            "groups": [SYSTEM_MASTERS, "devs"],
            "uid": "u-1",
            "extra": {"example.com/team": ["a", "b"]},
        }


async def test_a_denied_binding_leaves_the_pod_alone_and_a_changed_one_goes_elsewhere(tmp_path):
    async with a_world(tmp_path) as world:
        await world.ask("POST", PODS, A_POD)
        binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
        await world.watch_over("pods/binding", kind="Mutating")
        world.hooks.answers["/hook"] = deny("not there")
        assert (await world.ask("POST", f"{PODS}/p/binding", binding))[0] == 403
        assert "nodeName" not in (await world.ask("GET", f"{PODS}/p"))[1]["spec"]

        world.hooks.answers["/hook"] = allow(patch=[{"op": "replace", "path": "/target/name", "value": "n2"}])
        assert (await world.ask("POST", f"{PODS}/p/binding", binding))[0] == 201
        assert (await world.ask("GET", f"{PODS}/p"))[1]["spec"]["nodeName"] == "n2"


async def test_a_scale_is_seen_as_a_scale_and_may_be_changed(tmp_path):
    async with a_world(tmp_path) as world:
        path = "/apis/apps/v1/namespaces/default/deployments"
        await world.ask("POST", path, A_DEPLOYMENT)
        await world.watch_over("deployments/scale", kind="Mutating")
        world.hooks.answers["/hook"] = allow(patch=[{"op": "replace", "path": "/spec/replicas", "value": 4}])

        patch = {"spec": {"replicas": 9}}
        code, scale = await world.ask("PATCH", f"{path}/d/scale", patch, "application/merge-patch+json")

        assert (code, scale["spec"]["replicas"]) == (200, 4)
        (request,) = world.asked()
        assert request["kind"]["kind"] == request["object"]["kind"] == request["oldObject"]["kind"] == "Scale"
        assert (request["object"]["spec"], request["oldObject"]["spec"]) == ({"replicas": 9}, {"replicas": 1})
        assert (await world.ask("GET", f"{path}/d"))[1]["spec"]["replicas"] == 4


async def test_status_ephemeral_containers_and_resize_are_updates_of_the_pod(tmp_path):
    async with a_world(tmp_path) as world:
        await world.ask("POST", PODS, A_POD)
        await world.watch_over("pods/status", "pods/ephemeralcontainers", "pods/resize")
        merge = "application/merge-patch+json"
        await world.ask("PATCH", f"{PODS}/p/status", {"status": {"phase": "Running"}}, merge)
        debug = {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}
        await world.ask("PATCH", f"{PODS}/p/ephemeralcontainers", debug, merge)

        seen = [(r["operation"], r["kind"]["kind"], r["subResource"]) for r in world.asked()]
        assert seen == [("UPDATE", "Pod", "status"), ("UPDATE", "Pod", "ephemeralcontainers")]


async def test_streams_are_connections_with_their_options(tmp_path):
    async with a_world(tmp_path) as world:
        await world.ask("POST", PODS, A_POD)
        await world.watch_over("pods/*", "services/proxy")
        world.hooks.answers["/hook"] = deny("no shells")
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with aiohttp.ClientSession(world.url, headers=headers) as session:
            exec_path = f"{PODS}/p/exec?command=ls&command=-l&stdout=true&container=c"
            for path in (
                exec_path,
                f"{PODS}/p/portforward?ports=80",
                f"{PODS}/p/proxy/a/b",
                f"{PODS}/p/attach?tty=1",
            ):
                async with session.get(path) as answer:
                    assert answer.status == 403
                    assert "no shells" in (await answer.json())["message"]

        requests = world.asked()
        assert {(r["operation"], r["userInfo"]["username"]) for r in requests} == {("CONNECT", "admin")}
        meta = {"apiVersion": "v1"}
        assert [r["object"] for r in requests] == [
            {"kind": "PodExecOptions", **meta, "stdout": True, "container": "c", "command": ["ls", "-l"]},
            {"kind": "PodPortForwardOptions", **meta, "ports": [80]},
            {"kind": "PodProxyOptions", **meta, "path": "/a/b"},
            {"kind": "PodAttachOptions", **meta, "tty": True},
        ]


async def test_deletions_one_by_one_or_many_are_the_users_own(tmp_path):
    async with a_world(tmp_path) as world:
        maps = "/api/v1/namespaces/default/configmaps"
        for name in ("a", "b", "c"):
            await world.ask("POST", maps, {"metadata": {"name": name}, "data": {"is": name}})
        await world.watch_over("configmaps", kind="Mutating")
        assert (await world.ask("DELETE", f"{maps}/a", {"propagationPolicy": "Orphan"}))[0] == 200
        assert (await world.ask("DELETE", maps))[0] == 200

        first, *others = world.asked()
        assert (first["object"], first["oldObject"]["data"]) == (None, {"is": "a"})
        assert first["options"]["propagationPolicy"] == "Orphan"
        assert sorted(r["name"] for r in others) == ["b", "c"]
        assert {(r["operation"], r["userInfo"]["uid"]) for r in (first, *others)} == {("DELETE", "u-1")}

        await world.ask("POST", maps, {"metadata": {"name": "d"}})
        world.hooks.answers["/hook"] = allow(patch=[{"op": "add", "path": "/x", "value": 1}])
        code, status = await world.ask("DELETE", f"{maps}/d")
        assert code == 500
        assert "attempted to modify the object, which is not supported for this operation" in status["message"]
        assert (await world.ask("GET", f"{maps}/d"))[0] == 200
