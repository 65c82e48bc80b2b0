import asyncio

import orjson
import pytest

from minikube_py.api.catalog import STATIC
from minikube_py.apiserver.io.documents import Documents, version_info
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.routes import parse_request
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.memory_api_server import memory_api_server

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def get(path, accept="application/json", method="GET", headers=(), **query):
    transport = memory_api_server().local_transport()
    return await transport.send(ApiRequest(method, path, query, {"accept": accept, **dict(headers)}))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/api/v1", "APIResourceList"),
        ("/apis/apps/v1", "APIResourceList"),
    ],
)
async def test_discovery_documents_stand_where_clients_look(path, kind):
    answer = await get(path)
    assert (answer.status, orjson.loads(answer.body)["kind"]) == (200, kind)


async def test_aggregated_discovery_is_cached_by_its_tag():
    first = await get("/apis", AGGREGATED)
    again = await get("/apis", AGGREGATED, headers={"if-none-match": first.headers["etag"]})
    assert first.headers["content-type"] == AGGREGATED
    assert orjson.loads(first.body)["kind"] == "APIGroupDiscoveryList"
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/apis/nope", "/apis/apps/v9", "/api/v9", "/api/v1/"[:-1] + "x"])
async def test_what_is_not_served_is_not_found(path):
    assert (await get(path)).status == 404


async def test_an_unknown_path_shows_which_there_are():
    answer = await get("/nope")
    assert answer.status == 404
    assert "/apis/apps/v1" in orjson.loads(answer.body)["paths"]


async def test_openapi_documents_may_be_kept_by_their_hash():
    index = orjson.loads((await get("/openapi/v3")).body)
    url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    path, _, tag = url.partition("?hash=")
    kept = await get(path, hash=tag)
    moved = await get(path, hash="OLD")
    assert "immutable" in kept.headers["cache-control"]
    assert orjson.loads(kept.body)["openapi"].startswith("3.")
    assert (moved.status, moved.headers["location"]) == (301, url)
    assert (await get("/openapi/v3/apis/nope/v1")).status == 404


async def test_openapi_v2_comes_in_both_forms():
    as_json = await get("/openapi/v2")
    as_protobuf = await get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    refused = await get("/openapi/v2", "text/html")
    assert orjson.loads(as_json.body)["swagger"] == "2.0"
    assert as_protobuf.headers["content-type"] == "application/octet-stream"
    assert refused.status == 406


async def test_documents_are_read_only():
    assert (await get("/version", method="POST")).status == 405


def test_the_version_is_one_that_clients_can_parse():
    info = version_info()
    assert info["gitVersion"].startswith(f"v{info['major']}.{info['minor']}.")
    assert info["minor"].isdigit()


async def test_others_run_between_the_pieces_of_the_metrics():
    ran = []

    def pieces():
        for number in range(3):
            ran.append(number)
            yield b"%d" % number

    async def other():
        while ran[-1:] != [2]:
            ran.append("other")
            await asyncio.sleep(0)

    documents = Documents("", pieces, lambda: STATIC, HeavyWork())
    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        path = "/metrics"
        answer = group.create_task(documents.answer(parse_request("GET", path, {}), ApiRequest("GET", path, {}, {})))
    assert answer.result().body == b"012"
    assert ran == ["other", 0, "other", 1, "other", 2]
