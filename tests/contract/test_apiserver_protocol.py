"""The protocol of lists, watches and negotiation line by line: options, what they mean, and how they are refused."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import orjson
import pytest

from minikube_py.store.mvcc import HistoryLimits
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    LOOPBACK_CONFIG,
    memory_api_server,
    memory_store,
    serving,
)

MAPS = "/api/v1/namespaces/default/configmaps"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
CONFIG = replace(LOOPBACK_CONFIG, future_wait_s=0.02, shutdown_grace_s=0.1)
EXACT = {"resourceVersionMatch": "Exact"}
NOT_OLDER = {"resourceVersionMatch": "NotOlderThan"}


class Api:
    def __init__(self, session):
        self._session = session

    async def __call__(self, method, path, body=None, headers=None, **query):
        query = {name.replace("_", ""): value for name, value in query.items()}
        async with self._session.request(method, path, json=body, params=query, headers=headers) as answer:
            raw = await answer.read()
            return answer, orjson.loads(raw) if raw else None

    async def make(self, name, **labels):
        _, made = await self("POST", MAPS, {"metadata": {"name": name, "labels": labels}})
        return int(made["metadata"]["resourceVersion"])

    async def watch(self, count, **query):
        query = {"watch": "1", "timeoutSeconds": "25", **query}
        async with asyncio.timeout(30), self._session.get(MAPS, params=query) as answer:
            events = [orjson.loads(await answer.content.readline()) for _ in range(count)]
            answer.close()
        return answer.status, events


@asynccontextmanager
async def api(history=None):
    server = memory_api_server(CONFIG, durable=memory_store(history) if history else None)
    async with serving(server, None) as url, aiohttp.ClientSession(url, headers=ADMIN) as session:
        yield Api(session)


def names(listed):
    return [item["metadata"]["name"] for item in listed["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]


REFUSED = {
    "a match without a version": ({"resourceVersionMatch": "Exact"}, 422, "Invalid"),
    "an unknown match": ({"resourceVersionMatch": "x", "resourceVersion": "1"}, 422, "Invalid"),
    "exactly any version": ({**EXACT, "resourceVersion": "0"}, 422, "Invalid"),
    "a version that is no number": ({"resourceVersion": "abc"}, 400, "BadRequest"),
    "a version of the future": ({"resourceVersion": "99999"}, 504, "Timeout"),
    "exactly a version of the future": ({**EXACT, "resourceVersion": "99999"}, 504, "Timeout"),
    "a token and a version": ({"continue": "abc", "resourceVersion": "1"}, 400, "BadRequest"),
    "a token that is none": ({"continue": "abc"}, 400, "BadRequest"),
    "a limit that is no number": ({"limit": "x"}, 400, "BadRequest"),
    "a bad label selector": ({"labelSelector": "a=b=c"}, 400, "BadRequest"),
    "a bad field selector": ({"fieldSelector": "a"}, 400, "BadRequest"),
    "a field that cannot be selected by": ({"fieldSelector": "data.a=b"}, 400, "BadRequest"),
    "initial events of a list": ({"sendInitialEvents": "true", **NOT_OLDER, "resourceVersion": "1"}, 422, "Invalid"),
    "initial events without a match": ({"watch": "1", "sendInitialEvents": "true"}, 422, "Invalid"),
    "initial events with an exact match": ({"watch": "1", "sendInitialEvents": "true", **EXACT}, 422, "Invalid"),
    "a watch with a match": ({"watch": "1", **NOT_OLDER, "resourceVersion": "1"}, 422, "Invalid"),
    "a watch of a version that is no number": ({"watch": "1", "resourceVersion": "x"}, 400, "BadRequest"),
    "a timeout that is no number": ({"watch": "1", "timeoutSeconds": "x"}, 400, "BadRequest"),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_options_that_make_no_sense_are_refused(why):
    query, code, reason = REFUSED[why]
    async with api() as ask:
        answer, status = await ask("GET", MAPS, **query)
    assert (answer.status, status["code"], status["reason"]) == (code, code, reason)
    assert status["message"]
    if code == 504:
        assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
        assert answer.headers["Retry-After"] == "1"
    if code == 422:
        assert status["details"]["kind"] == "ListOptions"


async def test_pages_show_the_state_of_the_first_one():
    async with api() as ask:
        for name in "abcde":
            await ask.make(name)
        _, first = await ask("GET", MAPS, limit="2")
        await ask("DELETE", f"{MAPS}/d")
        await ask.make("cc")
        _, second = await ask("GET", MAPS, limit="2", **{"continue": first["metadata"]["continue"]})
        _, third = await ask("GET", MAPS, limit="2", **{"continue": second["metadata"]["continue"]})
    assert [names(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    versions = {page["metadata"]["resourceVersion"] for page in (first, second, third)}
    assert len(versions) == 1
    assert first["metadata"]["remainingItemCount"] >= 3
    assert "continue" not in third["metadata"]


async def test_a_filtered_page_does_not_count_the_rest():
    async with api() as ask:
        for name in "abc":
            await ask.make(name, x="1")
        _, first = await ask("GET", MAPS, limit="1", labelSelector="x=1")
        _, rest = await ask("GET", MAPS, labelSelector="x=1", **{"continue": first["metadata"]["continue"]})
    assert "remainingItemCount" not in first["metadata"]
    assert names(first) + names(rest) == ["a", "b", "c"]


async def test_a_page_of_a_compacted_state_is_gone_and_offers_the_rest_as_it_is_now():
    async with api(HistoryLimits(events_min=1, age_s=0)) as ask:
        for name in "abc":
            await ask.make(name)
        _, first = await ask("GET", MAPS, limit="1")
        for name in "xyz":
            await ask.make(name)
        answer, gone = await ask("GET", MAPS, limit="9", **{"continue": first["metadata"]["continue"]})
        _, rest = await ask("GET", MAPS, **{"continue": gone["metadata"]["continue"]})
    assert (answer.status, gone["reason"]) == (410, "Expired")
    assert names(rest) == ["b", "c", "x", "y", "z"]


async def test_a_version_means_not_older_or_exactly():
    async with api() as ask:
        first = await ask.make("a")
        second = await ask.make("b")
        for query, expected in (
            ({"resourceVersion": str(first)}, ["a", "b"]),
            ({"resourceVersion": str(first), **NOT_OLDER}, ["a", "b"]),
            ({"resourceVersion": str(first), **EXACT}, ["a"]),
            ({"resourceVersion": str(second), **EXACT}, ["a", "b"]),
            ({"resourceVersion": "0"}, ["a", "b"]),
            ({"resourceVersion": "0", "limit": "1"}, ["a", "b"]),
            ({"limit": "0"}, ["a", "b"]),
            ({"limit": "-1"}, ["a", "b"]),
        ):
            _, listed = await ask("GET", MAPS, **query)
            assert names(listed) == expected, query
            if query.get("resourceVersionMatch") == "Exact":
                assert listed["metadata"]["resourceVersion"] == query["resourceVersion"]


async def test_an_exact_version_that_is_compacted_is_gone():
    async with api(HistoryLimits(events_min=1, age_s=0)) as ask:
        first = await ask.make("a")
        for name in "xyz":
            await ask.make(name)
        answer, status = await ask("GET", MAPS, resourceVersion=str(first), **EXACT)
    assert (answer.status, status["reason"]) == (410, "Expired")


async def test_a_selector_turns_changes_into_additions_and_deletions():
    async with api() as ask:
        version = await ask.make("a")
        patch = {"Content-Type": "application/merge-patch+json"}
        for color in ("red", "blue", "red"):
            body = {"metadata": {"labels": {"color": color}}}
            await ask("PATCH", f"{MAPS}/a", body, patch)
        await ask("DELETE", f"{MAPS}/a")
        _, events = await ask.watch(4, resourceVersion=str(version), labelSelector="color=red")
    assert [event["type"] for event in events] == ["ADDED", "DELETED", "ADDED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert events[1]["object"]["metadata"]["labels"]["color"] == "red"


@pytest.mark.parametrize("version", ["", "0"])
async def test_a_watch_without_a_version_begins_with_what_is_there(version):
    async with api() as ask:
        await ask.make("a")
        _, events = await ask.watch(
            1, **({"resourceVersion": version} if version else {}), fieldSelector="metadata.name=a"
        )
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("ADDED", "a")]


async def test_initial_events_without_bookmarks_have_no_end():
    async with api() as ask:
        await ask.make("a")
        query = {"sendInitialEvents": "true", **NOT_OLDER, "labelSelector": "!x", "fieldSelector": "metadata.name=a"}
        query["timeoutSeconds"] = "1"
        async with ask._session.get(MAPS, params={"watch": "1", **query}) as answer:
            events = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    assert [event["type"] for event in events] == ["ADDED"]


async def test_a_watch_of_the_past_that_is_gone_is_an_event():
    async with api(HistoryLimits(events_min=1, age_s=0)) as ask:
        first = await ask.make("a")
        for name in "xyz":
            await ask.make(name)
        status, events = await ask.watch(1, resourceVersion=str(first))
    assert status == 200
    assert (events[0]["type"], events[0]["object"]["code"], events[0]["object"]["reason"]) == (
        "ERROR",
        410,
        "Expired",
    )


async def test_the_old_watch_paths_are_served():
    async with api() as ask:
        await ask.make("a")
        path = "/api/v1/watch/namespaces/default/configmaps/a"
        async with ask._session.get(path, params={"timeoutSeconds": "1"}) as answer:
            events = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    assert [event["type"] for event in events] == ["ADDED"]


ACCEPTS = {
    "": (200, "ConfigMapList"),
    "*/*": (200, "ConfigMapList"),
    "application/vnd.kubernetes.protobuf,application/json": (200, "ConfigMapList"),
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json": (200, "Table"),
    "application/json;as=Table;v=v9;g=meta.k8s.io,application/json": (200, "ConfigMapList"),
    "application/json;as=Table;v=v9;g=meta.k8s.io": (406, "Status"),
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io": (200, "PartialObjectMetadataList"),
    "application/vnd.kubernetes.protobuf": (406, "Status"),
    "text/html": (406, "Status"),
}


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_the_first_form_that_can_be_written_is_taken(accept):
    async with api() as ask:
        answer, shown = await ask("GET", MAPS, headers={"Accept": accept})
    assert (answer.status, shown["kind"]) == ACCEPTS[accept]


async def test_head_is_get_without_a_body():
    async with api() as ask:
        await ask.make("a")
        answer, body = await ask("HEAD", f"{MAPS}/a")
        missing, _ = await ask("HEAD", f"{MAPS}/b")
    assert (answer.status, missing.status, body) == (200, 404, None)
    assert int(answer.headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    ("method", "path"), [("OPTIONS", MAPS), ("TRACE", MAPS), ("PUT", MAPS), ("POST", f"{MAPS}/a")]
)
async def test_methods_that_a_path_has_not_are_refused(method, path):
    async with api() as ask:
        answer, status = await ask(method, path)
    assert (answer.status, status["reason"]) == (405, "MethodNotAllowed")
