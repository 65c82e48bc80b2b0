"""One set of objects in two spellings: whatever is written through one is seen through the other, by every verb."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from minikube_py.api.errors import ConflictError, NotFoundError, from_status
from minikube_py.api.resources import EVENTS, find_resource
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.least_objects import least_object
from minikube_py.testing.memory_api_server import memory_api_server

V1 = find_resource("autoscaling", "v1", "horizontalpodautoscalers")
V2 = find_resource("autoscaling", "v2", "horizontalpodautoscalers")
NEW = find_resource("events.k8s.io", "v1", "events")
METRICS = "autoscaling.alpha.kubernetes.io/metrics"
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


@asynccontextmanager
async def api():
    server = memory_api_server()
    await server.bootstrap()
    transport = server.local_transport()

    async def ask(method, path, obj=None, content_type="application/json", accept="application/json", **query):
        headers = {"content-type": content_type, "user-agent": "versions/1", "accept": accept}
        body = orjson.dumps(obj) if obj is not None else b""
        answer = await transport.send(ApiRequest(method, path, query, headers, body))
        parsed = orjson.loads(answer.body)
        if answer.status >= 400:
            raise from_status(parsed)
        return parsed

    ask.transport = transport
    yield ask


def with_memory():
    obj = least_object(V2)
    obj["spec"]["metrics"] = [MEMORY]
    return obj


async def test_what_v1_cannot_say_survives_a_change_through_v1():
    async with api() as ask:
        made = await ask("POST", V2.path("default"), with_memory())
        shown = await ask("GET", V1.path("default", "x"))
        assert shown["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        assert orjson.loads(shown["metadata"]["annotations"][METRICS])[0]["resource"]["name"] == "memory"

        shown["spec"]["maxReplicas"] = 9
        await ask("PUT", V1.path("default", "x"), shown)
        changed = await ask("PATCH", V1.path("default", "x"), {"spec": {"minReplicas": 2}}, MERGE)
        stored = await ask("GET", V2.path("default", "x"))

    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"]["metrics"] == [MEMORY]
    assert (stored["spec"]["minReplicas"], stored["spec"]["maxReplicas"]) == (2, 9)
    assert "annotations" not in stored["metadata"]
    assert changed["apiVersion"] == "autoscaling/v1"


async def test_writing_what_is_there_is_no_write_in_either_version():
    async with api() as ask:
        await ask("POST", V2.path("default"), with_memory())
        for row in (V1, V2):
            seen = await ask("GET", row.path("default", "x"))
            assert await ask("PUT", row.path("default", "x"), seen) == seen


async def test_a_list_and_a_table_are_in_the_version_that_was_asked_for():
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    async with api() as ask:
        await ask("POST", V2.path("default"), with_memory())
        listed = await ask("GET", V1.path("default"))
        rows = [(await ask("GET", row.path(), accept=table))["rows"][0]["cells"][:3] for row in (V1, V2)]

    assert (listed["apiVersion"], listed["kind"]) == ("autoscaling/v1", "HorizontalPodAutoscalerList")
    assert [item["apiVersion"] for item in listed["items"]] == ["autoscaling/v1"]
    assert rows[0] == rows[1] == ["x", "Deployment/d", "memory: <unknown>/1Gi"]


@pytest.mark.parametrize(("watched", "written"), [(V1, V2), (V2, V1)], ids=["v1 sees v2", "v2 sees v1"])
async def test_a_watch_shows_what_is_written_through_the_other_version(watched, written):
    async with api() as ask:
        before = await ask("GET", watched.path("default"))
        query = {"watch": "true", "resourceVersion": before["metadata"]["resourceVersion"], "timeoutSeconds": "5"}
        stream = ask.transport.stream(ApiRequest("GET", watched.path("default"), query, {}))
        await ask("POST", written.path("default"), least_object(written))
        await ask("PATCH", written.path("default", "x"), {"spec": {"maxReplicas": 7}}, MERGE)
        await ask("DELETE", written.path("default", "x"))
        events = []
        async with asyncio.timeout(30):
            async for event in stream:
                events.append((event.type, event.object["apiVersion"], event.object["spec"]["maxReplicas"]))
                if event.type == "DELETED":
                    break
        await stream.aclose()
        with pytest.raises(NotFoundError):
            await ask("GET", watched.path("default", "x"))

    version = watched.api_version
    assert events == [("ADDED", version, 3), ("MODIFIED", version, 7), ("DELETED", version, 7)]


async def test_appliers_of_two_versions_see_each_others_fields():
    def config(row, replicas):
        obj = least_object(row)
        obj["spec"]["maxReplicas"] = replicas
        return obj

    async with api() as ask:
        await ask("PATCH", V1.path("default", "x"), config(V1, 4), APPLY, fieldManager="one")
        with pytest.raises(ConflictError, match=r"\.spec\.maxReplicas"):
            await ask("PATCH", V2.path("default", "x"), config(V2, 5), APPLY, fieldManager="two")
        forced = await ask("PATCH", V2.path("default", "x"), config(V2, 5), APPLY, fieldManager="two", force="true")

    assert forced["spec"]["maxReplicas"] == 5
    assert {(e["manager"], e["apiVersion"]) for e in forced["metadata"]["managedFields"]} == {
        ("one", "autoscaling/v1"),
        ("two", "autoscaling/v2"),
    }


async def test_events_are_found_in_either_spelling():
    async with api() as ask:
        await ask("POST", EVENTS.path("default"), {**least_object(EVENTS, "old"), "message": "m"})
        await ask("POST", NEW.path("default"), {**least_object(NEW, "new"), "note": "n"})
        core = await ask("GET", EVENTS.path("default"), fieldSelector="involvedObject.name=x")
        new = await ask("GET", NEW.path("default"), fieldSelector="regarding.name=x")
        gone = await ask("DELETE", NEW.path("default"), fieldSelector="regarding.name=x")
        left = await ask("GET", EVENTS.path())

    assert [(item["metadata"]["name"], item["message"]) for item in core["items"]] == [("new", "n"), ("old", "m")]
    assert [(item["metadata"]["name"], item["note"]) for item in new["items"]] == [("new", "n"), ("old", "m")]
    assert {item["apiVersion"] for item in gone["items"]} == {"events.k8s.io/v1"}
    assert left["items"] == []
