"""Custom resources in several versions, over the API: conversion, migration, watches, definitions that change."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from minikube_py.api.errors import MethodNotSupportedError, NotFoundError, StatusError, from_status
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.custom_objects import a_definition, a_version, a_widget
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, serving
from minikube_py.testing.webhook_server import webhook_server

pytestmark = pytest.mark.slow

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
V1, V2 = (f"/apis/ex.io/{version}/namespaces/default/widgets" for version in ("v1", "v2"))
WITHIN_S = 60.0


class Api:
    def __init__(self, transport):
        self.transport = transport

    def request(self, method, path, obj=None, content_type="application/json", **query):
        headers = {"content-type": content_type, "accept": "application/json", "user-agent": "test/1"}
        return ApiRequest(method, path, query, headers, orjson.dumps(obj) if obj is not None else b"")

    async def __call__(self, method, path, obj=None, content_type="application/json", **query):
        answer = await self.transport.send(self.request(method, path, obj, content_type, **query))
        parsed = orjson.loads(answer.body)
        if answer.status >= 400:
            raise from_status(parsed)
        return parsed

    def watch(self, path, version):
        return self.transport.stream(self.request("GET", path, watch="1", resourceVersion=version))


@asynccontextmanager
async def a_world(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path, SystemClock().wall_s())
    async with serving(server, None), webhook_server(pki) as hooks:
        yield Api(server.local_transport()), hooks


def doubling(request):
    """Sizes of v2 are twice those of v1."""
    wanted = request["desiredAPIVersion"]
    factor = 2 if wanted.endswith("v2") else 0.5
    converted = [
        {**obj, "apiVersion": wanted, "spec": {**obj["spec"], "size": int(obj["spec"]["size"] * factor)}}
        for obj in request["objects"]
    ]
    return {"uid": request["uid"], "convertedObjects": converted, "result": {"status": "Success"}}


def converting(hooks):
    webhook = {"clientConfig": hooks.client_config("/convert"), "conversionReviewVersions": ["v1"]}
    return {"strategy": "Webhook", "webhook": webhook}


async def next_event(stream):
    async with asyncio.timeout(WITHIN_S):
        return await anext(stream)


async def test_versions_without_conversion_differ_in_name_and_schema(tmp_path):
    small = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }
    async with a_world(tmp_path) as (api, _):
        versions = (a_version("v1"), a_version("v2", storage=False, schema=small))
        await api("POST", CRDS, a_definition(versions=versions))
        await api("POST", V1, a_widget(size=2, color="red"))

        seen = await api("GET", f"{V2}/w")
        assert (seen["apiVersion"], seen["spec"]) == ("ex.io/v2", {"size": 2})
        assert (await api("GET", V2))["items"][0]["apiVersion"] == "ex.io/v2"
        assert (await api("GET", f"{V1}/w"))["spec"]["color"] == "red"
        changed = await api("PATCH", f"{V2}/w", {"spec": {"size": 3}}, "application/merge-patch+json")
        assert (changed["apiVersion"], changed["spec"]) == ("ex.io/v2", {"size": 3})


async def test_a_webhook_converts_reads_writes_lists_and_watches(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/convert"] = doubling
        versions = (a_version("v1"), a_version("v2", storage=False))
        await api("POST", CRDS, a_definition(versions=versions, conversion=converting(hooks)))
        made = await api("POST", V2, a_widget("a", version="v2", size=8))
        assert (made["apiVersion"], made["spec"]["size"]) == ("ex.io/v2", 8)
        assert (await api("GET", f"{V1}/a"))["spec"]["size"] == 4

        stream = api.watch(V2, made["metadata"]["resourceVersion"])
        waiting = asyncio.ensure_future(next_event(stream))  # noqa: TID251
        await asyncio.sleep(0.05)
        await api("POST", V1, a_widget("b", size=5))
        added = await waiting
        assert (added.type, added.object["apiVersion"], added.object["spec"]["size"]) == ("ADDED", "ex.io/v2", 10)
        await api("PATCH", f"{V1}/a", {"spec": {"size": 1}}, "application/merge-patch+json")
        changed = await next_event(stream)
        assert (changed.type, changed.object["spec"]["size"]) == ("MODIFIED", 2)
        await stream.aclose()

        listed = await api("GET", V2)
        assert [item["spec"]["size"] for item in listed["items"]] == [2, 10]


async def test_a_webhook_that_fails_fails_the_request(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        versions = (a_version("v1"), a_version("v2", storage=False))
        await api("POST", CRDS, a_definition(versions=versions, conversion=converting(hooks)))
        await api("POST", V1, a_widget(size=1))
        with pytest.raises(
            StatusError, match="conversion webhook for ex.io/v1, Kind=Widget failed: an error on the server"
        ):
            await api("GET", f"{V2}/w")


async def test_a_new_storage_version_is_reached_by_writing_again(tmp_path):
    async with a_world(tmp_path) as (api, _):
        await api("POST", CRDS, a_definition(versions=(a_version("v1"), a_version("v2", storage=False))))
        made = await api("POST", V1, a_widget(size=1))
        crd = await api("GET", f"{CRDS}/widgets.ex.io")
        crd["spec"]["versions"] = [a_version("v1", storage=False), a_version("v2")]
        crd = await api("PUT", f"{CRDS}/widgets.ex.io", crd)
        assert crd["status"]["storedVersions"] == ["v1", "v2"]

        same = await api("GET", f"{V2}/w")
        written = await api("PUT", f"{V2}/w", same)
        assert int(written["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])

        with pytest.raises(StatusError, match="must appear in spec.versions"):
            crd["spec"]["versions"] = [a_version("v2")]
            await api("PUT", f"{CRDS}/widgets.ex.io", crd)
        crd = await api("GET", f"{CRDS}/widgets.ex.io")
        crd["status"]["storedVersions"] = ["v2"]
        crd = await api("PUT", f"{CRDS}/widgets.ex.io/status", crd)
        crd["spec"]["versions"] = [a_version("v2")]
        await api("PUT", f"{CRDS}/widgets.ex.io", crd)
        with pytest.raises(NotFoundError):
            await api("GET", f"{V1}/w")
        assert (await api("GET", f"{V2}/w"))["spec"]["size"] == 1


async def test_a_new_default_is_seen_in_old_objects_and_a_watch_begins_again(tmp_path):
    async with a_world(tmp_path) as (api, _):
        await api("POST", CRDS, a_definition())
        made = await api("POST", V1, a_widget(size=1))
        assert "color" not in made["spec"]
        stream = api.watch(V1, made["metadata"]["resourceVersion"])
        waiting = asyncio.ensure_future(next_event(stream))  # noqa: TID251
        await asyncio.sleep(0.05)
        crd = await api("GET", f"{CRDS}/widgets.ex.io")
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["properties"]["spec"]["properties"]["color"]["default"] = "blue"
        await api("PUT", f"{CRDS}/widgets.ex.io", crd)

        assert (await api("GET", f"{V1}/w"))["spec"]["color"] == "blue"
        assert (await waiting).type == "ERROR"
        await stream.aclose()


async def test_a_definition_that_goes_waits_for_its_objects(tmp_path):
    async with a_world(tmp_path) as (api, _):
        await api("POST", CRDS, a_definition())
        held = a_widget("held", size=1)
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await api("POST", V1, held)
        await api("POST", V1, a_widget("free", size=1))
        await api("DELETE", f"{CRDS}/widgets.ex.io")

        async with asyncio.timeout(WITHIN_S):
            while len((await api("GET", V1))["items"]) > 1:
                await asyncio.sleep(0.01)
        crd = await api("GET", f"{CRDS}/widgets.ex.io")
        assert any(c["type"] == "Terminating" and c["status"] == "True" for c in crd["status"]["conditions"])
        with pytest.raises(MethodNotSupportedError, match="is terminating"):
            await api("POST", V1, a_widget("late", size=1))

        await api("PATCH", f"{V1}/held", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    await api("GET", f"{CRDS}/widgets.ex.io")
                except NotFoundError:
                    break
                await asyncio.sleep(0.01)


async def test_names_that_become_free_are_given_to_who_waits(tmp_path):
    async with a_world(tmp_path) as (api, _):
        await api("POST", CRDS, a_definition())
        names = {"plural": "gadgets", "singular": "gadget", "kind": "Widget"}
        rival = a_definition(names=names)
        rival["metadata"]["name"] = "gadgets.ex.io"
        made = await api("POST", CRDS, rival)
        assert {c["type"]: c["reason"] for c in made["status"]["conditions"]}["NamesAccepted"] == "KindConflict"
        with pytest.raises(NotFoundError):
            await api("GET", "/apis/ex.io/v1/gadgets")

        await api("DELETE", f"{CRDS}/widgets.ex.io")
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    await api("GET", "/apis/ex.io/v1/gadgets")
                except NotFoundError:
                    await asyncio.sleep(0.01)
                else:
                    break


async def test_rules_in_cel_guard_creation_and_change(tmp_path):
    spec = {
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "self.low <= self.high", "message": "low must not be above high"},
            {"rule": "self.low >= oldSelf.low", "message": "low may only grow"},
        ],
        "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
    }
    schema = {"type": "object", "properties": {"spec": spec}}
    async with a_world(tmp_path) as (api, _):
        await api("POST", CRDS, a_definition(versions=(a_version(schema=schema),)))
        with pytest.raises(StatusError) as refused:
            await api("POST", V1, a_widget(low=3, high=1))
        assert refused.value.message == (
            'Widget.ex.io "w" is invalid: spec: Invalid value: "object": low must not be above high'
        )
        await api("POST", V1, a_widget(low=3, high=5))
        with pytest.raises(StatusError, match="low may only grow"):
            await api("PATCH", f"{V1}/w", {"spec": {"low": 1}}, "application/merge-patch+json")
        await api("PATCH", f"{V1}/w", {"spec": {"low": 4}}, "application/merge-patch+json")

        bad = {**schema, "properties": {"spec": {**spec, "x-kubernetes-validations": [{"rule": "self.nobody > 1"}]}}}
        with pytest.raises(StatusError, match="undefined field 'nobody'"):
            await api("POST", CRDS, a_definition(group="other.io", versions=(a_version(schema=bad),)))
