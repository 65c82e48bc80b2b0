"""The commands beside `server`: what they print, and with which exit status."""

import json
import re
import sys

import pytest
import yaml

from minikube_py.testing.lab.cluster import IMAGE
from minikube_py.testing.lab.machine import in_host, run

pytestmark = pytest.mark.node


def test_status_shows_the_node_and_every_component(cluster):
    facts = json.loads(cluster.minikube_py("status", "-o", "json").stdout)
    text = cluster.minikube_py("status").stdout

    assert facts["ready"] is True
    assert facts["node"] == "lab1"
    names = {c["name"] for c in facts["components"]}
    assert {"apiserver", "controllers", "scheduler", "kubelet", "proxy", "dns"} <= names
    assert {c["state"] for c in facts["components"]} == {"running"}
    assert "lab1 (" in text
    assert "COMPONENT" in text


def test_status_without_an_agent_says_so(tmp_path):
    done = run([sys.executable, "-m", "minikube_py", "status", f"--data-dir={tmp_path}"], check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"minikube-py: no agent runs on the data folder {tmp_path}")


def test_kubeconfig_is_the_administrator_s(cluster, tmp_path):
    url = f"https://{cluster.host.address}:6443"
    printed = cluster.minikube_py("kubeconfig", "--server", url, f"--node-ip={cluster.host.address}").stdout
    path = tmp_path / "config"
    path.write_text(printed)

    assert yaml.safe_load(printed)["clusters"][0]["cluster"]["server"] == url
    nodes = run([cluster.kubectl_argv()[0], f"--kubeconfig={path}", "get", "nodes", "-o", "name"]).stdout
    assert nodes == "node/lab1\n"


def test_images_are_listed_and_the_pause_image_can_be_built(cluster):
    engine = f"--docker-host=unix://{cluster.host.docker_socket}"
    images = json.loads(run([sys.executable, "-m", "minikube_py", "image", "list", "-o", "json", engine]).stdout)
    built = run([sys.executable, "-m", "minikube_py", "image", "build-pause", engine]).stdout

    assert IMAGE in [tag for image in images for tag in image["tags"]]
    assert "pause" in built
    refused = run([sys.executable, "-m", "minikube_py", "image", "import", "/etc/hostname", engine], check=False)
    assert refused.returncode == 1
    assert "/etc/hostname" in refused.stderr
    missing = run([sys.executable, "-m", "minikube_py", "image", "import", "/no/such/file", engine], check=False)
    assert "/no/such/file" in missing.stderr


def test_doctor_passes_where_a_node_runs_and_fails_where_none_can(cluster, tmp_path):
    engine = f"--docker-host=unix://{cluster.host.docker_socket}"
    well = cluster.minikube_py("doctor", engine, f"--node-ip={cluster.host.address}")
    argv = [
        sys.executable,
        "-m",
        "minikube_py",
        "doctor",
        f"--data-dir={tmp_path}",
        f"--docker-host=unix://{tmp_path}/none.sock",
    ]
    ill = run(in_host(cluster.host, [*argv, f"--node-ip={cluster.host.address}"]), check=False)

    assert "FAIL" not in well.stdout
    assert re.search(r"ok +state +revision \d+, \d+ keys", well.stdout)
    assert ill.returncode == 1
    assert "FAIL  docker" in ill.stdout
    assert "FAIL  ports" in ill.stdout
    assert ill.stderr == "minikube-py: a node cannot run on this host: docker, ports\n"


def test_version_names_the_kubernetes_that_is_served():
    facts = json.loads(run([sys.executable, "-m", "minikube_py", "version", "-o", "json"]).stdout)

    assert facts["kubernetes"] == "v1.36.0"
