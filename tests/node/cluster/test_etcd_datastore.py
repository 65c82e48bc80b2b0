"""A whole node whose state is in etcd: a rollout, an agent that is killed, an etcd that goes away and returns."""

import json
import os
import signal
from pathlib import Path

import pytest

from minikube_py.testing.etcd_server import EtcdServer
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.network import make_network

pytestmark = pytest.mark.node
PORTS = (23790, 23800)


@pytest.fixture(scope="module")
def on_etcd(tmp_path_factory):
    """A lab of one host, and an etcd that its agent reaches over the lab's bridge."""
    folder = tmp_path_factory.mktemp("etcd")
    lab = Lab(Path(f"/run/mkpy-etcd-{os.getpid()}"), 1)
    make_network(lab.layout)
    etcd = EtcdServer(folder, "m", PORTS, f"m=http://127.0.0.1:{PORTS[1]}", address=lab.layout.gateway)
    os.environ["MINIKUBE_PY_DATASTORE_ENDPOINT"] = etcd.url
    try:
        etcd.start()
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        yield cluster, etcd
    finally:
        del os.environ["MINIKUBE_PY_DATASTORE_ENDPOINT"]
        lab.down()
        etcd.close()


def test_pods_roll_out_and_an_agent_that_is_killed_finds_everything_in_etcd(on_etcd):
    cluster, _ = on_etcd
    cluster.apply("default", web())
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    address = cluster.get("service", "web")["spec"]["clusterIP"]
    containers = sorted(cluster.docker("ps", "-q", "--no-trunc").split())
    cluster.lab.stop(cluster.host, sig=signal.SIGKILL)
    cluster.lab.start(cluster.host)

    assert sorted(cluster.docker("ps", "-q", "--no-trunc").split()) == containers
    assert len(set(cluster.ask(address, 80, times=5))) >= 1
    assert not list((cluster.host.data_dir / "server").glob("store/*"))
    cluster.kubectl("delete", "deployment/web", "service/web")


def test_while_etcd_is_away_writes_are_refused_with_503_reads_go_on_and_all_recovers(on_etcd):
    cluster, etcd = on_etcd
    cluster.kubectl("create", "configmap", "before", "--from-literal=a=b")
    etcd.kill()
    refused = cluster.kubectl("create", "configmap", "refused", "--from-literal=a=b", check=False)
    assert refused.returncode == 1
    assert "etcd" in refused.stderr
    listed = cluster.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps?resourceVersion=0").stdout
    assert "before" in listed
    etcd.start()

    def created():
        done = cluster.kubectl("create", "configmap", "after", "--from-literal=a=b", check=False)
        return done.returncode == 0 or "AlreadyExists" in done.stderr

    wait_until(created, 60, "a write after etcd returned")
    found = {item["metadata"]["name"] for item in cluster.get("configmaps")["items"]}
    assert {"before", "after"} <= found
    assert json.loads(cluster.minikube_py("snapshot", "verify", "-o", "json").stdout)["faults"] == []
