"""How a host becomes a node, and how it does not: a real API server with real TLS, and the host's own code."""

import asyncio
import socket
import ssl
from base64 import b64decode
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from minikube_py.agent.errors import AgentError
from minikube_py.agent.host import this_host
from minikube_py.agent.joining import come_back, join, require_same_cluster
from minikube_py.agent.node_credentials import NodeCredentials
from minikube_py.agent.process import Process
from minikube_py.api.errors import ConflictError, ForbiddenError, UnauthorizedError, UnavailableError
from minikube_py.api.join_token_secrets import record_of, secret_key
from minikube_py.api.join_tokens import CA_PATH, JoinToken
from minikube_py.api.meta import ObjectKey, name_of
from minikube_py.api.resources import NODES, SECRETS, SIGNING_REQUESTS
from minikube_py.api.rules.signers import KUBELET_SERVING
from minikube_py.apiserver import joining
from minikube_py.apiserver.io import join_endpoint
from minikube_py.apiserver.users import UserInfo
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.join_client import CA_BYTES_MAX, JoinClient
from minikube_py.client.io.rest_client import RestClient
from minikube_py.client.join_faults import JoinRefusedError
from minikube_py.config import collect_settings, parse_config
from minikube_py.controllers import certificate_approval
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kit.own_address import OwnAddress
from minikube_py.kubelet.io.certificate_renewal import read_pair, split_pair
from minikube_py.kubelet.node_certificates import build_request, wanted_client
from minikube_py.testing.joinable_cluster import CLUSTER, joinable_cluster
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.memory_api_server import loopback_pki
from minikube_py.testing.signing_requests import SERVING_USAGES, pkcs10, signing_request

CLOCK = SystemClock()
DAY_S = 86400.0


@pytest.fixture
def silent_port():
    """A port that is nobody else's: who connects is refused until somebody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture
async def cluster(tmp_path):
    async with joinable_cluster(tmp_path / "pki") as running:
        yield running


class Host:
    """A host that wants to be a node."""

    def __init__(self, folder, url: str, token: JoinToken, name: str = "n1", **flags: object) -> None:
        given = {"data-dir": str(folder), "server": url, "token": token.render(), "node-name": name, **flags}
        self.config = parse_config(
            collect_settings(given, {}, {}), host_name=name, default_ip=OwnAddress("192.0.2.7", "")
        )
        self.credentials = NodeCredentials(self.config)
        self.process = Process(self.config, this_host())

    async def join(self):
        return await join(self.config, self.credentials, self.process, CLOCK)

    async def refusal(self) -> str:
        """Return why the host cannot join; nothing is left of the attempt."""
        with pytest.raises(AgentError) as caught:
            await self.join()
        self.credentials.remove_empty_folders()
        assert not self.config.data_dir.exists()
        assert "\n" not in str(caught.value)
        return str(caught.value)


async def left(cluster) -> list[str]:
    """Return the names of what joining left in the API."""
    listed = [await cluster.client.list(resource) for resource in (SIGNING_REQUESTS, NODES)]
    return [name_of(obj) for objects in listed for obj in objects.items]


async def claims(cluster, token: JoinToken) -> list[str]:
    record = record_of(await cluster.client.get(SECRETS, secret_key(token.id)))
    return sorted(claim.node for claim in record.claims)


async def ask(cluster, token: JoinToken, name: str, key_pem: bytes | None = None) -> bytes:
    client = JoinClient(cluster.url, token, CLOCK, "test/1")
    await client.trust()
    return await client.join(build_request(wanted_client(name), key_pem or new_key_pem()))


def as_node(cluster, host: Host) -> HttpTransport:
    tls = ssl.create_default_context(cadata=cluster.pki.ca.certificate_pem.decode())
    tls.load_cert_chain(host.credentials.client)
    return HttpTransport(cluster.url, tls, user_agent="test/1")


async def test_a_host_that_joined_is_its_node_to_the_api(cluster, tmp_path):
    host = Host(tmp_path / "data", cluster.url, await cluster.add_token("abcdef"))
    membership = await host.join()
    async with as_node(cluster, host) as transport:
        node = await RestClient(transport, "test", lambda: 300).create(NODES, {"metadata": {"name": "n1"}})
    (request,) = (await cluster.client.list(SIGNING_REQUESTS)).items

    assert name_of(node) == "n1"
    assert membership.cluster == CLUSTER
    assert request["spec"]["username"] == "system:bootstrap:abcdef"
    assert "system:masters" not in request["spec"]["groups"]


async def test_what_a_host_keeps_lets_it_start_without_a_server(cluster, tmp_path):
    host = Host(tmp_path / "data", cluster.url, cluster.token)
    membership = await host.join()
    kept = sorted(path.name for path in (tmp_path / "data").rglob("*") if path.is_file())

    assert host.credentials.load(CLOCK.wall_s()) == membership
    assert kept == ["cluster.json", "kubelet-client.pem", "server-ca.crt"]
    assert host.credentials.client.stat().st_mode & 0o777 == 0o600
    assert host.credentials.client.parent.stat().st_mode & 0o777 == 0o700


async def test_a_host_is_no_node_by_another_name_nor_for_ever(cluster, tmp_path):
    host = Host(tmp_path / "data", cluster.url, cluster.token)
    await host.join()
    renamed = Host(tmp_path / "data", cluster.url, cluster.token, "n2")

    assert host.credentials.load(CLOCK.wall_s() + 2 * DAY_S) is None
    with pytest.raises(AgentError, match="this host is node n1"):
        renamed.credentials.load(CLOCK.wall_s())


async def test_a_node_is_told_when_a_token_is_that_of_another_cluster(cluster, tmp_path):
    host = Host(tmp_path / "data", cluster.url, cluster.token)
    membership = await host.join()
    require_same_cluster(host.config, membership.ca_pem)
    foreign = Host(tmp_path / "data", cluster.url, replace(cluster.token, ca_hash="0" * 64))

    with pytest.raises(AgentError, match="a node of another cluster"):
        require_same_cluster(foreign.config, membership.ca_pem)
    require_same_cluster(replace(host.config, token="", token_file=tmp_path / "gone"), membership.ca_pem)


@asynccontextmanager
async def impostor(pki, ca_pem: bytes):
    """Serve as somebody who stands in the way: gives `ca_pem`, and writes down what it is shown."""
    shown: list[tuple[str, str]] = []

    async def answer(request):
        shown.append((request.path, request.headers.get("Authorization", "")))
        return web.Response(body=ca_pem)

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=pki.server_context()).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}", shown
    finally:
        await runner.cleanup()


async def test_a_server_with_another_ca_is_not_shown_the_token(cluster, tmp_path):
    other = loopback_pki(tmp_path / "other", CLOCK.wall_s())
    async with impostor(other, other.ca.certificate_pem) as (url, shown):
        assert "has another CA" in await Host(tmp_path / "data", url, cluster.token).refusal()

    assert shown == [(CA_PATH, "")]


async def test_a_server_that_only_shows_the_right_ca_is_not_shown_the_token(cluster, tmp_path):
    other = loopback_pki(tmp_path / "other", CLOCK.wall_s())
    async with impostor(other, cluster.pki.ca.certificate_pem) as (url, shown):
        assert "does not come from the cluster's CA" in await Host(tmp_path / "data", url, cluster.token).refusal()

    assert shown == [(CA_PATH, "")]


async def test_a_server_that_nobody_knows_yet_is_not_listened_to_for_ever(cluster, tmp_path):
    other = loopback_pki(tmp_path / "other", CLOCK.wall_s())
    async with impostor(other, b"-" * (2 * CA_BYTES_MAX)) as (url, _):
        with pytest.raises(UnavailableError, match=f"more than {CA_BYTES_MAX} bytes"):
            await JoinClient(url, cluster.token, CLOCK, "test").trust()


async def test_a_token_with_another_hash_finds_no_server(cluster, tmp_path):
    token = replace(cluster.token, ca_hash="0" * 64)

    assert "has another CA" in await Host(tmp_path / "data", cluster.url, token).refusal()


async def test_tokens_that_are_wrong_deleted_expired_or_used_up_let_nobody_in(cluster, tmp_path):
    good = await cluster.add_token("abcdef")
    expired = await cluster.add_token("expire", expires_at_s=int(CLOCK.wall_s()) - 1)
    used_up = await cluster.add_token("usedup", uses=1)
    await ask(cluster, used_up, "first")
    before = await left(cluster)
    wrong = replace(good, credential="abcdef.fedcba9876543210")
    never = replace(good, id="zzzzzz", credential="zzzzzz.0123456789abcdef")
    password = replace(cluster.token, credential="server:wrong")

    async def refusal(token):
        return await Host(tmp_path / "data", cluster.url, token).refusal()

    for token in (wrong, never, password):
        assert "the token is not one of this cluster" in await refusal(token)
    assert "the token expire expired at" in await refusal(expired)
    assert "is used up (by first)" in await refusal(used_up)
    await cluster.client.delete(SECRETS, secret_key("abcdef"))
    assert "was deleted" in await refusal(good)
    assert await left(cluster) == before


async def test_a_token_lets_no_more_hosts_in_than_it_has_uses_however_many_come_at_once(cluster):
    token = await cluster.add_token("abcdef", uses=3)
    names = [f"n{number}" for number in range(10)]

    async def outcome(name: str) -> str:
        try:
            await ask(cluster, token, name)
        except JoinRefusedError as error:
            return str(error)
        return name

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(name)) for name in names]
    outcomes = [task.result() for task in tasks]
    joined = sorted(set(outcomes) & set(names))

    assert len(joined) == 3
    assert sum("is used up" in outcome for outcome in outcomes) == 7
    assert await claims(cluster, token) == joined
    assert len((await cluster.client.list(SIGNING_REQUESTS)).items) == 3


async def test_a_host_whose_answer_was_lost_asks_again_and_takes_one_use(cluster):
    token, key_pem = await cluster.add_token("abcdef", uses=1), new_key_pem()
    first = await ask(cluster, token, "n1", key_pem)
    await cluster.add_node("n1")

    assert await ask(cluster, token, "n1", key_pem) == first
    assert await claims(cluster, token) == ["n1"]


async def test_a_name_that_is_taken_is_refused_and_the_use_given_back(cluster, tmp_path):
    token = await cluster.add_token("abcdef", uses=1)
    await cluster.add_node("n1")

    assert 'there is a node "n1" already' in await Host(tmp_path / "data", cluster.url, token).refusal()
    assert await left(cluster) == ["n1"]
    assert await claims(cluster, token) == []
    assert await ask(cluster, token, "n2")


async def test_of_two_hosts_of_one_name_the_first_one_wins_and_the_other_leaves_nothing(cluster, tmp_path):
    token = await cluster.add_token("abcdef", uses=2)
    await ask(cluster, token, "n1")
    before = await left(cluster)

    with pytest.raises(ConflictError, match='another host is joining as "n1"'):
        await ask(cluster, token, "n1")
    assert await left(cluster) == before
    assert await claims(cluster, token) == ["n1"]
    await cluster.add_node("n1")
    assert 'there is a node "n1" already' in await Host(tmp_path / "data", cluster.url, token).refusal()


async def test_a_host_asks_until_its_name_is_free(cluster, tmp_path, monkeypatch):
    await ask(cluster, cluster.token, "n1")
    host = Host(tmp_path / "data", cluster.url, cluster.token)

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        joining = group.create_task(host.join())
        while "is free again at" not in host.process.status("")["waiting_for"]:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(certificate_approval, "PROMISE_S", 0.0)
        await joining

    assert read_pair(host.credentials.client).node_name == "n1"


async def test_a_node_whose_certificate_ran_out_is_let_in_again_by_its_key_and_a_token(tmp_path):
    async with joinable_cluster(tmp_path / "pki", lifetime_s=1.0) as cluster:
        host = Host(tmp_path / "data", cluster.url, cluster.token)
        await host.join()
        await cluster.add_node("n1")
        before = split_pair(host.credentials.client)
        while host.credentials.load(CLOCK.wall_s()) is not None:
            await asyncio.sleep(0.05)
        stranger = Host(tmp_path / "stranger", cluster.url, cluster.token)
        assert 'there is a node "n1" already' in await stranger.refusal()

        await host.join()
        after = split_pair(host.credentials.client)
        requests = (await cluster.client.list(SIGNING_REQUESTS)).items

    assert before[0] != after[0]
    assert before[1].strip() == after[1].strip()
    assert sorted(r["spec"]["username"] for r in requests) == ["system:bootstrap:server", "system:node:n1"]


async def test_a_node_that_runs_comes_back_by_itself_when_its_certificate_ran_out(tmp_path):
    async with joinable_cluster(tmp_path / "pki", lifetime_s=1.0) as cluster:
        host = Host(tmp_path / "data", cluster.url, cluster.token)
        await host.join()
        await cluster.add_node("n1")
        before = split_pair(host.credentials.client)
        while host.credentials.load(CLOCK.wall_s()) is not None:
            await asyncio.sleep(0.05)

        # Since it joined it may be started without the flag that says where the server is.
        config = replace(host.config, server_url="")
        await come_back(config, host.credentials, cluster.url, CLOCK)
        after = split_pair(host.credentials.client)
        with pytest.raises(ForbiddenError, match="it ran out, and .* `minikube-py token create"):
            await come_back(replace(config, token=""), host.credentials, cluster.url, CLOCK)
        spent = await cluster.add_token("abcdef", expires_at_s=CLOCK.wall_s() - 1)
        with pytest.raises(ForbiddenError, match="the token abcdef expired at"):
            await come_back(replace(config, token=spent.render()), host.credentials, cluster.url, CLOCK)

    assert before[0] != after[0]
    assert before[1].strip() == after[1].strip()


async def test_the_key_of_a_node_that_was_deleted_does_not_make_a_host_the_next_one_of_that_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(joining, "REGISTRATION_S", 0.0)
    async with joinable_cluster(tmp_path / "pki", lifetime_s=1.0) as cluster:
        host = Host(tmp_path / "data", cluster.url, cluster.token)
        await host.join()
        while host.credentials.load(CLOCK.wall_s()) is not None:
            await asyncio.sleep(0.05)
        await cluster.add_node("n1")

        with pytest.raises(AgentError, match='there is a node "n1" already'):
            await host.join()


async def test_a_token_gives_no_certificate_but_a_nodes(cluster):
    client = JoinClient(cluster.url, cluster.token, CLOCK, "test/1")
    await client.trust()
    with pytest.raises(JoinRefusedError, match="organization is not system:nodes"):
        await client.join(b64decode(pkcs10("admin", ("system:masters",))))


async def test_a_token_is_no_user_of_the_api(cluster):
    tls = ssl.create_default_context(cadata=cluster.pki.ca.certificate_pem.decode())
    credential = cluster.token.credential
    async with HttpTransport(cluster.url, tls, user_agent="test/1", bearer_token=credential) as transport:
        with pytest.raises(UnauthorizedError):
            await RestClient(transport, "test", lambda: 300).list(NODES)


async def test_the_bootstrap_user_may_ask_for_certificates_and_nothing_else(cluster):
    client = cluster.client_of(UserInfo("system:bootstrap:x", ("system:bootstrappers", "system:authenticated")))

    assert (await client.list(SIGNING_REQUESTS)).items == ()
    for resource in (NODES, SECRETS):
        with pytest.raises(ForbiddenError):
            await client.list(resource)


async def test_a_node_gets_no_certificate_of_another_node(cluster):
    await cluster.add_node("n1", "192.0.2.7")
    await cluster.add_node("n2", "192.0.2.8")
    node = cluster.client_of(UserInfo("system:node:n1", ("system:nodes", "system:authenticated")))

    def asked(name, request, **more):
        return node.create(
            SIGNING_REQUESTS, {"metadata": {"name": name}, "spec": signing_request(request, **more)["spec"]}
        )

    serving = {"signer": KUBELET_SERVING, "usages": SERVING_USAGES}
    await asked("other-client", pkcs10("system:node:n2"))
    await asked("other-serving", pkcs10("system:node:n2", sans=("n2",)), **serving)
    await asked("other-address", pkcs10("system:node:n1", sans=("n1", "192.0.2.8")), **serving)
    await asked("own", pkcs10("system:node:n1", sans=("n1", "192.0.2.7")), **serving)

    async def status(name):
        return (await cluster.client.get(SIGNING_REQUESTS, ObjectKey("", name))).get("status") or {}

    async with asyncio.timeout(30):
        while not (await status("own")).get("certificate"):
            await asyncio.sleep(0.01)
    for name in ("other-client", "other-serving", "other-address"):
        assert not (await status(name)).get("certificate")
        assert not any(c["type"] == "Approved" for c in (await status(name)).get("conditions") or ())


@pytest.mark.parametrize(
    ("made_in_s", "words"), [(30 * DAY_S, "30 days behind"), (-400 * DAY_S, "400 days ahead of")]
)
async def test_a_clock_that_is_off_is_named(tmp_path, made_in_s, words):
    # This machine's clock cannot be set: the server's certificates are of another time, and the host's clock too.
    async with joinable_cluster(tmp_path / "pki", certificates_from_s=CLOCK.wall_s() + made_in_s) as cluster:
        host_clock = ManualClock(CLOCK.wall_s() - made_in_s)
        client = JoinClient(cluster.url, cluster.token, host_clock, "test/1")
        await client.trust()
        with pytest.raises(JoinRefusedError, match=f"this host's clock is {words} the server's"):
            await client.greet()


async def test_a_server_of_another_version_is_not_joined(tmp_path):
    async with joinable_cluster(tmp_path / "pki", version="0.2.0") as cluster:
        line = await Host(tmp_path / "data", cluster.url, cluster.token).refusal()

        assert "the server runs minikube-py 0.2.0, this host 0.1" in line
        assert await left(cluster) == []


async def test_a_name_that_the_servers_certificate_lacks_is_said(cluster, tmp_path):
    url = cluster.url.replace("127.0.0.1", "127.0.0.2")

    assert "--tls-san" in await Host(tmp_path / "data", url, cluster.token).refusal()


async def test_flags_that_say_something_else_than_the_cluster_are_an_error(cluster, tmp_path):
    flags = {"cluster-domain": "other.local", "service-cidr": "10.8.0.0/16", "cluster-dns": "10.8.0.10"}
    line = await Host(tmp_path / "data", cluster.url, cluster.token, **flags).refusal()

    assert "--cluster-domain is other.local here and example.local in the cluster" in line
    assert await left(cluster) == []


async def test_a_host_asks_until_the_server_is_there(cluster, tmp_path, silent_port):
    host = Host(tmp_path / "data", f"https://127.0.0.1:{silent_port.getsockname()[1]}", cluster.token)

    async def relay(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", cluster.server.http.port)

        async def pump(source, target):
            while data := await source.read(65536):
                target.write(data)
            target.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, inner_writer))
            group.create_task(pump(inner_reader, writer))

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        joining = group.create_task(host.join())
        while "cannot be reached" not in host.process.status("")["waiting_for"]:
            await asyncio.sleep(0.01)
        server = await asyncio.start_server(relay, sock=silent_port)
        assert await joining is not None
        server.close()

    assert read_pair(host.credentials.client).node_name == "n1"


async def test_a_host_that_is_told_to_stop_while_it_asks_stops(cluster, tmp_path, silent_port):
    host = Host(tmp_path / "data", f"https://127.0.0.1:{silent_port.getsockname()[1]}", cluster.token)

    async def run() -> None:
        host.process.catch_stop()
        await host.join()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        joining = group.create_task(run())
        while "cannot be reached" not in host.process.status("")["waiting_for"]:
            await asyncio.sleep(0.01)
        await host.process.stop()

    assert joining.cancelled()


async def test_a_request_that_nobody_decides_about_is_to_be_sent_again(cluster, monkeypatch):
    monkeypatch.setattr(join_endpoint, "ANSWER_TIMEOUT_S", 0.0)
    with pytest.raises(UnavailableError, match="no answer yet"):
        await ask(cluster, cluster.token, "n1")
