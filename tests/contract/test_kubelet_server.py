"""The kubelet's server on loopback HTTPS, asked by certificates and tokens that a real API server judges."""

from contextlib import asynccontextmanager

import aiohttp
import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.apiserver.io.certificates import ensure_node_serving
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.client.io.rest_client import RestClient
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.loopback_kubelet import kubelet_context, kubelet_serving_at, loopback_kubelet
from minikube_py.testing.memory_api_server import (
    ADMIN_TOKEN,
    READER_TOKEN,
    client_context,
    loopback_pki,
    memory_api_server,
    serving,
)

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"namespace": "default", "name": "p", "uid": "u1"},
    "spec": {"containers": [{"name": "c"}]},
}


class Commands:
    """A node whose commands say what they are."""

    async def find_running(self, ref):
        return ref

    async def exec(self, ref, options, streams):
        await streams.write_stdout(" ".join((ref.pod_uid, *options.command)).encode())
        await streams.write_stderr(b"!")
        return 3 if options.command[0] == "fail" else 0

    async def logs(self, ref, options):
        yield f"{options.tail_lines} {options.follow} {options.stream}\n".encode()


class CountingClient:
    """The client of the kubelet, which counts its questions, and may be cut off."""

    def __init__(self, client):
        self._client = client
        self.asked = []
        self.cut_off = False

    async def create(self, resource, obj):
        if self.cut_off:
            raise UnavailableError("the API server is away")
        self.asked.append(resource.kind)
        return await self._client.create(resource, obj)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return loopback_pki(tmp_path_factory.mktemp("pki"), SystemClock().wall_s())


@pytest.fixture(scope="module")
def node_tls(pki, tmp_path_factory):
    return kubelet_context(pki, tmp_path_factory.mktemp("n1"), SystemClock().wall_s())


@asynccontextmanager
async def node(pki, node_tls, log_dir="/var/log"):
    server = memory_api_server()
    client = CountingClient(RestClient(server.local_transport(), "kubelet", lambda: 60))
    kubelet = loopback_kubelet(
        client,
        SystemClock(),
        Commands(),
        lambda namespace, name: POD if (namespace, name) == ("default", "p") else None,
        pods=lambda: [POD],
        log_dir=str(log_dir),
    )
    nobody = aiohttp.TCPConnector(ssl=client_context(pki, with_certificate=False))
    async with (
        serving(server, None),
        kubelet_serving_at(kubelet, node_tls) as port,
        aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=nobody) as session,
    ):
        yield session, client


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_who_is_not_known_is_not_served(pki, node_tls):
    async with node(pki, node_tls) as (session, client):
        for path in ("/healthz", "/pods", "/metrics", "/containerLogs/default/p/c", "/nothing"):
            for headers in ({}, bearer("wrong"), {"Authorization": "Basic eDp5"}):
                async with session.get(path, headers=headers) as refused:
                    assert (refused.status, await refused.text()) == (401, "Unauthorized")
        client.cut_off = True
        async with session.get("/healthz", headers=bearer("new")) as refused:
            assert refused.status == 401, "nobody is let in because nobody can be asked"


async def test_who_is_known_and_may_not_is_told_what_he_lacks(pki, node_tls):
    lacks = {
        ("GET", "/pods"): "verb=get, resource=nodes, subresource(s)=[pods proxy]",
        ("GET", "/healthz/ping"): "verb=get, resource=nodes, subresource(s)=[healthz proxy]",
        ("GET", "/metrics/resource"): "verb=get, resource=nodes, subresource(s)=[metrics]",
        ("POST", "/run/default/p/c"): "verb=create, resource=nodes, subresource(s)=[proxy]",
    }
    async with node(pki, node_tls) as (session, client):
        for (method, path), what in lacks.items():
            async with session.request(method, path, headers=bearer(READER_TOKEN)) as refused:
                assert (refused.status, await refused.text()) == (403, f"Forbidden (user=alice, {what})\n")
        asked = list(client.asked)
        assert asked.count("TokenReview") == 1, "whose a token is is remembered"
        async with session.get("/pods", headers=bearer(READER_TOKEN)) as again:
            assert again.status == 403
        assert client.asked == asked, "a refusal is remembered as well"
        client.cut_off = True
        async with session.get("/stats/summary", headers=bearer(READER_TOKEN)) as unasked:
            assert (unasked.status, await unasked.text()) == (
                500,
                "Authorization error (user=alice, verb=get, resource=nodes, subresource=stats)",
            )


async def test_a_certificate_of_the_cluster_names_the_caller_and_one_of_another_does_not(pki, node_tls, tmp_path):
    wall_s = SystemClock().wall_s()
    other = loopback_pki(tmp_path / "other", wall_s)
    async with node(pki, node_tls) as (session, _):
        async with session.get("/healthz", ssl=client_context(pki, with_certificate=True)) as admin:
            assert (admin.status, await admin.text()) == (200, "ok")
        plain = client_context(pki, with_certificate=False)
        plain.load_cert_chain(*ensure_client(pki, tmp_path / "alice", CertificateSpec("bob", ("dev",)), wall_s))
        async with session.get("/healthz", ssl=plain) as bob:
            assert (bob.status, (await bob.text())[:20]) == (403, "Forbidden (user=bob,")
        stranger = client_context(pki, with_certificate=False)
        stranger.load_cert_chain(other.folder / "admin.crt", other.folder / "admin.key")
        with pytest.raises(aiohttp.ClientError):
            await session.get("/healthz", ssl=stranger)


def ensure_client(pki, folder, spec, wall_s):
    return ensure_node_serving(pki, folder, spec, wall_s)


async def test_the_documents(pki, node_tls):
    async with node(pki, node_tls) as (session, _):
        said = {}
        for path in ("/healthz", "/healthz/syncloop", "/metrics/cadvisor", "/metrics/resource", "/stats/summary"):
            async with session.get(path, headers=bearer(ADMIN_TOKEN)) as answer:
                assert answer.status == 200
                said[path] = await answer.text()
        async with session.get("/pods", headers=bearer(ADMIN_TOKEN)) as answer:
            pods = await answer.json()
        async with session.get("/configz", headers=bearer(ADMIN_TOKEN)) as answer:
            settings = (await answer.json())["kubeletconfig"]
        async with session.get("/metrics", headers=bearer(ADMIN_TOKEN)) as answer:
            metrics = await answer.text()
        for path, code in (("/nothing", 404), ("/pods/x", 404), ("/metrics/none", 404), ("/healthz/none", 404)):
            async with session.get(path, headers=bearer(ADMIN_TOKEN)) as answer:
                assert (path, answer.status) == (path, code)
        async with session.post("/pods", headers=bearer(ADMIN_TOKEN)) as answer:
            assert answer.status == 405
        async with session.post("/checkpoint/default/p/c", headers=bearer(ADMIN_TOKEN)) as answer:
            assert (answer.status, "not supported" in await answer.text()) == (500, True)
    assert (said["/healthz"], said["/healthz/syncloop"]) == ("ok", "ok")
    assert said["/metrics/resource"] == "scrape_error 0\n"
    assert (pods["kind"], [pod["metadata"]["name"] for pod in pods["items"]]) == ("PodList", ["p"])
    assert (settings["kind"], settings["maxPods"], settings["port"]) == ("KubeletConfiguration", 110, 10250)
    assert 'kubelet_node_name{node="n1"} 1.0' in metrics
    assert 'kubelet_http_requests_total{long_running="false",method="GET",path="configz"' in metrics


async def test_run_and_container_logs(pki, node_tls):
    admin = bearer(ADMIN_TOKEN)
    async with node(pki, node_tls) as (session, _):
        async with session.post("/run/default/p/c", params={"cmd": "echo a b"}, headers=admin) as ran:
            assert (ran.status, await ran.text()) == (200, "u1 echo a b!")
        async with session.post("/run/default/p/u1/c", params={"cmd": "fail"}, headers=admin) as failed:
            assert (failed.status, await failed.text()) == (500, "command 'fail' exited with 3: !")
        async with session.post("/run/default/p/u2/c", params={"cmd": "ls"}, headers=admin) as other:
            assert (other.status, await other.text()) == (404, "pod not found")
        log = "/containerLogs/default/p/c"
        async with session.get(log, params={"tailLines": "7", "follow": "true"}, headers=admin) as answer:
            assert await answer.text() == "7 True All\n"
        for query, code in (({"tailLines": "x"}, 400), ({"tailLines": "-1"}, 422), ({"limitBytes": "0"}, 422)):
            async with session.get(log, params=query, headers=admin) as answer:
                assert answer.status == code
        async with session.get("/containerLogs/default/p/x", headers=admin) as answer:
            assert (answer.status, await answer.text()) == (404, 'container "x" not found in pod "p"')
        async with session.get("/containerLogs/default/q/c", headers=admin) as answer:
            assert (answer.status, await answer.text()) == (404, 'pod "q" does not exist')


async def test_logs_of_the_host(pki, node_tls, tmp_path):
    (tmp_path / "mine.log").write_text("one\ntwo\nthree\n")
    (tmp_path / "deep").mkdir()
    (tmp_path.parent / "secret").write_text("no")
    admin = bearer(ADMIN_TOKEN)
    async with node(pki, node_tls, tmp_path) as (session, _):
        async with session.get("/logs/", headers=admin) as listing:
            page = await listing.text()
        async with session.get("/logs/mine.log", headers=admin) as file:
            assert await file.text() == "one\ntwo\nthree\n"
        for path in ("/logs/none", "/logs/..%2Fsecret"):
            async with session.get(aiohttp.client.URL(path, encoded=True), headers=admin) as missing:
                assert (path, missing.status) == (path, 404)
        asked = {"query": "mine", "tailLines": "2", "pattern": "^t"}
        async with session.get("/logs/", params=asked, headers=admin) as found:
            assert (found.status, await found.text()) == (200, "two\nthree\n")
        for wrong in ({"query": "a;b"}, {"query": "../x"}, {"query": "a", "tailLines": "no"}):
            async with session.get("/logs/", params=wrong, headers=admin) as refused:
                assert refused.status == 400
    assert '<a href="deep/">deep/</a>' in page
    assert '<a href="mine.log">mine.log</a>' in page
