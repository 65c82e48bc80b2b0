"""An extension API server behind a Service of a whole cluster: objects, its absence, a namespace that holds some."""

import base64
import json
import sys
import time

import pytest

from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.testing.extension_server import api_service
from minikube_py.testing.lab.cluster import wait_until
from minikube_py.testing.lab.machine import in_host, start_daemon, stop_process

pytestmark = pytest.mark.node
PORT = 18443
NAME = "apiservice/v1.notes.example.com"


class Notes:
    """The extension server in the host's network, behind a Service whose endpoints are written by hand."""

    def __init__(self, cluster, namespace, folder):
        self._cluster, self._namespace, self._folder = cluster, namespace, folder
        spec = CertificateSpec("notes", sans=(f"notes.{namespace}.svc",))
        self._pki = ensure_pki(folder / "tls", spec, CertificateSpec("x"), time.time())
        self._pid = 0

    def start(self):
        data = self._cluster.get("configmap", "extension-apiserver-authentication", "-n", "kube-system")["data"]
        config = self._folder / "authentication.json"
        config.write_text(json.dumps(data))
        certificate, key = self._pki.folder / "serving.crt", self._pki.folder / "serving.key"
        address = self._cluster.host.address
        argv = [sys.executable, "-m", "minikube_py.testing.extension_server", config, certificate, key, address, PORT]
        self._pid = start_daemon(in_host(self._cluster.host, list(map(str, argv))), self._folder / "notes.log")

    def stop(self):
        if self._pid:
            stop_process(self._pid)
        self._pid = 0

    def register(self):
        meta = {"name": "notes", "namespace": self._namespace}
        service = {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": {"ports": [{"port": 443}]}}
        endpoints = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": "notes"}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": PORT, "protocol": "TCP"}],
            "endpoints": [{"addresses": [self._cluster.host.address], "conditions": {"ready": True}}],
        }
        bundle = base64.b64encode(self._pki.ca.certificate_pem).decode()
        for obj in (service, endpoints, api_service(bundle, namespace=self._namespace)):
            self._cluster.kubectl("apply", "-f", "-", stdin=json.dumps(obj))


@pytest.fixture
def notes(cluster, namespace, tmp_path):
    server = Notes(cluster, namespace, tmp_path)
    try:
        yield server
    finally:
        cluster.kubectl("delete", NAME, "--ignore-not-found")
        server.stop()


def test_an_extension_server_behind_a_service_from_beginning_to_end(cluster, namespace, notes):
    notes.start()
    notes.register()
    cluster.kubectl("wait", "--for=condition=Available", NAME, "--timeout=60s")
    shop = f"{namespace}-shop"
    cluster.kubectl("create", "namespace", shop)
    note = {"kind": "Note", "apiVersion": "notes.example.com/v1", "metadata": {"name": "n"}, "text": "hi"}
    made = cluster.kubectl("apply", "-n", shop, "-f", "-", stdin=json.dumps(note)).stdout
    seen = cluster.kubectl("get", "nt", "-n", shop, "-o", "name").stdout
    notes.stop()
    cluster.kubectl("annotate", NAME, "look=again")

    def condition(kind, *of):
        conditions = cluster.get(*of)["status"].get("conditions") or ()
        return next((c for c in conditions if c["type"] == kind), {})

    api_service_of = NAME.split("/")
    wait_until(lambda: condition("Available", *api_service_of).get("reason") == "FailedDiscoveryCheck", 60)
    cluster.kubectl("get", "pods", "-A")
    cluster.kubectl("delete", "namespace", shop, "--wait=false")
    kind = "NamespaceDeletionDiscoveryFailure"
    wait_until(lambda: condition(kind, "namespace", shop).get("status") == "True", 60)
    held = condition(kind, "namespace", shop)
    notes.start()
    cluster.kubectl("wait", "--for=delete", f"namespace/{shop}", "--timeout=60s")

    assert made == "note.notes.example.com/n created\n"
    assert seen == "note.notes.example.com/n\n"
    assert held["reason"] == "DiscoveryFailed"
    assert "notes.example.com/v1: stale GroupVersion discovery: notes.example.com/v1" in held["message"]


def test_what_stands_in_a_namespace_is_deleted_through_the_other_server(cluster, namespace, notes):
    notes.start()
    notes.register()
    cluster.kubectl("wait", "--for=condition=Available", NAME, "--timeout=60s")
    shop = f"{namespace}-shop"
    cluster.kubectl("create", "namespace", shop)
    for where in (shop, namespace):
        note = {"kind": "Note", "apiVersion": "notes.example.com/v1", "metadata": {"name": "n"}, "text": "hi"}
        cluster.kubectl("apply", "-n", where, "-f", "-", stdin=json.dumps(note))
    cluster.kubectl("delete", "namespace", shop, "--timeout=60s")
    left = cluster.kubectl("get", "notes", "-A", "-o", "jsonpath={.items[*].metadata.namespace}").stdout

    assert left == namespace
