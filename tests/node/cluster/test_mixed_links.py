"""Two hosts on one link and a third behind a router: plain routes where they can be, the tunnel where they cannot."""

import os
import shutil
from pathlib import Path

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.three_hosts import HOSTS, ThreeHosts, name_of

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

NEIGHBOURS = {"lab1": "lab2", "lab2": "lab1"}
TUNNEL_MTU = 1450


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three hosts, a pod of one Deployment on each."""
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = tmp_path_factory.mktemp("mixed")
    lab = Lab(Path(f"/run/mkpy-mixed-{os.getpid()}"), 3, fast_timers=True, routed=True, neighbours=2)
    try:
        yield ThreeHosts.bring_up(lab, folder)
    finally:
        for host in lab.layout.hosts:
            if host.agent_log.exists():
                shutil.copy(host.agent_log, tmp_path_factory.getbasetemp() / f"mixed-{host.name}.log")
        lab.down()


def test_neighbours_have_plain_routes_and_the_third_host_the_tunnel(mixed):
    for one in HOSTS:
        for other in (name for name in HOSTS if name != one):
            address = mixed.keeper(other)["status"]["podIP"]
            way = mixed.cluster.on(one).in_host("ip", "route", "get", address).stdout
            if NEIGHBOURS.get(one) == other:
                assert f"via {mixed.lab.layout.host(other).address} dev eth0" in way
            else:
                assert "dev mkpy-vxlan" in way


def test_pods_reach_one_another_over_all_pairs_of_hosts(mixed):
    pods = {host: mixed.keeper(host) for host in HOSTS}
    everyone = {name_of(pod) for pod in pods.values()}
    service = mixed.service_address()
    for pod in pods.values():
        for other in pods.values():
            url = f"http://{other['status']['podIP']}:8080/"
            said = mixed.cluster.kubectl("exec", name_of(pod), "--", "timeout", "10", "wget", "-qO-", url).stdout
            assert said.strip() == name_of(other)
        mtu = mixed.cluster.kubectl("exec", name_of(pod), "--", "cat", "/sys/class/net/eth0/mtu").stdout
        assert int(mtu) == TUNNEL_MTU
        ask = f"for n in $(seq 40); do timeout 10 wget -qO- http://{service}/; done"
        answers = mixed.cluster.kubectl("exec", name_of(pod), "--", "sh", "-c", ask).stdout.split()
        assert (len(answers), set(answers)) == (40, everyone)
