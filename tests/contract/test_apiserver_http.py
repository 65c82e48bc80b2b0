"""What HTTP adds to the API: TLS identities, limits, headers, compression, watches on real connections, stopping."""

import asyncio
import gzip
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import orjson
import pytest

from minikube_py.api.resources import EVENTS, PODS
from minikube_py.api.served import GIT_VERSION
from minikube_py.client.interface import Selection
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.rest_client import RestClient
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.streaming.io.http_listener import ListenError
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    LOOPBACK_CONFIG,
    client_context,
    loopback_pki,
    memory_api_server,
    serving,
)

MAPS = "/api/v1/namespaces/default/configmaps"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def a_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@asynccontextmanager
async def plain(config=LOOPBACK_CONFIG, **options):
    """A server without TLS and a client session that is the admin."""
    server = memory_api_server(config, **options)
    async with (
        serving(server, None) as url,
        aiohttp.ClientSession(url, headers=ADMIN, auto_decompress=False) as session,
    ):
        yield server, session


async def lines_of(response, count):
    async with asyncio.timeout(30):
        return [orjson.loads(await response.content.readline()) for _ in range(count)]


async def eventually(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_certificates_and_tokens_name_the_user(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    async with serving(server, pki.server_context()) as url:
        answers = {}
        for who, tls, headers in (
            ("certificate", client_context(pki, with_certificate=True), {}),
            ("token", client_context(pki, with_certificate=False), ADMIN),
            ("nobody", client_context(pki, with_certificate=False), {}),
            ("wrong token", client_context(pki, with_certificate=False), {"Authorization": "Bearer x"}),
            ("impostor", client_context(pki, with_certificate=True), {"Impersonate-User": "bob"}),
        ):
            async with aiohttp.ClientSession(url, headers=headers) as session, session.get(MAPS, ssl=tls) as response:
                answers[who] = (response.status, (await response.json()).get("message"))

    why = 'cannot list resource "configmaps" in API group "" in the namespace "default"'
    assert answers == {
        "certificate": (200, None),
        "token": (200, None),
        "nobody": (403, f'configmaps is forbidden: User "system:anonymous" {why}'),
        "wrong token": (401, "Unauthorized"),
        "impostor": (403, f'configmaps is forbidden: User "bob" {why}'),
    }


async def test_every_answer_has_upstreams_headers():
    async with plain() as (_, session), session.get("/version") as first, session.get("/api/v1/nope") as second:
        assert (await first.json())["gitVersion"] == GIT_VERSION
        assert second.status == 404
        for response in (first, second):
            assert response.headers["Cache-Control"] == "no-cache, private"
            assert response.headers["Content-Type"] == "application/json"
        assert first.headers["Audit-Id"] != second.headers["Audit-Id"]


async def test_a_body_over_the_limit_is_refused():
    async with plain() as (_, session), session.post(MAPS, json=a_map("big", a="x" * (3 << 20))) as response:
        status = await response.json()
    assert (response.status, status["reason"]) == (413, "RequestEntityTooLarge")
    assert status["message"] == "Request entity too large: limit is 3145728"


async def test_a_large_answer_is_compressed_when_the_client_can_read_it():
    async with plain() as (_, session):
        for number in range(3):
            async with session.post(MAPS, json=a_map(f"m{number}", a="x" * 60_000)) as made:
                assert made.status == 201
        async with session.get(MAPS, headers={"Accept-Encoding": "gzip"}) as small:
            packed = await small.read()
        async with session.get(MAPS, headers={"Accept-Encoding": "identity"}) as whole:
            plain_body = await whole.read()
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in whole.headers
    assert len(packed) < len(plain_body) / 10
    assert gzip.decompress(packed) == plain_body


async def test_warnings_come_as_headers():
    async with plain() as (_, session):
        body = {**a_map("w"), "bogus": 1}
        async with session.post(MAPS, json=body) as warned:
            assert warned.status == 201
        async with session.post(MAPS, params={"fieldValidation": "Strict"}, json={**body, "more": 2}) as strict:
            status = await strict.json()
    assert warned.headers["Warning"] == '299 - "unknown field \\"bogus\\""'
    assert strict.status == 400
    assert 'strict decoding error: unknown field "bogus", unknown field "more"' in status["message"]


async def test_what_is_valid_and_hardly_meant_is_warned_of_when_it_is_written():
    pods = "/api/v1/namespaces/default/pods"
    variables = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x", "env": variables}]}}
    merge = {"Content-Type": "application/merge-patch+json"}
    service = {"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    async with plain() as (_, session):
        made = await session.post(pods, json=pod, params={"fieldValidation": "Strict"})
        labelled = await session.patch(f"{pods}/p", json={"metadata": {"labels": {"a": "b"}}}, headers=merge)
        headless = await session.post("/api/v1/namespaces/default/services", json=service)
        sticky = await session.patch(
            "/api/v1/namespaces/default/services/s", json={"spec": {"sessionAffinity": "ClientIP"}}, headers=merge
        )
        assert [a.status for a in (made, labelled, headless, sticky)] == [201, 200, 201, 200]
    hides = 'hides previous definition of \\"A\\", which may be dropped when using apply'
    assert made.headers["Warning"] == f'299 - "spec.containers[0].env[1]: {hides}"'
    assert sticky.headers["Warning"] == '299 - "spec.SessionAffinity is ignored for headless services"'
    assert "Warning" not in labelled.headers
    assert "Warning" not in headless.headers


ENDPOINTS = "/api/v1/namespaces/default/endpoints"
DEPRECATED = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'


async def test_every_answer_of_a_deprecated_kind_warns_of_it():
    async with plain() as (_, session):
        body = {"metadata": {"name": "a"}, "bogus": 1}
        answers = {
            "create": await session.post(ENDPOINTS, json=body),
            "get": await session.get(f"{ENDPOINTS}/a"),
            "list": await session.get(ENDPOINTS),
            "watch": await session.get(ENDPOINTS, params={"watch": "1", "timeoutSeconds": "1"}),
            "refused": await session.get(f"{ENDPOINTS}/nowhere"),
            "delete": await session.delete(f"{ENDPOINTS}/a"),
            "another kind": await session.get(MAPS),
        }
        warnings = {verb: answer.headers.get("Warning") for verb, answer in answers.items()}
        for answer in answers.values():
            answer.close()
    assert warnings.pop("another kind") is None
    assert warnings.pop("create") == f'{DEPRECATED}, 299 - "unknown field \\"bogus\\""'
    assert warnings == dict.fromkeys(("get", "list", "watch", "refused", "delete"), DEPRECATED)


async def test_documents_that_may_be_kept_say_so_once():
    async with plain() as (_, session):
        async with session.get("/openapi/v3") as index:
            url = (await index.json())["paths"]["api/v1"]["serverRelativeURL"]
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as kept:
            await kept.read()
        async with session.get(url, headers={"If-None-Match": kept.headers["ETag"]}) as known:
            assert known.status == 304
    assert kept.headers.getall("Cache-Control") == ["public, immutable, max-age=31536000"]
    assert kept.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("agent", ["curl/7.88.1", "Wget/1.21", "Mozilla/5.0 (X11)"])
async def test_json_is_indented_for_clients_that_show_it_as_it_comes(agent):
    async with plain() as (_, session):
        async with session.get("/api/v1/namespaces/default", headers={"User-Agent": agent}) as shown:
            text = await shown.text()
        async with session.get(f"{MAPS}/nowhere", headers={"User-Agent": agent}) as missing:
            refusal = await missing.text()
        async with session.get(MAPS, headers={"User-Agent": agent}, params={"pretty": "false"}) as asked:
            assert "\n " not in await asked.text()
        async with session.get("/readyz", headers={"User-Agent": agent}) as ready:
            assert await ready.text() == "ok"
        async with session.get("/api/v1/namespaces/default") as other:
            assert "\n " not in await other.text()
    assert text.startswith('{\n  "kind": "Namespace",\n  "apiVersion": "v1",\n  "metadata": {\n')
    assert refusal.startswith('{\n  "kind": "Status",\n')


async def test_beyond_the_bounds_clients_are_asked_to_try_again():
    async with plain(replace(LOOPBACK_CONFIG, watches_max=1)) as (_, session):
        first = await session.get(MAPS, params={"watch": "1"})
        async with session.get(MAPS, params={"watch": "1"}) as second:
            assert (second.status, second.headers["Retry-After"]) == (429, "1")
        async with session.get(MAPS) as listed:
            assert listed.status == 200
        first.close()
    full = replace(LOOPBACK_CONFIG, requests_in_flight_max=0)
    async with plain(full) as (_, session):
        async with session.get(MAPS) as refused:
            assert (refused.status, (await refused.json())["reason"]) == (429, "TooManyRequests")
            assert refused.headers["Retry-After"] == "1"
        async with session.get("/livez") as alive, session.post(MAPS, json=a_map("a")) as made:
            assert (alive.status, made.status) == (200, 201)
    busy = replace(LOOPBACK_CONFIG, mutating_requests_in_flight_max=0)
    async with plain(busy) as (_, session), session.post(MAPS, json=a_map("a")) as refused:
        assert refused.status == 429


async def test_yaml_goes_in_and_out():
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata:\n  when: '2026-01-01'\n  on: 'x'\n"
    async with plain() as (_, session):
        async with session.post(MAPS, data=text, headers={"Content-Type": "application/yaml"}) as made:
            assert made.status == 201, await made.text()
        async with session.get(f"{MAPS}/y", headers={"Accept": "application/yaml"}) as got:
            answer = await got.text()
        bad = {"Content-Type": "application/yaml"}
        async with session.post(MAPS, data=b"a: [b", headers=bad) as refused:
            status = await refused.json()
    assert got.headers["Content-Type"] == "application/yaml"
    assert "when: '2026-01-01'" in answer
    assert status["message"].startswith("the object provided is unrecognized (must be of type ConfigMap): yaml: line")


async def test_many_watchers_get_the_same_events_in_order():
    async with plain() as (_, session):
        async with session.get(MAPS) as listed:
            version = (await listed.json())["metadata"]["resourceVersion"]
        query = {"watch": "1", "resourceVersion": version}
        watches = [await session.get(MAPS, params=query) for _ in range(10)]
        for number in range(5):
            await session.post(MAPS, json=a_map(f"m{number}"))
        await session.delete(f"{MAPS}/m0")
        seen = [await lines_of(watch, 6) for watch in watches]
        for watch in watches:
            watch.close()
    assert [(e["type"], e["object"]["metadata"]["name"]) for e in seen[0]] == [
        *(("ADDED", f"m{number}") for number in range(5)),
        ("DELETED", "m0"),
    ]
    assert all(events == seen[0] for events in seen)


async def test_a_watch_from_the_past_continues_without_a_gap():
    async with plain() as (_, session):
        first = await (await session.post(MAPS, json=a_map("m0"))).json()
        for number in range(1, 20):
            await session.post(MAPS, json=a_map(f"m{number}"))
        query = {"watch": "1", "resourceVersion": first["metadata"]["resourceVersion"]}
        watch = await session.get(MAPS, params=query)
        await session.post(MAPS, json=a_map("m20"))
        events = await lines_of(watch, 20)
        watch.close()
    assert [e["object"]["metadata"]["name"] for e in events] == [f"m{number}" for number in range(1, 21)]


async def test_initial_events_end_with_a_bookmark():
    async with plain() as (_, session):
        await session.post(MAPS, json=a_map("m0"))
        query = {
            "watch": "1",
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
            "allowWatchBookmarks": "true",
        }
        watch = await session.get(MAPS, params=query)
        added, mark = await lines_of(watch, 2)
        watch.close()
    assert (added["type"], added["object"]["metadata"]["name"]) == ("ADDED", "m0")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == added["object"]["metadata"]["resourceVersion"]


async def test_a_watch_ends_after_its_timeout_with_a_last_bookmark():
    async with plain() as (_, session):
        query = {"watch": "1", "timeoutSeconds": "1", "allowWatchBookmarks": "true", "resourceVersion": "0"}
        async with session.get(MAPS, params=query) as watch:
            body = await asyncio.wait_for(watch.read(), 30)
    events = [orjson.loads(line) for line in body.splitlines()]
    assert [event["type"] for event in events] == ["BOOKMARK"]


async def test_a_watch_from_a_compacted_version_says_so_in_the_stream():
    async with plain() as (_, session):
        events = "/api/v1/namespaces/default/events"
        async with session.get(events, params={"watch": "1", "resourceVersion": "5"}) as watch:
            assert watch.status == 200
            event = orjson.loads(await asyncio.wait_for(watch.read(), 30))
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 5")


async def test_a_table_watch_sends_tables():
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with plain() as (_, session):
        watch = await session.get(MAPS, params={"watch": "1"}, headers=accept)
        await session.post(MAPS, json=a_map("m0", a="1"))
        await session.post(MAPS, json=a_map("m1", a="1"))
        first, second = await lines_of(watch, 2)
        watch.close()
    assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][:2] == ["m1", 1]


def open_watches(server):
    return sum(sample.value for family in server.metrics.watches.collect() for sample in family.samples)


async def test_a_watcher_that_does_not_read_is_cut_off_and_others_are_not():
    config = replace(LOOPBACK_CONFIG, watch_buffer_bytes_max=200_000)
    async with plain(config) as (server, session):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http.port, limit=1000)
        writer.write(
            f"GET {MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n".encode()
        )
        reader._transport.pause_reading()
        good = await session.get(MAPS, params={"watch": "1"})
        await eventually(lambda: open_watches(server) == 2)
        for number in range(200):
            await session.post(MAPS, json=a_map(f"m{number}", a="x" * 100_000))
            event = (await lines_of(good, 1))[0]
            assert event["object"]["metadata"]["name"] == f"m{number}"
            if open_watches(server) == 1:
                break
        dropped = server.metrics.watch_drops.labels("configmaps")._value.get()
        good.close()
        writer.close()
    assert dropped == 1


async def test_a_client_that_goes_away_leaves_nothing_behind():
    async with plain() as (server, session):
        watch = await session.get(MAPS, params={"watch": "1"})
        await eventually(lambda: open_watches(server) == 1)
        watch.close()
        await eventually(lambda: open_watches(server) == 0)


async def test_stopping_ends_watches_and_does_not_wait_for_them():
    server = memory_api_server(replace(LOOPBACK_CONFIG, shutdown_grace_s=3600.0))
    async with asyncio.timeout(60), aiohttp.ClientSession(headers=ADMIN) as session:
        async with serving(server, None) as url:
            watch = await session.get(url + MAPS, params={"watch": "1"})
        assert await watch.read() == b""


async def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = memory_api_server(replace(LOOPBACK_CONFIG, secure_port=port))
        with pytest.raises(ExceptionGroup) as group:
            await server.serve(None)
    error = group.value.exceptions[0]
    assert isinstance(error, ListenError)
    assert str(error).startswith(f"cannot listen on 127.0.0.1:{port}: address already in use")


async def test_health_metrics_and_paths():
    async with plain() as (server, session):
        server.add_readiness_check("informer-sync", lambda: "not yet")
        async with session.get("/readyz", params={"verbose": ""}) as unready:
            text = await unready.text()
        async with session.get("/readyz", params={"exclude": "informer-sync"}) as ready:
            assert (ready.status, await ready.text()) == (200, "ok")
        async with session.get("/livez/ping") as ping:
            assert (ping.status, await ping.text()) == (200, "ok")
        async with session.get("/metrics") as metrics:
            samples = await metrics.text()
        async with session.get("/") as index:
            paths = (await index.json())["paths"]
        async with session.get("/nothing") as missing:
            assert missing.status == 404
    assert unready.status == 500
    assert "[-]informer-sync failed: reason withheld" in text
    assert "minikube_py_loop_lag_seconds_bucket" in samples
    assert 'apiserver_storage_objects{resource="namespaces"} 4.0' in samples
    assert "process_resident_memory_bytes" in samples
    assert 'apiserver_current_inflight_requests{request_kind="mutating"} 0.0' in samples
    assert 'kubernetes_build_info{git_version="v1.36.0",' in samples
    assert {"/apis/apps/v1", "/readyz/informer-sync", "/version", "/openapi/v3"} <= set(paths)


async def test_requests_are_counted_by_what_they_ask():
    async with plain() as (_, session):
        await session.post(MAPS, json=a_map("m0"))
        await session.get(f"{MAPS}/nobody")
        await session.get("/api/v1/namespaces/n/made/x")
        await session.get("/made/up/by/the/client")
        async with session.get("/metrics") as metrics:
            samples = (await metrics.text()).splitlines()
    counted = [line for line in samples if line.startswith("apiserver_request_total{") and 'verb="POST"' in line]
    assert len(counted) == 1
    assert 'code="201"' in counted[0]
    assert 'resource="configmaps"' in counted[0]
    missing = [line for line in samples if line.startswith("apiserver_request_total{") and 'code="404"' in line]
    assert sorted(("configmaps" in line, 'verb="other"' in line, line[-3:]) for line in missing) == [
        (False, True, "2.0"),
        (True, False, "1.0"),
    ]
    assert not any("made" in line for line in samples)


async def test_the_client_library_works_over_it(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    async with (
        serving(server, pki.server_context()) as url,
        HttpTransport(url, client_context(pki, with_certificate=True), user_agent="test/1") as transport,
    ):
        client = RestClient(transport, "test", lambda: 300)
        listed = await client.list(EVENTS)
        stream = client.watch(EVENTS, listed.resource_version, Selection(namespace="default"))
        involved = {"kind": "Pod", "namespace": "default", "name": "x"}
        made = await client.create(
            EVENTS, {"metadata": {"name": "e", "namespace": "default"}, "involvedObject": involved, "reason": "R"}
        )
        async with asyncio.timeout(30):
            event = await anext(stream)
        await stream.aclose()
    assert (event.type, event.object) == ("ADDED", made)


async def _with_pod(session, node):
    spec = {"containers": [{"name": "c", "image": "busybox"}], **({"nodeName": node} if node else {})}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    path = PODS.path("default")
    async with session.post(path, json=pod) as made:
        assert made.status == 201, await made.text()
    return f"{path}/p/log"


async def test_logs_and_exec_of_a_pod_without_a_node():
    async with plain() as (_, session):
        path = await _with_pod(session, "")
        async with session.get(path) as log:
            assert (log.status, await log.text()) == (204, "")
        async with session.post(path.replace("log", "exec"), params={"command": "ls", "stdout": "1"}) as run:
            assert (run.status, (await run.json())["message"]) == (400, "pod p does not have a host assigned")


async def test_a_watch_over_http_1_0_is_refused():
    async with plain() as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http.port)
        writer.write(f"GET {MAPS}?watch=1 HTTP/1.0\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    assert b" 400 " in answer.splitlines()[0]
    assert b"a watch needs HTTP/1.1" in answer
