"""Hosts as Vagrant makes them: a first card that has the same address on all, and another that gets a new one."""

import os
import shutil
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

NAT_ADDRESS = "10.0.2.15"
MTU = 1400
VAGRANT = (
    "link set eth0 down",
    "link set eth0 name eth1",
    f"link set eth1 mtu {MTU} up",
    "link add eth0 type veth peer name nat",
    "link set nat up",
    f"address add {NAT_ADDRESS}/24 dev eth0",
    "link set eth0 up",
    "route replace default via 10.0.2.2",
)


def ip(host, *commands):
    for command in commands:
        machine.run(["ip", "-n", host.netns, *command.split()])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two such hosts with a pod of one Deployment on each; nobody says which address is theirs."""
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = tmp_path_factory.mktemp("addresses")
    lab = Lab(Path(f"/run/mkpy-addresses-{os.getpid()}"), 2, fast_timers=True)
    lab.agent_flags = (*lab.agent_flags, "--node-ip=")
    try:
        lab.make_hosts()
        for host in lab.layout.hosts:
            ip(host, *VAGRANT)
        made = Cluster(lab, folder)
        made.load_images(folder)
        lab.start_agents()
        made.apply("default", spread(web(replicas=2)))
        made.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        yield made
    finally:
        for host in lab.layout.hosts:
            if host.agent_log.exists():
                shutil.copy(host.agent_log, tmp_path_factory.getbasetemp() / f"addresses-{host.name}.log")
        lab.down()


def spread(manifest):
    """Put the pods of a Deployment on different hosts."""
    rule = "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}"
    affinity = f"affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{rule}]}}}}"
    return manifest.replace("      containers:", f"      {affinity}\n      containers:")


def addresses(cluster):
    """Return the address of each node."""
    return {
        node["metadata"]["name"]: address["address"]
        for node in cluster.get("nodes")["items"]
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    }


def pods(cluster):
    """Return the pods by the name of their host."""
    return {pod["spec"]["nodeName"]: pod for pod in cluster.get("pods", "-l", "app=web")["items"]}


def reach_one_another(cluster):
    """Return whether the pods reach one another by their addresses, and the API server both hosts (`exec`)."""
    found = pods(cluster)
    for one, other in (("lab1", "lab2"), ("lab2", "lab1")):
        ask = ("timeout", "5", "wget", "-qO-", f"http://{found[other]['status']['podIP']}:8080/")
        said = cluster.kubectl("exec", found[one]["metadata"]["name"], "--", *ask, check=False).stdout
        if said.strip() != found[other]["metadata"]["name"]:
            return False
    return True


def test_every_host_takes_the_card_to_the_other_hosts(cluster):
    assert addresses(cluster) == {host.name: host.address for host in cluster.lab.layout.hosts}
    assert reach_one_another(cluster)
    for pod in pods(cluster).values():
        mtu = cluster.kubectl("exec", pod["metadata"]["name"], "--", "cat", "/sys/class/net/eth0/mtu").stdout
        assert int(mtu) == MTU
    assert f"via {cluster.lab.layout.host('lab2').address} dev eth1" in cluster.in_host("ip", "route").stdout


def test_a_worker_that_gets_another_address_begins_anew_and_is_reached_there(cluster):
    worker, agent = cluster.lab.layout.host("lab2"), cluster.lab.pids["lab2/agent"]
    before = pods(cluster)["lab2"]
    new = str(IPv4Address(worker.address) + 50)
    ip(worker, f"address del {worker.address}/24 dev eth1", f"address add {new}/24 dev eth1")
    # As a unit: systemd starts it again.
    wait_until(lambda: not machine.is_running(agent), what="the agent's end")
    assert f"this host's address is {new} now, no more {worker.address}" in worker.agent_log.read_text()
    cluster.lab.start(worker)

    wait_until(lambda: addresses(cluster)["lab2"] == new, what="the node's new address")
    wait_until(lambda: f"via {new} dev eth1" in cluster.in_host("ip", "route").stdout, what="the way to it")
    wait_until(lambda: reach_one_another(cluster), what="pods that reach one another")
    wait_until(lambda: pods(cluster)["lab2"]["status"]["hostIP"] == new, what="the pod's host address")
    after = pods(cluster)["lab2"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0
    assert cluster.kubectl("logs", after["metadata"]["name"]).stdout == "started\n"
