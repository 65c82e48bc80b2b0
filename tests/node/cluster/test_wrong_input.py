"""Wrong input: each a clear error and the right exit status, and nothing half-made."""

import json
import os
import socket
import sys

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.cluster import IMAGE, web
from minikube_py.testing.lab.machine import in_host, run

pytestmark = pytest.mark.node


def _pod(extra=""):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec:
  containers: [{{name: c, image: {IMAGE}}}]
{extra}
"""


@pytest.fixture(params=sorted(KUBECTLS) or ["none"])
def kubectl(request, cluster, namespace):
    def call(*args, stdin=None):
        return cluster.kubectl("-n", namespace, *args, version=request.param, check=False, stdin=stdin)

    yield call
    assert cluster.kubectl("get", "pods", "-n", namespace, "-o", "name").stdout == "", "something was made"


def test_invalid_yaml(kubectl):
    done = kubectl("apply", "-f", "-", stdin="a: [")
    assert done.returncode == 1
    assert "error parsing" in done.stderr or "error converting YAML" in done.stderr


def test_unknown_fields_are_refused_or_warned_about(kubectl, cluster, namespace):
    strict = kubectl("create", "-f", "-", stdin=_pod("  bogus: 1"))
    assert strict.returncode == 1
    assert 'unknown field "spec.bogus"' in strict.stderr
    warned = kubectl("create", "--validate=warn", "-f", "-", stdin=_pod("  bogus: 1"))
    assert warned.returncode == 0
    assert 'unknown field "spec.bogus"' in warned.stderr
    kubectl("delete", "pod", "p", "--wait", "--grace-period=0", "--force")


def test_wrong_types_are_refused(kubectl):
    done = kubectl("create", "--validate=false", "-f", "-", stdin=web().replace("replicas: 3", "replicas: many"))
    assert done.returncode == 1
    assert "replicas" in done.stderr or "int32" in done.stderr
    kubectl("delete", "service,deployment", "web")


def test_semantic_faults_name_the_field(kubectl):
    done = kubectl("create", "-f", "-", stdin=_pod("  restartPolicy: Sometimes"))
    assert done.returncode == 1
    assert 'spec.restartPolicy: Unsupported value: "Sometimes"' in done.stderr
    done = kubectl("create", "-f", "-", stdin=_pod().replace("name: p", "name: P_"))
    assert 'The Pod "P_" is invalid: metadata.name: Invalid value: "P_"' in done.stderr


def test_conflicts_and_repeats(kubectl):
    assert kubectl("create", "configmap", "c", "--from-literal=a=1").returncode == 0
    again = kubectl("create", "configmap", "c", "--from-literal=a=1")
    assert again.returncode == 1
    assert 'configmaps "c" already exists' in again.stderr
    stale = kubectl(
        "replace",
        "-f",
        "-",
        stdin='apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, resourceVersion: "1"}\ndata: {a: "2"}\n',
    )
    assert stale.returncode == 1
    assert "the object has been modified" in stale.stderr
    assert kubectl("get", "configmap", "c", "-o", "jsonpath={.data.a}").stdout == "1"


def test_a_missing_namespace(kubectl, cluster):
    done = cluster.kubectl("create", "-n", "nowhere", "-f", "-", stdin=_pod(), check=False)
    assert done.returncode == 1
    assert 'namespaces "nowhere" not found' in done.stderr


def test_a_wrong_token(kubectl, cluster):
    server = f"https://{cluster.host.address}:6443"
    # An empty kubeconfig: the administrator's certificate must not come along.
    argv = [str(KUBECTLS[sorted(KUBECTLS)[-1]]), "--kubeconfig=/dev/null", f"--server={server}"]
    done = run([*argv, "--insecure-skip-tls-verify", "--token=wrong", "get", "pods"], check=False)
    assert done.returncode == 1
    assert "must be logged in to the server" in done.stderr or "Unauthorized" in done.stderr
    anonymous = json.loads(run(["curl", "-sk", "--noproxy", "*", f"{server}/api/v1/pods"]).stdout)
    assert (anonymous["code"], anonymous["reason"]) == (403, "Forbidden")
    assert anonymous["message"].startswith('pods is forbidden: User "system:anonymous" cannot list resource "pods"')


def _server(cluster, *flags, user=None):
    argv = [sys.executable, "-m", "minikube_py", "server", "--node-ip", cluster.host.address, *flags]
    return run(in_host(cluster.host, [*(("setpriv", *user) if user else ()), *argv]), check=False, timeout_s=60)


def test_a_port_that_is_taken(cluster, tmp_path):
    docker = f"--docker-host=unix://{cluster.host.docker_socket}"
    done = _server(cluster, f"--data-dir={tmp_path}/d", docker, f"--write-kubeconfig={tmp_path}/k", "--node-name=x")

    assert done.returncode == 1
    assert "6443" in done.stderr.splitlines()[-1]
    assert "in use" in done.stderr
    assert not os.path.exists(f"{tmp_path}/k")
    assert cluster.in_host("ip", "-br", "link", "show", "mkpy0").stdout.count("mkpy0") == 1


def test_no_docker(cluster, tmp_path):
    done = _server(
        cluster,
        f"--data-dir={tmp_path}/d",
        f"--docker-host=unix://{tmp_path}/none.sock",
        "--https-listen-port=7443",
        f"--write-kubeconfig={tmp_path}/k",
    )

    assert done.returncode == 1
    assert "Docker" in done.stderr
    assert f"{tmp_path}/none.sock" in done.stderr
    with socket.socket() as probe:
        assert probe.connect_ex((cluster.host.address, 7443)) != 0


def test_no_right_to_write_the_data_folder(cluster, tmp_path):
    (tmp_path / "file").write_text("")
    done = _server(cluster, f"--data-dir={tmp_path}/file/d", f"--docker-host=unix://{cluster.host.docker_socket}")
    assert done.returncode == 1
    assert f"{tmp_path}/file/d" in done.stderr

    nobody = _server(cluster, f"--data-dir={tmp_path}/d", user=("--reuid=65534", "--clear-groups"))
    assert nobody.returncode == 1
    assert "root" in nobody.stderr


def test_wrong_settings_are_all_named():
    done = run(
        [sys.executable, "-m", "minikube_py", "server", "--https-listen-port=0", "--cluster-cidr=x"], check=False
    )
    assert done.returncode == 1
    assert "--https-listen-port" in done.stderr
    assert "--cluster-cidr" in done.stderr
    usage = run([sys.executable, "-m", "minikube_py", "server", "--no-such-flag"], check=False)
    assert usage.returncode == 2
