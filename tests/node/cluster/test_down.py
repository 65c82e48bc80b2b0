"""`minikube-py down` leaves nothing of the node behind; the data stays, and a start brings everything back."""

from pathlib import Path

import pytest

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
        # Empty tables stay once they were loaded; what counts is what stands in them.
        "legacy": [
            line
            for line in cluster.in_host("iptables-legacy-save").stdout.splitlines()
            if line.startswith("-A") or " - [" in line
        ],
        "routes": cluster.in_host("ip", "route").stdout,
        "mounts": [line.split()[4] for line in mounts.splitlines() if str(cluster.host.data_dir) in line],
    }


def _down(cluster):
    host = cluster.host
    engine = f"--docker-host=unix://{host.docker_socket}"
    return cluster.minikube_py("down", engine, f"--node-name={host.name}", f"--node-ip={host.address}")


def _host_with_docker(lab, tmp_path):
    """Make the lab's host without an agent; return it with what can be seen of it."""
    lab.make_hosts()
    cluster = Cluster(lab, tmp_path)
    return cluster, _traces(lab, cluster)


def test_down_leaves_nothing_and_a_start_brings_all_back(tmp_path):
    folder = Path(f"/run/mkpy-down-{tmp_path.name[-8:]}")
    lab = Lab(folder, 1)
    try:
        cluster, before = _host_with_docker(lab, tmp_path)
        host = cluster.host
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


def test_down_leaves_nothing_in_iptables_mode_either(tmp_path):
    folder = Path(f"/run/mkpy-down-i{tmp_path.name[-8:]}")
    lab = Lab(folder, 1, proxy_mode="iptables")
    try:
        cluster, before = _host_with_docker(lab, tmp_path)
        lab.start(cluster.host)
        busy = _traces(lab, cluster)
        assert any("MKP-SERVICES" in line for line in busy["legacy"])
        assert any("MKN-EGRESS" in line for line in busy["legacy"])
        assert busy["nft"] == before["nft"]

        _down(cluster)

        assert _traces(lab, cluster) == before
    finally:
        lab.down()
