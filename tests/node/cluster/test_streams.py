"""exec, attach, cp, port-forward and the proxies with every kubectl and the Python clients, unaltered."""

import asyncio
import hashlib
import os
import socket
import ssl
import subprocess
import threading

import aiohttp
import kr8s
import pytest
from kr8s.asyncio.objects import Pod as Kr8sPod
from kubernetes import client, config
from kubernetes.stream import portforward, stream
from kubernetes_asyncio import client as aio_client
from kubernetes_asyncio import config as aio_config
from kubernetes_asyncio.stream import WsApiClient
from lightkube import Client as LightkubeClient
from lightkube import KubeConfig
from lightkube.resources.core_v1 import Pod as LightkubePod

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: streams, labels: {{app: streams}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: {IMAGE}
    command: ["sh", "-c"]
    args: ["mkdir -p /www/a && echo root >/www/index.html && echo below >/www/a/index.html && httpd -p 8080 -h /www
      && httpd -p 127.0.0.1:8081 -h /www && nc -ll -p 9000 -e cat & exec sleep 100000"]
    ports: [{{name: http, containerPort: 8080}}]
    readinessProbe: {{httpGet: {{port: http}}, periodSeconds: 1}}
  - name: shell
    image: {IMAGE}
    stdin: true
    command: ["sh", "-c", "while read line; do echo got $line; done; sleep 100000"]
---
apiVersion: v1
kind: Service
metadata: {{name: streams}}
spec:
  selector: {{app: streams}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""
VERSIONS = sorted(KUBECTLS) or ["none"]
ECHOED = os.urandom(4 << 20)


@pytest.fixture(scope="module")
def pod(cluster):
    """A pod with two web servers, one for its localhost alone, an echo, and a shell that reads; gone afterwards."""
    cluster.kubectl("create", "namespace", "streams")
    cluster.apply("streams", POD)
    cluster.kubectl("wait", "-n", "streams", "pod/streams", "--for=condition=Ready", "--timeout=60s")
    yield "streams"
    cluster.kubectl("delete", "namespace", "streams", timeout_s=60)


@pytest.fixture(params=VERSIONS)
def kubectl(request, cluster, pod):
    def run(*args, **options):
        return cluster.kubectl("-n", "streams", *args, version=request.param, **options)

    run.version = request.param
    return run


def test_kubectl_exec(kubectl):
    ran = kubectl("exec", "streams", "-c", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (ran.returncode, ran.stdout) == (7, "out\n")
    assert "err\n" in ran.stderr
    echoed = kubectl("exec", "-i", "streams", "-c", "web", "--", "cat", stdin="x" * 300_000)
    assert echoed.stdout == "x" * 300_000


def test_kubectl_attach(kubectl, cluster):
    argv = cluster.kubectl_argv("-n", "streams", "attach", "-i", "streams", "-c", "shell", version=kubectl.version)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as attached:
        attached.stdin.write(f"hello {kubectl.version}\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == f"got hello {kubectl.version}\n"
        attached.terminate()


def test_kubectl_cp(kubectl, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(ECHOED)
    kubectl("cp", str(there), "streams:/tmp/file", "-c", "web")
    kubectl("cp", "streams:/tmp/file", str(back), "-c", "web")
    assert back.read_bytes() == ECHOED


def forwarding(cluster, version, *ports):
    return cluster.port_forward("-n", "streams", "pod/streams", ports=ports, version=version)


def http_get(port, path):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode().splitlines()[-1]


def test_kubectl_port_forward(kubectl, cluster):
    with forwarding(cluster, kubectl.version, 8080, 8081, 9000) as (local, _):
        assert [http_get(local[8080], path) for path in ("/", "/a/")] == ["root", "below"]
        assert http_get(local[8081], "/") == "root", "what listens on the pod's localhost only is reached too"
        with socket.create_connection(("127.0.0.1", local[9000]), 30) as echo:

            def send():
                echo.sendall(ECHOED)
                echo.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            echoed = b"".join(iter(lambda: echo.recv(65536), b""))
            sender.join()
        assert hashlib.sha256(echoed).digest() == hashlib.sha256(ECHOED).digest()
        answers = []
        crowd = [threading.Thread(target=lambda: answers.append(http_get(local[8080], "/"))) for _ in range(20)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()
        assert answers == ["root"] * 20


def test_kubectl_port_forward_says_why_a_port_is_refused(kubectl, cluster):
    with forwarding(cluster, kubectl.version, 7) as (local, process):
        with socket.create_connection(("127.0.0.1", local[7]), 10) as refused:
            assert refused.recv(10) == b""
        assert process.wait(20) == 1
        said = process.stderr.read()
    assert "error forwarding port 7 to pod streams" in said
    assert "connection refused" in said


def test_kubectl_reads_through_the_proxies(kubectl):
    base = "/api/v1/namespaces/streams"

    def raw(path, **options):
        return kubectl("get", "--raw", path, **options)

    assert raw(f"{base}/pods/streams/proxy/").stdout == "root\n"
    assert raw(f"{base}/pods/http:streams:8080/proxy/a").stdout == "below\n"
    wait_until(lambda: raw(f"{base}/services/streams:http/proxy/", check=False).stdout == "root\n")
    assert raw(f"{base}/services/streams:80/proxy/a/").stdout == "below\n"
    assert raw("/api/v1/nodes/https:lab1:6443/proxy/livez").stdout == "ok"
    refused = raw(f"{base}/pods/streams:9/proxy/", check=False)
    assert "ServiceUnavailable" in refused.stderr
    assert "connection refused" in refused.stderr


def test_the_python_client(cluster, pod):
    config.load_kube_config(str(cluster.lab.layout.kubeconfig))
    api = client.CoreV1Api()

    def run(*command, **options):
        wanted = {"stderr": True, "stdin": False, "stdout": True, "tty": False, **options}
        return stream(
            api.connect_get_namespaced_pod_exec, pod, "streams", container="web", command=list(command), **wanted
        )

    assert run("echo", "out") == "out\n"
    ended = run("sh", "-c", "exit 7", _preload_content=False)
    ended.run_forever(timeout=10)
    assert ended.returncode == 7
    typed = run("cat", stdin=True, _preload_content=False)
    typed.write_stdin("typed\n")
    wait_until(lambda: typed.update(timeout=1) or typed.peek_stdout(), 60)
    assert typed.read_stdout() == "typed\n"
    typed.close()
    forwarded = portforward(api.connect_get_namespaced_pod_portforward, pod, "streams", ports="8080,7")
    web = forwarded.socket(8080)
    web.setblocking(True)
    web.settimeout(10)
    web.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while not answer.endswith(b"root\n"):
        answer += web.recv(4096)
    wait_until(lambda: forwarded.error(7), 60)
    assert "connection refused" in forwarded.error(7)
    assert forwarded.error(8080) is None
    assert api.connect_get_namespaced_pod_proxy(pod, "streams") == "root\n"
    assert api.connect_get_namespaced_pod_proxy_with_path(f"{pod}:8080", "streams", "a/index.html") == "below\n"


async def test_kubernetes_asyncio(cluster, pod):
    await aio_config.load_kube_config(str(cluster.lab.layout.kubeconfig))
    async with WsApiClient() as sockets:
        api = aio_client.CoreV1Api(sockets)
        options = {"container": "web", "stderr": True, "stdin": False, "stdout": True, "tty": False}
        out = await api.connect_get_namespaced_pod_exec(pod, "streams", command=["echo", "out"], **options)
        opened = await api.connect_get_namespaced_pod_exec(
            pod, "streams", command=["sh", "-c", "exit 7"], _preload_content=False, **options
        )
        async with opened as ended:
            messages = [message.data async for message in ended]
    assert out == "out\n"
    assert WsApiClient.parse_error_data(messages[-1][1:].decode()) == 7


async def test_kr8s(cluster, pod):
    api = await kr8s.asyncio.api(kubeconfig=str(cluster.lab.layout.kubeconfig))
    found = await Kr8sPod.get(pod, namespace="streams", api=api)
    ran = await found.exec(["sh", "-c", "echo out; echo err >&2; exit 3"], container="web", check=False)
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"out\n", b"err\n", 3)
    async with found.portforward(8080) as port, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"http://127.0.0.1:{port}/") as answer:
                assert await answer.text() == "root\n"


def test_lightkube(cluster, pod):
    kubeconfig = KubeConfig.from_file(cluster.lab.layout.kubeconfig)
    lightkube = LightkubeClient(config=kubeconfig, namespace="streams")
    assert [each.metadata.name for each in lightkube.list(LightkubePod)] == [pod]
    ran = lightkube.exec(pod, command=["sh", "-c", "echo out"], container="web", stdout=True)
    assert (ran.stdout, ran.exit_code) == ("out\n", 0)


async def test_a_websocket_client_may_leave_at_any_time(cluster, pod):
    server, context = cluster.admin_access()
    assert isinstance(context, ssl.SSLContext)
    path = f"{server}/api/v1/namespaces/streams/pods/{pod}/exec"
    params = [("container", "web"), ("stdout", "true"), *(("command", word) for word in ("sleep", "12345"))]
    async with aiohttp.ClientSession() as session:
        socket_ = await session.ws_connect(path, params=params, ssl=context, protocols=["v5.channel.k8s.io"])
        sleeping = lambda: "12345" in cluster.docker("top", _web(cluster))  # noqa: E731
        await asyncio.to_thread(wait_until, sleeping, 10)
        socket_._response.close()
    await asyncio.to_thread(wait_until, lambda: not sleeping(), 10, "the end of the command")


def _web(cluster):
    return cluster.docker("ps", "-q", "--filter", "name=k8s_web_streams").strip()
