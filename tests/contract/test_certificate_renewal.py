"""A node keeps its certificates good while it runs: real requests, a real signer, real TLS."""

import asyncio
import ssl
from base64 import b64encode
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.certificate_requests import load_request
from minikube_py.api.errors import ForbiddenError, UnavailableError
from minikube_py.api.resources import NODES, SIGNING_REQUESTS
from minikube_py.apiserver.users import UserInfo
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kit.io.tls import server_context
from minikube_py.kubelet.io import certificate_renewal
from minikube_py.kubelet.io.certificate_renewal import CertificateRenewal, read_pair, store_pair
from minikube_py.kubelet.node_certificates import build_request, wanted_client, wanted_serving
from minikube_py.testing.joinable_cluster import joinable_cluster
from minikube_py.testing.manual_clock import ManualClock

DAY_S = 86400.0
NODE = UserInfo("system:node:n1", ("system:nodes", "system:authenticated"))


class Away:
    """A client of a server that does not answer."""

    async def create(self, resource, obj, *, namespace=""):
        raise UnavailableError("away")


class Room:
    def __init__(self, cluster, path) -> None:
        self.cluster = cluster
        self.clock = ManualClock(SystemClock().wall_s())
        self.path = path
        self.used: list[bytes] = []
        self.context: ssl.SSLContext | None = None

    def renewal(self, client=None, come_back=None) -> CertificateRenewal:
        client = client or self.cluster.client_of(NODE)
        return CertificateRenewal(client, self.clock, lambda: 0.5, self.path, self._use, come_back)

    def _use(self, path) -> None:
        if self.context is not None:
            self.context.load_cert_chain(path)
        self.used.append(path.read_bytes())

    @asynccontextmanager
    async def running(self, renewal):
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            task = group.create_task(renewal.run())
            yield
            task.cancel()

    async def used_times(self, times: int) -> None:
        while len(self.used) < times:
            await asyncio.sleep(0.005)


@pytest.fixture
async def room(tmp_path, monkeypatch):
    # These tests let days pass: a look every ten seconds would be a hundred thousand of them.
    monkeypatch.setattr(certificate_renewal, "LOOK_S_MAX", 3600.0)
    async with joinable_cluster(tmp_path / "pki", lifetime_s=10 * DAY_S) as cluster:
        await cluster.add_node("n1", "192.0.2.7")
        yield Room(cluster, tmp_path / "pair.pem")


async def test_a_client_certificate_is_renewed_in_time_by_the_node_itself(room):
    renewal = room.renewal()
    renewal.want(wanted_client("n1"))
    async with room.running(renewal):
        await room.used_times(1)
        await room.clock.advance(6 * DAY_S)
        await asyncio.sleep(0.05)
        assert len(room.used) == 1
        # In one step: the signer's clock is this machine's, so that at once the new one is due as well.
        room.clock.move(3 * DAY_S)
        await room.clock.advance(0.0)
        await room.used_times(2)
    requests = (await room.cluster.client.list(SIGNING_REQUESTS)).items

    assert room.used[0] != room.used[1] == room.path.read_bytes()
    assert room.path.stat().st_mode & 0o777 == 0o600
    assert [request["spec"]["username"] for request in requests] == ["system:node:n1"] * 2


async def test_a_certificate_that_is_still_good_is_kept_over_a_restart(room):
    first = room.renewal()
    first.want(wanted_client("n1"))
    async with room.running(first):
        await room.used_times(1)
    second = room.renewal()
    second.want(wanted_client("n1"))
    async with room.running(second):
        await asyncio.sleep(0.05)

    assert second.first.is_set()
    assert len(room.used) == 1


async def test_while_the_server_is_away_the_certificate_stays_and_is_asked_for_again(room):
    first = room.renewal()
    first.want(wanted_client("n1"))
    async with room.running(first):
        await room.used_times(1)
    before = room.path.read_bytes()
    await room.clock.advance(9 * DAY_S)
    lonely = room.renewal(Away())
    lonely.want(wanted_client("n1"))
    async with room.running(lonely):
        await room.clock.advance(3600.0)
    assert room.path.read_bytes() == before

    again = room.renewal()
    again.want(wanted_client("n1"))
    async with room.running(again):
        await room.used_times(2)


async def test_a_certificate_that_ran_out_is_replaced_another_way_once_that_leads_somewhere(room, caplog):
    first = room.renewal()
    first.want(wanted_client("n1"))
    async with room.running(first):
        await room.used_times(1)
    has_token, tries = asyncio.Event(), []

    async def come_back():
        tries.append(room.clock.now_s())
        if not has_token.is_set():
            raise ForbiddenError("no token")
        key_pem = new_key_pem()
        request = load_request(b64encode(build_request(wanted_client("n1"), key_pem)).decode())
        authority = load_authority(room.cluster.pki.ca.certificate_pem, room.cluster.pki.ca.key_pem)
        usages = ("digital signature", "client auth")
        store_pair(room.path, authority.sign(request, usages, DAY_S, room.clock.wall_s(), 7), key_pem)

    lonely = room.renewal(Away(), come_back)
    lonely.want(wanted_client("n1"))
    async with room.running(lonely):
        await room.clock.advance(5 * DAY_S)
        assert (lonely.fault, tries) == ("", []), "it is good for another five days"
        room.clock.move(6 * DAY_S)
        await room.clock.advance(60.0)
        assert lonely.fault == "certificate pair.pem is not renewed: no token"
        assert len(tries) > 1
        has_token.set()
        await room.clock.advance(30.0)
        await room.used_times(2)
        assert lonely.fault == ""

    assert lonely.held.not_after_s > room.clock.wall_s()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == ["certificate pair.pem is not renewed: no token"]


async def test_a_serving_certificate_follows_the_nodes_addresses(room):
    renewal = room.renewal()
    renewal.want(wanted_serving("n1", ("192.0.2.7",)))
    async with room.running(renewal):
        await room.used_times(1)
        status = {"addresses": [{"type": "InternalIP", "address": "192.0.2.99"}]}
        await room.cluster.client.update(NODES, {"metadata": {"name": "n1"}, "status": status}, subresource="status")
        renewal.want(wanted_serving("n1", ("192.0.2.99",)))
        await room.used_times(2)

    assert read_pair(room.path).sans == {"n1", "192.0.2.99"}


async def test_new_connections_show_the_new_certificate_and_open_ones_go_on(room):
    room.context = server_context(room.cluster.pki.ca.certificate_pem)
    renewal = room.renewal()
    renewal.want(wanted_serving("n1", ("192.0.2.7",)))

    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    trusting = ssl.create_default_context(cadata=room.cluster.pki.ca.certificate_pem.decode())

    async def connect(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="n1")
        return reader, writer, writer.get_extra_info("peercert")["serialNumber"]

    async with room.running(renewal):
        await room.used_times(1)
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=room.context)
        port = server.sockets[0].getsockname()[1]
        reader, writer, old = await connect(port)
        room.clock.move(9 * DAY_S)
        await room.clock.advance(0.0)
        await room.used_times(2)
        _, second, new = await connect(port)
        writer.write(b"still here\n")
        answered = await reader.readline()
        for open_one in (writer, second):
            open_one.close()
        server.close()

    assert old != new
    assert answered == b"still here\n"
