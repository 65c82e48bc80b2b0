"""`kill -9` of the agent, an orderly stop, and a new start: pods and acknowledged state are untouched."""

import json
import os
import signal
import ssl
import threading
import time
import urllib.request
from base64 import b64decode

import pytest
import yaml

from minikube_py.testing.lab.cluster import wait_until, web
from minikube_py.testing.lab.machine import run

pytestmark = pytest.mark.node


def _deploy(cluster, namespace):
    cluster.apply(namespace, web())
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
    return cluster.get("service", "web", "-n", namespace)["spec"]["clusterIP"]


def _containers(cluster):
    ids = cluster.docker("ps", "-q", "--no-trunc").split()
    rows = json.loads(cluster.docker("inspect", *ids)) if ids else []
    return {row["Id"]: row["State"]["StartedAt"] for row in rows}


def _configmaps(cluster, namespace):
    items = cluster.get("configmaps", "-n", namespace)["items"]
    return {c["metadata"]["name"]: c["metadata"]["resourceVersion"] for c in items}


class Watch:
    """A client that watches through restarts as client-go does: it connects again from the last version it saw."""

    def __init__(self, cluster, namespace, resource_version, tmp_path):
        config = yaml.safe_load(cluster.lab.layout.kubeconfig.read_text())
        self.server = config["clusters"][0]["cluster"]["server"]
        user = config["users"][0]["user"]
        for name in ("client-certificate-data", "client-key-data"):
            (tmp_path / name).write_bytes(b64decode(user[name]))
        self.context = ssl.create_default_context(
            cadata=b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        )
        self.context.load_cert_chain(tmp_path / "client-certificate-data", tmp_path / "client-key-data")
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"
        self.version = resource_version
        self.events = []
        self.connects = 0
        self.stop = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stop:
            url = f"{self.server}{self.path}?watch=1&resourceVersion={self.version}&timeoutSeconds=60"
            try:
                opener = urllib.request.build_opener(
                    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context)
                )
                with opener.open(url, timeout=60) as answer:
                    self.connects += 1
                    for line in answer:
                        event = json.loads(line)
                        self.events.append((event["type"], event["object"]["metadata"].get("name", "")))
                        assert event["type"] != "ERROR", event
                        self.version = event["object"]["metadata"]["resourceVersion"]
            except OSError:
                time.sleep(0.1)


def test_kill_9_leaves_pods_state_watches_and_services_alone(cluster, namespace, tmp_path):
    address = _deploy(cluster, namespace)
    wait_until(lambda: _configmaps(cluster, namespace), 60, "kube-root-ca.crt")
    raw = cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/configmaps").stdout
    first = json.loads(raw)["metadata"]["resourceVersion"]
    for n in range(20):
        cluster.kubectl("create", "configmap", "-n", namespace, f"c{n}", f"--from-literal=n={n}")
    objects = _configmaps(cluster, namespace)
    containers = _containers(cluster)
    watch = Watch(cluster, namespace, first, tmp_path)
    wait_until(lambda: len(watch.events) == 20, 60, "the first events")

    with cluster.load(address, 80) as outcome:
        time.sleep(0.5)
        cluster.lab.stop(cluster.host, sig=signal.SIGKILL)
        time.sleep(1.5)
        cluster.lab.start(cluster.host)
        cluster.kubectl("create", "configmap", "-n", namespace, "after", "--from-literal=n=x")
        time.sleep(2)

    assert outcome["failures"] == 0, outcome
    assert sum(outcome["answers"].values()) > 100
    assert _containers(cluster) == containers
    assert {k: v for k, v in _configmaps(cluster, namespace).items() if k != "after"} == objects
    wait_until(lambda: len(watch.events) == 21, 60, "the event after the restart")
    watch.stop = True
    assert watch.events == [("ADDED", f"c{n}") for n in range(20)] + [("ADDED", "after")]
    assert watch.connects >= 2
    pods = cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]
    assert [p["status"]["containerStatuses"][0]["restartCount"] for p in pods] == [0, 0, 0]


def test_an_orderly_stop_leaves_pods_running_and_a_start_adopts_them(cluster, namespace):
    _deploy(cluster, namespace)
    containers = _containers(cluster)
    started = time.monotonic()

    cluster.lab.stop(cluster.host)

    assert time.monotonic() - started < 30
    assert _containers(cluster) == containers
    cluster.lab.start(cluster.host)
    cluster.kubectl("scale", "-n", namespace, "deployment/web", "--replicas=4")
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
    assert containers.items() <= _containers(cluster).items()


def test_what_changed_while_the_agent_was_away_is_made_true(cluster, namespace):
    _deploy(cluster, namespace)
    pod = cluster.get("pods", "-n", namespace, "-l", "app=web")["items"][0]
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    cluster.lab.stop(cluster.host, sig=signal.SIGKILL)
    cluster.docker("kill", container)

    cluster.lab.start(cluster.host)

    def restarted():
        status = cluster.get("pod", pod["metadata"]["name"], "-n", namespace)["status"]
        return status["containerStatuses"][0]["restartCount"] == 1 and status["containerStatuses"][0]["ready"]

    wait_until(restarted, 60, "the restart of what died meanwhile")


def test_a_second_server_on_the_same_data_is_refused(cluster):
    done = cluster.lab.agent_argv(cluster.host)

    second = run(done, check=False)

    assert second.returncode == 1
    assert "minikube-py:" in second.stderr
    assert str(cluster.host.data_dir) in second.stderr or "6443" in second.stderr
    assert os.path.exists(cluster.host.data_dir)
