"""`minikube-py down` leaves nothing of the node behind; the data stays, and a start brings everything back."""

from pathlib import Path

import pytest

from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, web
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.machine import is_running

pytestmark = pytest.mark.node


def _traces(lab, cluster):
    """Everything of a node that the machine can show."""
    mounts = Path("/proc/self/mountinfo").read_text()
    return {
        "containers": cluster.docker("ps", "-aq"),
        "links": cluster.in_host("ip", "-o", "link").stdout.count("\n"),
        "nft": cluster.in_host("nft", "list", "tables").stdout,
        "iptables": [
            line.split(" [")[0]
            for line in cluster.in_host("iptables-save").stdout.splitlines()
            if not line.startswith("#")
        ],
        "routes": cluster.in_host("ip", "route").stdout,
        "mounts": [line.split()[4] for line in mounts.splitlines() if str(cluster.host.data_dir) in line],
    }


def _down(cluster):
    host = cluster.host
    engine = f"--docker-host=unix://{host.docker_socket}"
    return cluster.minikube_py("down", engine, f"--node-name={host.name}", f"--node-ip={host.address}")


def test_down_leaves_nothing_and_a_start_brings_all_back(tmp_path):
    folder = Path(f"/run/mkpy-down-{tmp_path.name[-8:]}")
    lab = Lab(folder, 1)
    try:
        (host,) = lab.layout.hosts
        lab.layout.dir.mkdir(parents=True, exist_ok=True)
        host.dir.mkdir()
        machine.make_bridge(lab.layout)
        machine.make_host_network(lab.layout, host)
        lab.start_docker(host)
        cluster = Cluster(lab, tmp_path)
        before = _traces(lab, cluster)
        lab.start(host)
        cluster.load_images(tmp_path)
        cluster.apply("default", web())
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        busy = _traces(lab, cluster)
        assert all(busy[name] != before[name] for name in ("containers", "links", "nft"))

        done = _down(cluster)

        assert "removed" in done.stdout
        assert _traces(lab, cluster) == before
        assert not is_running(lab.pids["lab1/agent"])
        again = _down(cluster)
        assert again.returncode == 0
        lab.start(host)
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        address = cluster.get("service", "web")["spec"]["clusterIP"]
        assert len(set(cluster.ask(address, 80, times=40))) == 3

        # The agent is killed first: down must do without it.
        lab.stop(host, sig=9)
        _down(cluster)
        assert _traces(lab, cluster) == before
    finally:
        lab.down()
