"""A webhook that is named by its Service, on a real host: found at the endpoint, trusted by the Service's name."""

import base64
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.lab.cluster import wait_until
from minikube_py.testing.lab.machine import in_host

pytestmark = pytest.mark.node

PROGRAM = Path(__file__).with_name("webhook_program.py")


@contextmanager
def a_webhook_program(cluster, folder):
    """Run the program in the host's network; gives its port."""
    process = subprocess.Popen(
        in_host(cluster.host, [sys.executable, str(PROGRAM), str(folder)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate("", timeout=30)


def manifests(namespace, address, port, bundle):
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: hook, namespace: {namespace}}}
spec: {{ports: [{{port: 443}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: hook-1, namespace: {namespace}, labels: {{kubernetes.io/service-name: hook}}}}
addressType: IPv4
endpoints:
- {{addresses: ["{address}"], conditions: {{ready: true}}}}
- {{addresses: ["192.0.2.9"], conditions: {{ready: false}}}}
ports: [{{name: "", port: {port}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: hook.example.com
  clientConfig: {{caBundle: {bundle}, service: {{name: hook, namespace: {namespace}, path: /}}}}
  rules: [{{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}}]
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
  sideEffects: None
  admissionReviewVersions: [v1]
"""


def test_a_webhook_behind_a_service_is_asked(cluster, namespace, tmp_path):
    names = CertificateSpec("hook", sans=(f"hook.{namespace}.svc",))
    pki = ensure_pki(tmp_path / "pki", names, CertificateSpec("nobody"), SystemClock().wall_s())
    bundle = base64.b64encode(pki.ca.certificate_pem).decode()
    (node,) = cluster.get("nodes")["items"]
    (address,) = (a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")

    def make(name, key, check=True):
        return cluster.kubectl("create", "configmap", name, "-n", namespace, f"--from-literal={key}=1", check=check)

    with a_webhook_program(cluster, pki.folder) as port:
        cluster.kubectl("apply", "-f", "-", stdin=manifests(namespace, address, port, bundle))
        try:
            assert "seen by the hook" in wait_until(lambda: make("good", "a"), what="an answer").stderr
            denied = make("other", "bad", check=False)
            assert 'admission webhook "hook.example.com" denied the request: not for' in denied.stderr
        finally:
            cluster.kubectl("delete", "validatingwebhookconfiguration", namespace)
