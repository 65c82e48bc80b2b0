"""exec, attach, port-forward and proxies over real connections, with a node that behaves behind them."""

import asyncio
import gzip
import socket
import ssl
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest
from aiohttp import WSMsgType, web

from minikube_py.api.errors import BadRequestError, InternalError
from minikube_py.api.resources import ENDPOINTS, NODES, PODS, SERVICES
from minikube_py.api.streams import ExecOptions
from minikube_py.apiserver.io import http_forwarder
from minikube_py.apiserver.proxying import Location
from minikube_py.client.io.rest_client import RestClient
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.loopback_kubelet import kubelet_context, kubelet_serving_at, loopback_kubelet
from minikube_py.testing.memory_api_server import ADMIN_TOKEN, loopback_pki, memory_api_server, serving
from minikube_py.testing.spdy_client import SpdyClient, SpdyClientCodec

ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
POD = PODS.path("default", "p")


class EchoConnection:
    """A pod's port that sends back what it gets, in capitals, and ends when it is told that there is no more."""

    def __init__(self):
        self._waiting = asyncio.Queue(1000)
        self.closed = False

    async def read(self):
        return await self._waiting.get()

    async def write(self, data):
        if data == b"break":
            self._waiting.put_nowait(b"half of ")
            self.read = self._broken
        await self._waiting.put(data.upper())

    async def _broken(self):
        raise ConnectionResetError("connection reset by peer")

    def write_eof(self):
        self._waiting.put_nowait(b"")

    def close(self):
        self.closed = True


class Node:
    """A kubelet whose commands echo, and whose pods listen on port 80."""

    def __init__(self):
        self.asked = []
        self.sizes = []
        self.connections = []
        self.cancelled = False

    async def find_running(self, ref):
        if ref.container == "gone":
            raise InternalError(f'container not found ("{ref.container}")')
        return ref

    async def exec(self, ref, options, streams):
        self.asked.append((ref.container, options))
        if options.command[0] == "fail":
            await streams.write_stderr(b"no\n")
            return 3
        if options.command[0] == "broken":
            raise InternalError('container not found ("c")')
        if options.command[0] == "wait":
            try:
                await asyncio.sleep(60)
            finally:
                self.cancelled = True
        if options.tty:
            self.sizes.append(await anext(streams.resizes()))
        async for data in streams.stdin():
            await streams.write_stdout(data.upper())
        await streams.write_stdout(b"end")
        return 0

    async def attach(self, ref, options, streams):
        await self.exec(
            ref, ExecOptions(("cat",), options.stdin, options.stdout, options.stderr, options.tty), streams
        )

    async def port_forward(self, ref, port):
        self.asked.append((ref, port))
        if port != 80:
            raise InternalError(f"failed to connect to localhost:{port}: connection refused")
        self.connections.append(EchoConnection())
        return self.connections[-1]


@pytest.fixture(scope="module", autouse=True)
def certificates(tmp_path_factory):
    """Certificates that all tests here use: keys take their time."""
    folder, wall_s = tmp_path_factory.mktemp("tls"), SystemClock().wall_s()
    pki = loopback_pki(folder / "server", wall_s)
    CERTIFICATES[:] = [pki, kubelet_context(pki, folder / "n1", wall_s)]


CERTIFICATES = []


@asynccontextmanager
async def serve(node):
    """An API server, and the kubelet's server of node n1 with `node` behind it: the whole way of a stream."""
    pki, node_tls = CERTIFICATES
    server = memory_api_server(pki=pki)
    client = RestClient(server.local_transport(), "kubelet", lambda: 60)

    def find_pod(namespace, name):
        meta = {"namespace": namespace, "name": name, "uid": f"uid-of-{name}"}
        return {"metadata": meta, "spec": {"containers": [{"name": "c"}]}} if name == "p" else None

    kubelet = loopback_kubelet(client, SystemClock(), node, find_pod)
    async with (
        serving(server, None) as url,
        kubelet_serving_at(kubelet, node_tls) as port,
        aiohttp.ClientSession(url, headers=ADMIN) as session,
    ):
        await register(session, port)
        spec = {"containers": [{"name": "c", "image": "busybox"}], "nodeName": "n1"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        async with session.post(PODS.path("default"), json=pod) as made:
            assert made.status == 201, await made.text()
        yield server, session


async def register(session, port, address="127.0.0.1"):
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": port}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
    async with session.post(NODES.path(), json=node) as made:
        assert made.status in (201, 409), await made.text()
    patch = {"Content-Type": "application/merge-patch+json"}
    async with session.patch(f"{NODES.path(name='n1')}/status", json={"status": status}, headers=patch) as patched:
        assert patched.status == 200


@pytest.fixture
def node():
    return Node()


def command(*words, **streams):
    return [*(("command", word) for word in words), *((name, "true") for name in streams)]


def text(protocol, channel, data):
    return str(channel) + b64encode(data).decode() if "base64" in protocol else bytes([channel]) + data


async def read_channels(socket, protocol):
    """Return what came on each channel until the server closed, and how it closed."""
    found = {}
    async with asyncio.timeout(30):
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                channel, data = int(message.data[0]), b64decode(message.data[1:])
            else:
                channel, data = message.data[0], message.data[1:]
            found[channel] = found.get(channel, b"") + data
    assert ("base64" in protocol) == (not found or message.type is WSMsgType.TEXT)
    return found, socket.close_code


async def test_v5_ends_the_input_alone_and_tells_success_on_the_error_channel(node):
    async with serve(node) as (_, session):
        params = command("cat", stdin=1, stdout=1, stderr=1)
        async with session.ws_connect(f"{POD}/exec", params=params, protocols=["v5.channel.k8s.io"]) as socket:
            assert socket.protocol == "v5.channel.k8s.io"
            await socket.send_bytes(b"\x00hello ")
            await socket.send_bytes(b"\xff\x00")
            channels, code = await read_channels(socket, socket.protocol)
    assert channels.pop(1) == b"HELLO end"
    assert orjson.loads(channels.pop(3)) == {"metadata": {}, "status": "Success"}
    assert (channels, code) == ({}, 1000)


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io", "v5.channel.k8s.io"])
async def test_a_commands_exit_code_is_a_status(node, protocol):
    async with serve(node) as (_, session):
        params = command("fail", stdout=1, stderr=1)
        async with session.ws_connect(f"{POD}/exec", params=params, protocols=["x", protocol]) as socket:
            assert socket.protocol == protocol
            channels, code = await read_channels(socket, protocol)
    status = orjson.loads(channels.pop(3))
    assert (status["reason"], status["details"]["causes"]) == (
        "NonZeroExitCode",
        [{"reason": "ExitCode", "message": "3"}],
    )
    assert (channels, code) == ({2: b"no\n"}, 1000)


@pytest.mark.parametrize("protocol", ["channel.k8s.io", "v3.channel.k8s.io", "base64.channel.k8s.io"])
async def test_old_protocols_tell_a_failure_as_text(node, protocol):
    async with serve(node) as (_, session):
        params = command("broken", stdout=1)
        async with session.ws_connect(f"{POD}/exec", params=params, protocols=[protocol]) as socket:
            channels, _ = await read_channels(socket, protocol)
    assert channels == {3: b'container not found ("c")'}


async def test_a_terminals_size_arrives_and_pings_are_answered(node):
    async with serve(node) as (_, session):
        params = command("sh", stdin=1, stdout=1, tty=1)
        async with session.ws_connect(
            f"{POD}/exec", params=params, protocols=["v5.channel.k8s.io"], autoping=False
        ) as socket:
            await socket.ping(b"alive?")
            message = await socket.receive(30)
            assert (message.type, message.data) == (WSMsgType.PONG, b"alive?")
            await socket.send_bytes(b'\x04{"Width":80,"Height":24}')
            await socket.send_bytes(b"\xff\x00")
            await read_channels(socket, "v5")
    assert [(size.width, size.height) for size in node.sizes] == [(80, 24)]


async def test_a_client_that_leaves_takes_its_command_along(node):
    async with serve(node) as (_, session):
        socket = await session.ws_connect(f"{POD}/exec", params=command("wait", stdout=1))
        while not node.asked:
            await asyncio.sleep(0.01)
        socket._response.close()
        async with asyncio.timeout(30):
            while not node.cancelled:
                await asyncio.sleep(0.01)


async def test_attach_joins_the_container(node):
    async with serve(node) as (_, session):
        params = command(stdin=1, stdout=1)
        async with session.ws_connect(f"{POD}/attach", params=params, protocols=["v5.channel.k8s.io"]) as socket:
            await socket.send_bytes(b"\x00a")
            await socket.send_bytes(b"\xff\x00")
            channels, _ = await read_channels(socket, "v5")
    assert channels[1] == b"Aend"


async def test_a_handshake_that_cannot_be_says_why(node):
    async with serve(node) as (_, session):
        answers = {}
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
        for why, path, params, headers in (
            ("no upgrade", "exec", command("ls", stdout=1), {}),
            ("no container", "exec", [("container", "zzz"), *command("ls", stdout=1)], upgrade),
            ("no streams", "exec", command("sh"), upgrade),
            ("no command", "exec", command(stdout=1), upgrade),
            ("no port", "portforward", [], upgrade),
            ("no such port", "portforward", [("ports", "99999")], upgrade),
            ("no upgrade of ports", "portforward", [("ports", "80")], {}),
        ):
            async with session.get(f"{POD}/{path}", params=params, headers=headers) as refused:
                # What the API server itself refuses is a Status; a kubelet speaks plain text.
                is_status = refused.content_type == "application/json"
                said = (await refused.json())["message"] if is_status else await refused.text()
                answers[why] = (refused.status, said)
    assert {status for status, _ in answers.values()} == {400}
    assert {why: message for why, (_, message) in answers.items()} == {
        "no upgrade": "Upgrade request required",
        "no container": "container zzz is not valid for pod p",
        "no streams": "you must specify at least 1 of stdin, stdout, stderr",
        "no command": "you must specify at least one command for the container",
        "no port": 'query parameter "port" is required',
        "no such port": 'unable to parse "99999" as a port: must be between 1 and 65535',
        "no upgrade of ports": "Upgrade request required",
    }


class Log:
    """A kubelet of which only the logs are asked."""

    def __init__(self):
        self.closed = False
        self.silent = False

    async def logs(self, ref, options):
        try:
            yield b""
            while self.silent:
                await asyncio.sleep(0.01)
            yield f"{ref.namespace}/{ref.pod}/{ref.container}\n".encode()
            while options.follow:
                await asyncio.sleep(0.01)
                yield b"more\n"
        finally:
            self.closed = True


async def test_logs_are_streamed_from_the_pods_node():
    kubelet = Log()
    async with serve(kubelet) as (_, session):
        path = f"{POD}/log"
        async with session.get(path) as whole:
            assert (whole.status, await whole.text()) == (200, "default/p/c\n")
            assert whole.headers["Content-Type"] == "text/plain"
        kubelet.closed = False
        following = await session.get(path, params={"follow": "true"})
        async with asyncio.timeout(30):
            assert [await following.content.readline() for _ in range(3)][1:] == [b"more\n"] * 2
        following.close()
        async with asyncio.timeout(30):
            while not kubelet.closed:
                await asyncio.sleep(0.01)
        async with session.get(path, params={"container": "zzz"}) as wrong:
            assert (wrong.status, (await wrong.json())["message"]) == (400, "container zzz is not valid for pod p")


async def test_who_follows_a_container_that_says_nothing_is_answered_at_once():
    kubelet = Log()
    kubelet.silent = True
    async with serve(kubelet) as (_, session):
        path = f"{POD}/log"
        async with asyncio.timeout(30):
            following = await session.get(path, params={"follow": "true"})
        assert (following.status, following.headers["Content-Type"]) == (200, "text/plain")
        kubelet.silent = False
        async with asyncio.timeout(30):
            assert await following.content.readline() == b"default/p/c\n"
        following.close()


async def test_what_a_kubelet_refuses_is_told_in_its_words(node):
    async def refused_log(ref, options):
        raise BadRequestError('container "c" in pod "p" is waiting to start: ContainerCreating')
        yield b""

    node.logs = refused_log
    async with serve(node) as (_, session):
        async with session.get(f"{POD}/log") as log:
            status = await log.json()
        gone = {"kind": "Pod", "metadata": {"name": "q"}}
        gone["spec"] = {"containers": [{"name": "c", "image": "busybox"}], "nodeName": "n1"}
        async with session.post(PODS.path("default"), json={"apiVersion": "v1", **gone}) as made:
            assert made.status == 201
        async with session.get(PODS.path("default", "q") + "/log") as unknown:
            unknown_status = await unknown.json()
        headers = {"Upgrade": "SPDY/3.1", "Connection": "Upgrade"}
        path = PODS.path("default", "q") + "/exec?command=ls&stdout=1"
        async with session.post(path, headers=headers) as command_:
            assert (command_.status, await command_.text()) == (404, "pod does not exist")
    assert (log.status, status["reason"]) == (400, "BadRequest")
    assert status["message"] == 'container "c" in pod "p" is waiting to start: ContainerCreating'
    assert (unknown.status, unknown_status["message"]) == (
        404,
        "the server could not find the requested resource ( pods/log q)",
    )


async def test_a_kubelet_that_does_not_answer_is_named_with_the_kernels_reason(node):
    async with serve(node) as (_, session):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        await register(session, port)
        upgrade = {"Upgrade": "SPDY/3.1", "Connection": "Upgrade"}
        answers = {}
        for path, headers in (
            (f"{POD}/log", {}),
            (f"{POD}/exec?command=ls&stdout=1", upgrade),
            (f"{POD}/portforward", upgrade),
            (f"{NODES.path(name='n1')}/proxy/pods", {}),
        ):
            async with session.get(path, headers=headers) as answer:
                answers[path] = (answer.status, (await answer.json())["message"])
        await register(session, port, address="")
        async with session.get(f"{POD}/log") as answer:
            nowhere = (answer.status, (await answer.json())["message"])
    refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert list(answers.values()) == [
        (500, f'Get "https://127.0.0.1:{port}/containerLogs/default/p/c": {refused}'),
        (500, f"error dialing backend: {refused}"),
        (500, f"error dialing backend: {refused}"),
        (503, f"error trying to reach service: {refused}"),
    ]
    assert nowhere[0] == 500
    assert nowhere[1].startswith("no preferred addresses found; known addresses: [")


async def test_a_kubelet_of_another_ca_is_not_talked_to(node, tmp_path):
    other = loopback_pki(tmp_path, SystemClock().wall_s())
    mine = CERTIFICATES[1]
    CERTIFICATES[1] = kubelet_context(other, tmp_path / "n1", SystemClock().wall_s())
    try:
        async with serve(node) as (_, session), session.get(f"{POD}/log") as log:
            said = (await log.json())["message"]
    finally:
        CERTIFICATES[1] = mine
    assert said.endswith("tls: self-signed certificate in certificate chain")


@asynccontextmanager
async def spdy(server, path, *protocols):
    async with SpdyClient("127.0.0.1", server.http.port) as client, asyncio.timeout(30):
        await client.upgrade(path, ADMIN.items(), *protocols)
        yield client


async def test_exec_over_spdy(node):
    async with serve(node) as (server, _):
        path = f"{POD}/exec?command=cat&stdin=1&stdout=1"
        async with spdy(server, path, "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io") as client:
            assert (client.status, client.headers["x-stream-protocol-version"]) == (101, "v4.channel.k8s.io")
            error, stdin, stdout = (client.open_stream({"streamtype": s}) for s in ("error", "stdin", "stdout"))
            client.send(stdin, b"a" * 100_000)
            client.send(stdin, b"z", fin=True)
            streams = await client.read_streams(error, stdout)
    assert streams[stdout] == b"A" * 100_000 + b"Zend"
    assert orjson.loads(streams[error])["status"] == "Success"


async def test_a_spdy_client_without_a_common_protocol_is_refused(node):
    async with serve(node) as (server, _):
        async with spdy(server, f"{POD}/exec?command=cat&stdout=1", "v9.channel.k8s.io") as client:
            assert client.status == 403
            assert b"unable to upgrade" in client.body
        async with spdy(server, f"{POD}/portforward", "v9") as client:
            assert client.status == 403


async def test_streams_that_exec_has_no_use_for_are_refused(node):
    async with serve(node) as (server, _):
        path = f"{POD}/exec?command=cat&stdin=1&stdout=1"
        async with spdy(server, path, "v4.channel.k8s.io") as client:
            unknown, first, again = (client.open_stream({"streamtype": s}) for s in ("other", "error", "error"))
            assert (await client.read_streams(unknown, again)) == {unknown: None, again: None}
            stdin, stdout = (client.open_stream({"streamtype": s}) for s in ("stdin", "stdout"))
            client.send(stdin, b"a", fin=True)
            streams = await client.read_streams(first, stdout)
    assert streams[stdout] == b"Aend"
    assert orjson.loads(streams[first])["status"] == "Success"


async def test_bytes_that_are_no_spdy_end_the_connection(node):
    async with (
        serve(node) as (server, _),
        spdy(server, f"{POD}/exec?command=wait&stdout=1", "v4.channel.k8s.io") as client,
    ):
        client.send_raw(b"\x80\x02" + b"x" * 100)
        while await client.next_frame() is not None:
            pass


def open_pair(client, port, request, **more):
    return [
        client.open_stream({"streamtype": kind, "port": port, "requestid": request, **more})
        for kind in ("error", "data")
    ]


async def test_ports_are_forwarded_over_spdy_many_connections_at_a_time(node):
    async with serve(node) as (server, _), spdy(server, f"{POD}/portforward", "portforward.k8s.io") as client:
        assert (client.status, client.headers["x-stream-protocol-version"]) == (101, "portforward.k8s.io")
        pairs = [open_pair(client, "80", str(number)) for number in range(20)]
        for number, (_, data) in enumerate(pairs):
            client.send(data, f"hello {number}".encode(), fin=True)
        streams = await client.read_streams(*(stream for pair in pairs for stream in pair))
        assert [streams[data] for _, data in pairs] == [f"HELLO {number}".encode() for number in range(20)]
        assert {streams[error] for error, _ in pairs} == {b""}
    assert all(connection.closed for connection in node.connections)
    assert node.asked[0][0].pod == "p"


async def test_a_port_that_nobody_listens_on_is_told_on_the_error_stream(node):
    async with serve(node) as (server, _), spdy(server, f"{POD}/portforward", "portforward.k8s.io") as client:
        error, data = open_pair(client, "81", "1")
        streams = await client.read_streams(error, data)
        assert streams[data] == b""
        assert streams[error].startswith(b"error forwarding port 81 to pod p, uid ")
        assert streams[error].endswith(b"failed to connect to localhost:81: connection refused")
        broken = open_pair(client, "80", "2")
        client.send(broken[1], b"break")
        streams = await client.read_streams(*broken)
        assert streams[broken[0]].endswith(b"connection reset by peer")


async def test_streams_that_make_no_sense_are_refused_and_the_others_go_on(node):
    async with serve(node) as (server, _), spdy(server, f"{POD}/portforward", "portforward.k8s.io") as client:
        bad = client.open_stream({"streamtype": "data", "port": "no"})
        pair = open_pair(client, "80", "1")
        twice = client.open_stream({"streamtype": "data", "port": "80", "requestid": "1"})
        client.send(pair[1], b"x", fin=True)
        streams = await client.read_streams(bad, twice, *pair)
    assert streams == {bad: None, twice: None, pair[0]: b"", pair[1]: b"X"}


async def test_a_forwarded_connection_that_is_reset_is_closed(node):
    async with serve(node) as (server, _), spdy(server, f"{POD}/portforward", "portforward.k8s.io") as client:
        _, data = open_pair(client, "80", "1")
        client.send(data, b"x")
        while not node.connections:
            await client.next_frame()
        client.reset(data)
        while not node.connections[0].closed:
            await asyncio.sleep(0.01)


async def test_a_client_that_leaves_closes_its_forwarded_connections(node):
    async with serve(node) as (server, _):
        async with spdy(server, f"{POD}/portforward", "portforward.k8s.io") as client:
            open_pair(client, "80", "1")
            while not node.connections:
                await client.next_frame()
        async with asyncio.timeout(30):
            while not node.connections[0].closed:
                await asyncio.sleep(0.01)


async def test_spdy_goes_through_a_websocket_too(node):
    tunnel = "SPDY/3.1+portforward.k8s.io"
    async with (
        serve(node) as (_, session),
        session.ws_connect(f"{POD}/portforward", protocols=[tunnel]) as socket,
    ):
        assert socket.protocol == tunnel
        codec = SpdyClientCodec()
        frames = b""
        for stream_id, kind in ((1, "error"), (3, "data")):
            frames += codec.syn_stream(stream_id, {"streamtype": kind, "port": "80", "requestid": "0"})
        frames += codec.data(3, b"hello", fin=True)
        # Messages have borders where SPDY has none.
        for at in range(0, len(frames), 7):
            await socket.send_bytes(frames[at : at + 7])
        data, ended = b"", set()
        async with asyncio.timeout(30):
            while len(ended) < 2:
                for frame in codec.feed((await socket.receive()).data):
                    if getattr(frame, "data", b""):
                        data += frame.data
                    if getattr(frame, "fin", False):
                        ended.add(frame.stream_id)
    assert data == b"HELLO"


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
async def test_ports_are_forwarded_over_websocket_channels(node, protocol):
    async with serve(node) as (_, session):
        params = [("ports", "80"), ("ports", "81")]
        async with session.ws_connect(f"{POD}/portforward", params=params, protocols=[protocol]) as socket:
            message = text(protocol, 0, b"hello")
            await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)
            found = {}
            async with asyncio.timeout(30):
                while len(found.get(0, b"")) < 7 or len(found.get(3, b"")) < 3:
                    got = (await socket.receive()).data
                    channel, data = (int(got[0]), b64decode(got[1:])) if isinstance(got, str) else (got[0], got[1:])
                    found[channel] = found.get(channel, b"") + data
    assert found[0] == b"\x50\x00HELLO"
    assert found[1] == b"\x50\x00"
    assert found[2] == b"\x51\x00"
    assert found[3].startswith(b"\x51\x00error forwarding port 81 to pod p, uid ")


@asynccontextmanager
async def backend(handler, tls=None):
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def proxied(handler, monkeypatch):
    """A pod, a Service and a node that are a server on loopback (whose addresses are refused otherwise)."""
    async with serve(Node()) as (_, session), backend(handler) as port:
        status = {"podIP": "10.0.0.9", "phase": "Running"}
        patch = {"Content-Type": "application/merge-patch+json"}
        async with session.patch(f"{POD}/status", json={"status": status}, headers=patch) as patched:
            assert patched.status == 200
        ports = [{"name": "http", "port": 80}]
        for path, obj in (
            (SERVICES, {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}),
            (
                ENDPOINTS,
                {
                    "kind": "Endpoints",
                    "metadata": {"name": "s"},
                    "subsets": [
                        {"addresses": [{"ip": "10.0.0.9"}], "ports": [{"name": "http", "port": port}]},
                    ],
                },
            ),
        ):
            async with session.post(path.path("default"), json={"apiVersion": "v1", **obj}) as made:
                assert made.status == 201, await made.text()
        addresses = [{"type": "InternalIP", "address": "10.0.0.9"}]
        async with session.patch(
            f"{NODES.path(name='n1')}/status", json={"status": {"addresses": addresses}}, headers=patch
        ) as patched:
            assert patched.status == 200
        monkeypatch.setattr(Location, "authority", property(lambda self: f"127.0.0.1:{self.port}"))
        connect = asyncio.open_connection

        async def to_loopback(host, port, **kwargs):
            return await connect("127.0.0.1", port, **kwargs)

        monkeypatch.setattr(http_forwarder.asyncio, "open_connection", to_loopback)
        yield session, port


async def tell(request):
    body = await request.content.read()  # request.read() has a limit
    told = {
        "method": request.method,
        "target": request._message.path,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": body.decode(),
    }
    return web.json_response(told, status=299, headers={"X-Pod": "yes", "Access-Control-Allow-Origin": "*"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_the_proxy_sends_a_request_on_and_its_answer_back(method, monkeypatch):
    async with proxied(tell, monkeypatch) as (session, port):
        for base in (
            f"{POD}:{port}/proxy",
            SERVICES.path("default", "s:80/proxy"),
            f"{NODES.path()}/n1:{port}/proxy",
        ):
            body = "x" * 5_000_000 if method in ("POST", "PUT") else None
            async with session.request(method, f"{base}/a/b%20c/?q=1%262", data=body) as answer:
                told = await answer.json()
            assert (answer.status, answer.headers["X-Pod"]) == (299, "yes")
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert (told["method"], told["target"], told["body"]) == (method, "/a/b%20c/?q=1%262", body or "")
            assert "authorization" not in told["headers"]
            assert told["headers"]["x-forwarded-for"] == "127.0.0.1"


async def test_the_proxys_root_without_a_slash_redirects(monkeypatch):
    async with proxied(tell, monkeypatch) as (session, port):
        path = f"{POD}:{port}/proxy"
        async with session.get(path, params={"a": "b"}, allow_redirects=False) as moved:
            assert (moved.status, moved.headers["Location"]) == (301, f"{path}/?a=b")
        async with session.post(path) as direct:
            assert (await direct.json())["target"] == "/"


async def test_the_proxy_says_when_nobody_answers(monkeypatch):
    async with proxied(tell, monkeypatch) as (session, _):
        async with session.get(f"{POD}:1/proxy/") as refused:
            status = await refused.json()
        assert (refused.status, status["reason"]) == (503, "ServiceUnavailable")
        assert status["message"] == "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"
        async with session.get(f"{POD}x:1/proxy/") as missing:
            assert missing.status == 404
        async with session.get(f"{POD}:1/proxy/", headers={"Upgrade": "websocket"}) as upgraded:
            assert upgraded.status == 503


PAGE = b'<html><!-- <a href="/no"> --><script>"<a href=/no>"</script><a class=x href="/next?a=1&amp;b=2">n</a></html>'


@pytest.mark.parametrize("packed", [False, True])
async def test_links_in_a_page_lead_through_the_proxy(packed, monkeypatch):
    async def page(request):
        if not packed:
            return web.Response(body=PAGE, content_type="text/html", charset="utf-8")
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
        return web.Response(body=gzip.compress(PAGE), headers=headers)

    async with proxied(page, monkeypatch) as (session, port):
        prefix = f"{POD}:{port}/proxy"
        async with session.get(f"{prefix}/") as answer:
            seen = await answer.read()
    assert seen == PAGE.replace(b'"/next', f'"{prefix}/next'.encode())


@pytest.mark.parametrize("kind", ["too long", "no page", "broken"])
async def test_what_is_no_page_or_too_long_goes_through_as_it_is(kind, monkeypatch):
    monkeypatch.setattr(http_forwarder, "HTML_BYTES_MAX", 1000)
    body = PAGE + b"x" * (2000 if kind == "too long" else 0)
    headers = {"Content-Type": "text/plain" if kind == "no page" else "text/html"}
    if kind == "broken":
        headers["Content-Encoding"] = "x-own"

    async def page(request):
        return web.Response(body=body, headers=headers)

    async with (
        proxied(page, monkeypatch) as (session, port),
        session.get(f"{POD}:{port}/proxy/") as answer,
    ):
        raw = await answer.read()
    assert (raw, answer.headers["Content-Length"]) == (body, str(len(body)))


async def test_the_kubelet_of_a_node_is_asked_by_tls_with_the_servers_certificate(tmp_path):
    pki = loopback_pki(tmp_path / "tls", SystemClock().wall_s())
    other = loopback_pki(tmp_path / "other", SystemClock().wall_s())

    async def kubelet(request):
        subject = dict(pair[0] for pair in request.transport.get_extra_info("peercert")["subject"])
        return web.json_response({"path": request.path, "user": subject["commonName"]})

    for trusted in (pki, other):
        tls = pki.server_context()
        tls.verify_mode = ssl.CERT_REQUIRED
        server = memory_api_server(pki=trusted)
        async with (
            backend(kubelet, tls) as port,
            serving(server, None) as url,
            aiohttp.ClientSession(url, headers=ADMIN) as session,
        ):
            status = {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            }
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "status": status}
            async with session.post(NODES.path(), json=node) as made:
                assert made.status == 201
            async with session.get(f"{NODES.path()}/n1/proxy/healthz") as answer:
                told = await answer.json()
        if trusted is pki:
            assert (answer.status, told) == (200, {"path": "/healthz", "user": "kube-apiserver-kubelet-client"})
        else:
            assert (answer.status, told["message"]) == (
                503,
                "error trying to reach service: tls: self-signed certificate in certificate chain",
            )


async def test_a_websocket_passes_through_the_proxy(monkeypatch):
    async def chat(request):
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{request.path}: {message.data}")
            if message.data == "bye":
                break
        await socket.close()
        return socket

    async with (
        proxied(chat, monkeypatch) as (session, port),
        session.ws_connect(f"{POD}:{port}/proxy/room", protocols=["chat"]) as socket,
    ):
        assert socket.protocol == "chat"
        await socket.send_str("x" * 100_000)
        assert (await socket.receive_str(timeout=30)) == "/room: " + "x" * 100_000
        await socket.send_str("bye")
        assert (await socket.receive_str(timeout=30)) == "/room: bye"
        assert (await socket.receive(30)).type is WSMsgType.CLOSE


async def test_an_upgrade_that_is_refused_comes_back_as_it_is(monkeypatch):
    async def refuse(request):
        return web.Response(status=418, text="no")

    async with proxied(refuse, monkeypatch) as (session, port):
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        async with session.get(f"{POD}:{port}/proxy/", headers=headers) as refused:
            assert (refused.status, await refused.text()) == (418, "no")


async def test_a_proxied_answer_is_streamed_and_ends_when_the_client_leaves(monkeypatch):
    gone = asyncio.Event()

    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"drip\n")
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()
            raise

    async with proxied(drip, monkeypatch) as (session, port):
        answer = await session.get(f"{POD}:{port}/proxy/")
        assert await answer.content.readline() == b"drip\n"
        answer.close()
        await asyncio.wait_for(gone.wait(), 30)
