"""Probes that act on real processes, and the way of pods to the outside."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node


def _pod(name, script, probes):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: {IMAGE}
    command: ["sh", "-c", 'trap "exit 0" TERM; {script}']
{probes}
"""


def _status(cluster, namespace, name):
    return cluster.get("pod", name, "-n", namespace)["status"]["containerStatuses"][0]


def test_a_failing_exec_probe_restarts_the_container(cluster, namespace):
    probe = '    livenessProbe: {exec: {command: ["test", "-e", "/tmp/well"]}, periodSeconds: 1, failureThreshold: 1}'
    cluster.apply(namespace, _pod("live", "touch /tmp/well; sleep 3600 & wait", probe))
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/live", "--timeout=60s")
    assert _status(cluster, namespace, "live")["restartCount"] == 0

    cluster.kubectl("exec", "-n", namespace, "live", "--", "rm", "/tmp/well")

    wait_until(lambda: _status(cluster, namespace, "live")["restartCount"] == 1, 60, "the restart")
    wait_until(lambda: "Unhealthy" in cluster.kubectl("get", "events", "-n", namespace).stdout, 60, "the event")


def test_a_tcp_probe_makes_the_pod_ready_when_it_listens(cluster, namespace):
    probe = "    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"
    script = "while [ ! -e /tmp/go ]; do sleep 0.1; done; httpd -f -p 8080 & wait"
    cluster.apply(namespace, _pod("listens", script, probe))
    wait_until(lambda: _status(cluster, namespace, "listens").get("started"), 60, "the start")
    assert _status(cluster, namespace, "listens")["ready"] is False

    cluster.kubectl("exec", "-n", namespace, "listens", "--", "touch", "/tmp/go")

    wait_until(lambda: _status(cluster, namespace, "listens")["ready"], 60, "readiness")


def test_a_pod_reaches_the_outside_with_the_host_s_address(cluster, namespace):
    seen = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.client_address[0])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"outside\n")

        def log_message(self, *_args):
            pass

    gateway = cluster.lab.layout.gateway
    server = HTTPServer((gateway, 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        cluster.apply(namespace, _pod("out", "sleep 3600 & wait", ""))
        cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/out", "--timeout=60s")
        url = f"http://{gateway}:{server.server_port}/"
        answer = cluster.kubectl("exec", "-n", namespace, "out", "--", "timeout", "5", "wget", "-qO-", url).stdout
    finally:
        server.shutdown()
        server.server_close()

    assert answer == "outside\n"
    assert seen == [cluster.host.address]
