"""APIServices over real connections: an extension server behind a Service, asked with Python clients and kubectl."""

import asyncio
import base64
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import orjson
import pytest

from minikube_py.apiserver.io import certificates
from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import RestClient
from minikube_py.controllers import garbage_collector, namespace
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.testing.extension_server import ROOT, api_service, extension_server, external_service
from minikube_py.testing.kubectl import KUBECTLS, Kubectl
from minikube_py.testing.kubectl_server import write_kubeconfig
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    READER_TOKEN,
    client_context,
    loopback_pki,
    memory_api_server,
    serving,
)

pytestmark = pytest.mark.slow
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NOTES = f"{ROOT}/namespaces/default/notes"
WITHIN_S = 60.0


class Cluster:
    """The API server and a session as admin."""

    def __init__(self, url, pki, session, folder, server):
        self.url, self.pki, self.session, self.folder, self.server = url, pki, session, folder, server
        notes = CertificateSpec("notes", sans=("notes.default.svc",))
        self.notes_pki = ensure_pki(folder / "notes", notes, CertificateSpec("x"), SystemClock().wall_s())
        self.ca_bundle = base64.b64encode(self.notes_pki.ca.certificate_pem).decode()

    async def ask(self, method, path, body=None, *, token=ADMIN_TOKEN, **headers):
        """Return status, JSON (or text) and headers."""
        async with self.session.request(
            method,
            self.url + path,
            data=None if body is None else orjson.dumps(body),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers},
        ) as answer:
            text = await answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, orjson.loads(text) if is_json else text.decode(), answer.headers

    async def authentication(self):
        path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
        return (await self.ask("GET", path))[1]["data"]

    @asynccontextmanager
    async def notes(self, **spec):
        """Run the extension server behind the Service, with its APIService."""
        folder = self.notes_pki.folder
        async with extension_server(
            await self.authentication(), folder / "serving.crt", folder / "serving.key"
        ) as server:
            await self.ask("POST", "/api/v1/namespaces/default/services", external_service())
            wanted = api_service(self.ca_bundle, server.port, **spec)
            status, answer, _ = await self.ask("POST", API_SERVICES, wanted)
            assert status == 201, answer
            yield server

    async def available(self, name="v1.notes.example.com"):
        _, found, _ = await self.ask("GET", f"{API_SERVICES}/{name}")
        conditions = (found.get("status") or {}).get("conditions") or [{}]
        return conditions[0].get("status"), conditions[0].get("reason"), conditions[0].get("message")

    async def wait(self, status, reason):
        async def holds():
            return (await self.available())[:2] == (status, reason)

        await eventually(holds)

    async def breaks(self, other):
        """Let the extension server fail, and wait until that is known: the change of its APIService makes it look."""
        other.broken = True
        patch = {"metadata": {"annotations": {"look": "again"}}}
        merge = {"Content-Type": "application/merge-patch+json"}
        await self.ask("PATCH", f"{API_SERVICES}/v1.notes.example.com", patch, **merge)
        await self.wait("False", "FailedDiscoveryCheck")

    async def discovered(self):
        """Return the aggregated entry of the group version, None when there is none."""
        _, document, _ = await self.ask("GET", "/apis", Accept=AGGREGATED)
        found = [item for item in document["items"] if item["metadata"]["name"] == "notes.example.com"]
        return found[0]["versions"][0] if found else None

    @asynccontextmanager
    async def controllers(self):
        """Run the controllers that care for all objects there are."""
        client, clock = RestClient(self.server.local_transport(), "test", lambda: 300), SystemClock()
        informers = InformerSet(client, clock, Random(1).random)
        specs = (garbage_collector.spec(), namespace.spec())
        async with asyncio.TaskGroup() as group:
            parts = (Controllers(client, informers, clock, system_ids(), specs), informers)
            tasks = [group.create_task(part.run()) for part in parts]
            yield
            for task in tasks:
                task.cancel()

    async def is_gone(self, path):
        return (await self.ask("GET", path))[0] == 404


async def eventually(holds, within_s=WITHIN_S):
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def cluster(tmp_path):
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    server = memory_api_server(pki=pki)
    async with serving(server, pki.server_context()) as url:
        connector = aiohttp.TCPConnector(ssl=client_context(pki, with_certificate=False))
        async with aiohttp.ClientSession(connector=connector) as session:
            yield Cluster(url, pki, session, tmp_path, server)


async def test_every_group_version_of_this_server_has_a_local_api_service(cluster):
    _, listed, _ = await cluster.ask("GET", API_SERVICES)
    _, groups, _ = await cluster.ask("GET", "/apis")
    found = {item["metadata"]["name"]: item for item in listed["items"]}
    versions = {v["groupVersion"] for group in groups["groups"] for v in group["versions"]}

    own = {f"{version}.{group}" for group, version in (each.split("/") for each in versions)}
    assert set(found) == {"v1.", *own} - {"v1.apiregistration.k8s.io"}
    assert {item["status"]["conditions"][0]["reason"] for item in found.values()} == {"Local"}
    assert found["v1.apps"]["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    assert found["v1.apps"]["spec"] == {
        "group": "apps",
        "version": "v1",
        "groupPriorityMinimum": 17800,
        "versionPriority": 15,
    }


async def test_the_api_service_of_a_definition_comes_and_goes_with_it_and_comes_back(cluster):
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.ex.io"},
        "spec": {
            "group": "ex.io",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    async def there():
        return (await cluster.available("v1.ex.io"))[1] == "Local"

    async def gone():
        return (await cluster.ask("GET", f"{API_SERVICES}/v1.ex.io"))[0] == 404

    await cluster.ask("POST", definitions, definition)
    await eventually(there)
    _, first, _ = await cluster.ask("GET", f"{API_SERVICES}/v1.ex.io")
    await cluster.ask("DELETE", f"{API_SERVICES}/v1.ex.io")
    await eventually(there)
    _, second, _ = await cluster.ask("GET", f"{API_SERVICES}/v1.ex.io")
    await cluster.ask("DELETE", f"{definitions}/widgets.ex.io")
    await eventually(gone)

    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    assert (await cluster.ask("DELETE", f"{API_SERVICES}/v1.apps"))[0] == 200
    assert (await cluster.ask("GET", "/apis/apps/v1/deployments"))[0] == 200


async def test_extension_servers_are_told_whom_to_believe(cluster):
    data = await cluster.authentication()

    assert data["client-ca-file"] == cluster.pki.ca.certificate_pem.decode()
    assert data["requestheader-client-ca-file"] == cluster.pki.front_proxy_ca.certificate_pem.decode()
    assert data["requestheader-client-ca-file"] != data["client-ca-file"]
    assert {key: value for key, value in data.items() if not key.endswith("ca-file")} == {
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
        "requestheader-username-headers": '["X-Remote-User"]',
    }


async def test_the_other_server_sees_who_asks_and_nothing_that_the_caller_claims(cluster):
    async with cluster.notes() as server:
        await cluster.wait("True", "Passed")
        server.users.clear()
        server.headers.clear()
        claims = {"X-Remote-User": "root", "X-Remote-Group": "gods", "X-Remote-Extra-Scopes": "all"}
        status, listed, _ = await cluster.ask("GET", f"{ROOT}/notes?limit=5", **claims)

        (asked,) = [entry for entry in server.users if entry[0] == f"{ROOT}/notes"]
        headers = server.headers[server.users.index(asked)]
        assert (status, listed["kind"]) == (200, "NoteList")
        assert asked[1:] == ("admin", ("system:masters", "system:authenticated"))
        assert "x-remote-extra-scopes" not in headers
        assert "authorization" not in headers
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert server.refused == 0


async def test_who_may_not_is_refused_here(cluster):
    async with cluster.notes() as server:
        await cluster.wait("True", "Passed")
        server.users.clear()
        status, answer, _ = await cluster.ask("GET", f"{ROOT}/notes", token=READER_TOKEN)

        assert (status, answer["reason"]) == (403, "Forbidden")
        assert not [entry for entry in server.users if entry[0] == f"{ROOT}/notes"]


async def test_objects_watches_errors_and_upgrades_go_through(cluster):
    async with cluster.notes() as server:
        await cluster.wait("True", "Passed")
        note = {"apiVersion": "notes.example.com/v1", "kind": "Note", "metadata": {"name": "a"}, "text": "hi"}
        assert (await cluster.ask("POST", NOTES, note))[0] == 201
        again, conflict, _ = await cluster.ask("POST", NOTES, note)
        missing, not_found, _ = await cluster.ask("GET", f"{NOTES}/b")
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with cluster.session.get(f"{cluster.url}{NOTES}?watch=1&resourceVersion=0", headers=headers) as watch:
            first = orjson.loads(await watch.content.readline())
            await cluster.ask("DELETE", f"{NOTES}/a")
            second = orjson.loads(await watch.content.readline())
        async with cluster.session.ws_connect(f"{cluster.url}{NOTES}/a/echo", headers=headers) as socket:
            await socket.send_str("x")
            echoed = await socket.receive_str()
        redirected, why, _ = await cluster.ask("GET", f"{NOTES}/a/elsewhere")

        assert (again, conflict["reason"]) == (409, "AlreadyExists")
        assert (missing, not_found["message"]) == (404, 'notes.notes.example.com "b" not found')
        assert [first["type"], second["type"]] == ["ADDED", "DELETED"]
        assert echoed == "echo x"
        assert (redirected, why) == (
            502,
            "the backend attempted to redirect this request, which is not permitted",
        )
        assert server.refused == 0


@pytest.mark.parametrize("is_aggregated", [True, False], ids=["aggregated", "legacy"])
async def test_discovery_has_what_the_other_server_has_where_its_priority_puts_it(cluster, is_aggregated):
    async with cluster.notes() as server:
        server.aggregated = is_aggregated
        await cluster.wait("True", "Passed")

        async def discovered():
            return ((await cluster.discovered()) or {}).get("freshness") == "Current"

        await eventually(discovered)
        _, groups, _ = await cluster.ask("GET", "/apis")
        _, group, _ = await cluster.ask("GET", "/apis/notes.example.com")
        _, resources, _ = await cluster.ask("GET", ROOT)

        (notes,) = (await cluster.discovered())["resources"]
        assert (notes["resource"], notes["scope"], notes["shortNames"]) == ("notes", "Namespaced", ["nt"])
        assert [each["name"] for each in groups["groups"]][-2:] == ["notes.example.com", "metrics.k8s.io"]
        assert group["preferredVersion"] == {"groupVersion": "notes.example.com/v1", "version": "v1"}
        assert [each["name"] for each in resources["resources"]] == ["notes"]
        first = {"op": "replace", "path": "/spec/groupPriorityMinimum", "value": 19000}
        await cluster.ask(
            "PATCH",
            f"{API_SERVICES}/v1.notes.example.com",
            [first],
            **{"Content-Type": "application/json-patch+json"},
        )
        _, groups, _ = await cluster.ask("GET", "/apis")
        names = [each["name"] for each in groups["groups"]]
        assert names[:3] == ["apiregistration.k8s.io", "notes.example.com", "apps"]


async def test_a_server_that_fails_is_unavailable_and_stale_until_it_is_well_again(cluster):
    async with cluster.notes() as server:
        await cluster.wait("True", "Passed")
        await cluster.breaks(server)
        status, text, _ = await cluster.ask("GET", f"{ROOT}/notes")

        assert (await cluster.available())[2].endswith(
            f"bad status from https://notes.default.svc:{server.port}{ROOT}: 500"
        )
        assert (status, text) == (503, "service unavailable\n")
        assert await cluster.discovered() == {"version": "v1", "freshness": "Stale"}
        assert (await cluster.ask("GET", "/api/v1/pods"))[0] == 200
        server.broken = False
        await cluster.wait("True", "Passed")
        assert (await cluster.ask("GET", f"{ROOT}/notes"))[0] == 200


async def test_what_keeps_a_server_from_being_asked_is_said_by_reason(cluster):
    missing = api_service(cluster.ca_bundle, service="nope")
    await cluster.ask("POST", API_SERVICES, missing)
    await cluster.wait("False", "ServiceNotFound")
    assert (await cluster.available())[2] == 'service/nope in "default" is not present'

    service = {"metadata": {"name": "nope"}, "spec": {"ports": [{"port": 8443}]}}
    await cluster.ask("POST", "/api/v1/namespaces/default/services", service)
    await cluster.wait("False", "ServicePortError")
    ports = [{"op": "replace", "path": "/spec/ports/0/port", "value": 443}]
    patch = {"Content-Type": "application/json-patch+json"}
    await cluster.ask("PATCH", "/api/v1/namespaces/default/services/nope", ports, **patch)
    await cluster.wait("False", "EndpointsNotFound")
    slice_ = {
        "metadata": {"name": "nope", "labels": {"kubernetes.io/service-name": "nope"}},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 1, "protocol": "TCP"}],
        "endpoints": [],
    }
    await cluster.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice_)
    await cluster.wait("False", "MissingEndpoints")

    await cluster.ask("DELETE", f"{API_SERVICES}/v1.notes.example.com")
    assert await cluster.discovered() is None
    assert (await cluster.ask("GET", ROOT))[0] == 404


async def test_a_certificate_that_the_bundle_did_not_sign_is_not_talked_to(cluster):
    other = base64.b64encode(cluster.pki.ca.certificate_pem).decode()
    async with cluster.notes(caBundle=other) as server:
        await cluster.wait("True", "Passed")  # the check looks at no certificate, as upstream's
        status, text, _ = await cluster.ask("GET", f"{ROOT}/notes")
        asked = [entry for entry in server.users if entry[0] == f"{ROOT}/notes"]

        assert status == 503
        assert text.startswith("error trying to reach service: ")
        assert asked == []


async def test_openapi_of_the_other_server_is_found_in_both_versions(cluster):
    async with cluster.notes():

        async def published():
            _, index, _ = await cluster.ask("GET", "/openapi/v3")
            return ROOT[1:] in index["paths"]

        await eventually(published)
        _, index, _ = await cluster.ask("GET", "/openapi/v3")
        _, document, _ = await cluster.ask("GET", index["paths"][ROOT[1:]]["serverRelativeURL"])

        async def merged():
            _, swagger, _ = await cluster.ask("GET", "/openapi/v2")
            return "com.example.notes.v1.Note" in swagger["definitions"]

        await eventually(merged)
        _, swagger, _ = await cluster.ask("GET", "/openapi/v2")
        assert "com.example.notes.v1.Note" in document["components"]["schemas"]
        assert "/api/v1/pods" in swagger["paths"]
        assert f"{ROOT}/namespaces/{{namespace}}/notes/{{name}}" in swagger["paths"]
        assert "/apis/other.io/v1/x" not in swagger["paths"]
        assert "unused" not in swagger["definitions"]


@pytest.mark.parametrize("signed_by", ["front proxy CA", "cluster CA", "front proxy CA, another name"])
async def test_remote_headers_count_only_with_a_front_proxy_certificate(cluster, signed_by):
    folder, certificate = cluster.pki.folder, "admin" if signed_by == "cluster CA" else "front-proxy-client"
    if signed_by.endswith("another name"):
        certificate = forged_certificate(folder)
    context = client_context(cluster.pki, with_certificate=False)
    context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
    headers = {"X-Remote-User": "bob", "X-Remote-Group": "team", "X-Remote-Extra-Scopes": "read", "X-Remote-Uid": "7"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.post(cluster.url + path, json={}, headers=headers) as answer,
    ):
        body = await answer.json()
        token = {"Authorization": f"Bearer {READER_TOKEN}"}
        async with session.post(cluster.url + path, json={}, headers=token) as with_token:
            named = (await with_token.json())["status"]["userInfo"]["username"]

    # What the front proxy CA signed is nobody by itself: the token counts.
    assert named == ("kubernetes-admin" if signed_by == "cluster CA" else "alice")
    if signed_by == "cluster CA":
        assert body["status"]["userInfo"]["username"] == "kubernetes-admin"
    elif signed_by == "front proxy CA":
        assert body["status"]["userInfo"] == {
            "username": "bob",
            "uid": "7",
            "groups": ["team", "system:authenticated"],
            "extra": {"scopes": ["read"]},
        }
    else:
        assert answer.status == 401


def forged_certificate(folder):
    """Let the front proxy CA sign a certificate that names an administrator; it must be nobody."""
    ca, ca_key = certificates._load(folder, "requestheader-client-ca")
    spec = CertificateSpec("kubernetes-admin", ("system:masters",))
    certificates._ensure(folder, "forged", spec, ca, ca_key, SystemClock().wall_s())
    return "forged"


@pytest.fixture(params=KUBECTLS)
async def kubectl(request, cluster):
    pki = cluster.pki
    write_kubeconfig(cluster.folder, cluster.url, pki)
    return Kubectl(KUBECTLS[request.param], cluster.folder)


NOTE = """
apiVersion: notes.example.com/v1
kind: Note
metadata: {name: n1}
text: hello
"""


async def test_kubectl_works_with_the_other_server_as_with_this_one(cluster, kubectl):
    async with cluster.notes() as server:
        await kubectl("wait", "--for=condition=Available", "apiservice/v1.notes.example.com", "--timeout=60s")
        rows = [line.split() for line in (await kubectl("get", "apiservices")).splitlines()]
        assert rows[0] == ["NAME", "SERVICE", "AVAILABLE", "AGE"]
        (row,) = [row for row in rows if row[0] == "v1.notes.example.com"]
        assert row[1:3] == ["default/notes", "True"]
        (row,) = [row for row in rows if row[0] == "v1.apps"]
        assert row[1:3] == ["Local", "True"]

        async def published():
            return "/openapi/v2" in [path for path, *_ in server.users]

        await eventually(published)
        resources = await kubectl("api-resources", "--api-group=notes.example.com")
        assert resources.splitlines()[1].split() == ["notes", "nt", "notes.example.com/v1", "true", "Note"]
        assert await kubectl("apply", "-f", "-", stdin=NOTE) == "note.notes.example.com/n1 created\n"
        louder = NOTE.replace("hello", "HELLO")
        assert await kubectl("apply", "-f", "-", stdin=louder) == "note.notes.example.com/n1 configured\n"
        assert await kubectl("get", "nt", "n1", "-o", "jsonpath={.text}") == "HELLO"
        assert "What the note says." in await kubectl("explain", "notes.text")
        watching = await kubectl.start("get", "notes", "-w", "-o", "name", "--request-timeout=90s")
        assert await watching.stdout.readline() == b"note.notes.example.com/n1\n"
        await kubectl("create", "-f", "-", stdin=NOTE.replace("n1", "n2"))
        assert await watching.stdout.readline() == b"note.notes.example.com/n2\n"
        watching.kill()
        await watching.communicate()
        assert await kubectl("delete", "notes", "n1") == 'note.notes.example.com "n1" deleted\n'


async def test_kubectl_is_not_hindered_by_a_server_that_is_away(cluster, kubectl):
    await cluster.ask("POST", API_SERVICES, api_service(cluster.ca_bundle))
    await cluster.wait("False", "ServiceNotFound")

    assert "False (ServiceNotFound)" in await kubectl("get", "apiservice", "v1.notes.example.com")
    assert "No resources found" in (await kubectl.run("get", "pods")).err
    configmap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    assert await kubectl("apply", "-f", "-", stdin=configmap) == "configmap/a created\n"
    resources = await kubectl.run("api-resources")
    assert "deployments" in resources.out
    # They ask each group version; newer ones see that it is stale.
    if kubectl.binary.name.endswith(("1.27", "1.28", "1.29")):
        assert resources.code == 1
        assert "notes.example.com/v1" in resources.err
    refused = await kubectl.run("get", "--raw", f"{ROOT}/notes")
    assert "the server is currently unable to handle the request" in refused.err
    await kubectl("delete", "apiservice", "v1.notes.example.com")
    assert (await kubectl.run("api-resources")).code == 0


def a_map(name, owner, **reference):
    kept = {"name": "n", "uid": owner, "apiVersion": "notes.example.com/v1", "kind": "Note", **reference}
    meta = {"name": name, "ownerReferences": [kept]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


MAPS = "/api/v1/namespaces/default/configmaps"


async def test_what_an_object_of_another_server_owns_goes_when_that_server_says_that_it_is_gone(cluster, monkeypatch):
    monkeypatch.setattr(garbage_collector, "LOOK_AGAIN_S", 0.1)
    async with cluster.notes() as other, cluster.controllers():
        await cluster.wait("True", "Passed")
        _, note, _ = await cluster.ask("POST", NOTES, {"metadata": {"name": "n"}, "text": "x"})
        uid = note["metadata"]["uid"]
        for owned in (
            a_map("kept", uid),
            a_map("old", "another-uid"),
            a_map("odd", "u", kind="Sticker"),
            a_map("strange", "u", apiVersion="nobody.example.com/v1"),
        ):
            await cluster.ask("POST", MAPS, owned)
        await eventually(lambda: cluster.is_gone(f"{MAPS}/old"), 60)
        _, listed, _ = await cluster.ask("GET", MAPS)
        assert {item["metadata"]["name"] for item in listed["items"]} >= {"kept", "odd", "strange"}

        await cluster.breaks(other)
        del other.notes["default", "n"]
        sentinel = a_map("sentinel", "gone", apiVersion="v1", kind="ConfigMap")
        await cluster.ask("POST", MAPS, sentinel)
        await eventually(lambda: cluster.is_gone(f"{MAPS}/sentinel"), 60)
        assert not await cluster.is_gone(f"{MAPS}/kept"), "a server that is away says nothing"

        other.broken = False
        await eventually(lambda: cluster.is_gone(f"{MAPS}/kept"), 60)
        assert not await cluster.is_gone(f"{MAPS}/odd")
        assert not await cluster.is_gone(f"{MAPS}/strange")


async def test_a_namespace_goes_with_what_another_server_has_in_it_and_not_while_that_cannot_be_asked(cluster):
    path = "/api/v1/namespaces/shop"

    async def failure():
        _, found, _ = await cluster.ask("GET", path)
        conditions = (found.get("status") or {}).get("conditions") or ()
        return {condition["type"]: condition for condition in conditions}.get("NamespaceDeletionDiscoveryFailure", {})

    async def cannot_be_asked():
        return (await failure()).get("status") == "True"

    async with cluster.notes() as other, cluster.controllers():
        await cluster.wait("True", "Passed")
        await cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        assert (await cluster.ask("POST", f"{ROOT}/namespaces/shop/notes", {"metadata": {"name": "n"}}))[0] == 201
        await cluster.breaks(other)

        await cluster.ask("DELETE", path)
        await eventually(cannot_be_asked, 60)
        assert "notes.example.com/v1: stale GroupVersion discovery" in (await failure())["message"]
        assert ("shop", "n") in other.notes

        other.broken = False
        await eventually(lambda: cluster.is_gone(path), 60)
        assert other.notes == {}
