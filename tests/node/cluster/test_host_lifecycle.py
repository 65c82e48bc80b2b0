"""Hosts that die, hang, are cut off, reboot, are drained and deleted: what the cluster says of them is true, their
pods are replaced when their time is over, and what runs on a host that comes back runs on.
"""

import os
import shutil
import signal
from pathlib import Path

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import wait_until
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.three_hosts import (
    HOST_PORT,
    HOSTS,
    LONG_S,
    OUTAGES,
    ThreeHosts,
    is_ready,
    name_of,
    run_of,
)

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

SERVER_FLAGS = (
    "--kube-controller-manager-arg=node-monitor-grace-period=6s",
    "--kube-controller-manager-arg=node-eviction-rate=1",
    "--kube-apiserver-arg=default-not-ready-toleration-seconds=2",
    "--kube-apiserver-arg=default-unreachable-toleration-seconds=2",
)


@pytest.fixture(scope="module", params=[("nftables", False), ("iptables", True)], ids=["nftables", "iptables routed"])
def three(request, tmp_path_factory):
    """Three hosts on one link, and three that are joined by a router only (VXLAN), in the other proxy mode."""
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = tmp_path_factory.mktemp("lifecycle")
    proxy_mode, routed = request.param
    lab = Lab(Path(f"/run/mkpy-life-{os.getpid()}"), 3, fast_timers=True, proxy_mode=proxy_mode, routed=routed)
    lab.server_flags = SERVER_FLAGS
    try:
        yield ThreeHosts.bring_up(lab, folder)
    finally:
        for host in lab.layout.hosts:
            if host.agent_log.exists():
                shutil.copy(host.agent_log, tmp_path_factory.getbasetemp() / f"lifecycle-{host.name}.log")
        lab.down()


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_a_worker_that_falls_silent_is_given_up_and_taken_back(three, outage):
    moved = three.mover()
    host = three.lab.layout.host(moved["spec"]["nodeName"])
    (other,) = {"lab2", "lab3"} - {host.name}
    kept = run_of(three.keeper(host.name))
    others = {name_of(three.keeper(name)) for name in HOSTS if name != host.name}

    outage.begin(three.lab, host)
    wait_until(lambda: three.ready(host.name) == ("Unknown", "NodeStatusUnknown"), LONG_S, "a node given up")
    unreachable = {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    wait_until(lambda: three.taints(host.name) == unreachable, LONG_S, "taints")
    assert "NotReady" in three.cluster.kubectl("get", "node", host.name, "--no-headers").stdout
    wait_until(lambda: not is_ready(three.keeper(host.name)), LONG_S, "a pod that is not Ready")
    for asked in ("lab1", other):
        wait_until(lambda asked=asked: three.answering(asked) == others, LONG_S, f"a Service without it on {asked}")
    replacement = three.mover(instead_of=name_of(moved))
    assert replacement["spec"]["nodeName"] == other
    # The old one stays until its kubelet says that it has ended.
    (old,) = (pod for pod in three.pods("mover") if name_of(pod) == name_of(moved))
    assert "deletionTimestamp" in old["metadata"]

    outage.end(three.lab, host)
    three.wait_back(host.name, kept, outage.restarts)
    assert run_of(three.mover()) == run_of(replacement)


def test_the_master_may_be_killed_and_no_request_to_a_service_is_lost(three):
    address = three.service_address()
    runs = {host: run_of(three.keeper(host)) for host in HOSTS}
    with three.cluster.on("lab2").load(address, 80) as outcome:
        three.cluster.kubectl("create", "configmap", "acknowledged", "--from-literal=a=b")
        three.lab.stop(three.master, sig=signal.SIGKILL)
        three.lab.start(three.master)
        three.wait_whole()

    assert outcome["failures"] == 0, outcome
    assert len(outcome["answers"]) == 3
    assert three.cluster.get("configmap", "acknowledged")["data"] == {"a": "b"}
    assert {host: run_of(three.keeper(host)) for host in HOSTS} == runs


def test_a_worker_that_reboots_while_the_master_is_away_starts_its_pods_from_what_it_keeps(three):
    host = three.lab.layout.host("lab3")
    kept = three.keeper("lab3")
    before = run_of(kept)
    replica, address = host.data_dir / "agent" / "replica", kept["status"]["podIP"]
    wait_until(lambda: any(address in file.read_text() for file in replica.glob("pods-*")), LONG_S, "a replica")
    three.lab.stop(three.master, sig=signal.SIGKILL)
    three.lab.power_off(host)
    three.lab.power_on(host, wait=False)

    def answers():
        done = three.cluster.on("lab3").in_host(
            "curl", "-sS", "-m", "3", f"http://{host.address}:{HOST_PORT}/", check=False
        )
        return done.stdout.strip() == name_of(kept)

    wait_until(answers, LONG_S, "a pod started without a master")
    three.lab.start(three.master)
    three.wait_back("lab3", before, restarts=1)
    assert three.keeper("lab3")["status"]["podIP"] == address


def test_a_drained_worker_is_empty_until_it_is_uncordoned(three):
    host = three.mover()["spec"]["nodeName"]
    three.cluster.kubectl("drain", host, "--timeout=60s")
    assert [pod for pod in three.cluster.get("pods")["items"] if pod["spec"].get("nodeName") == host] == []
    assert three.mover()["spec"]["nodeName"] != host
    assert "SchedulingDisabled" in three.cluster.kubectl("get", "node", host, "--no-headers").stdout
    wait_until(
        lambda: three.taints(host) == {("unschedulable", "NoSchedule")}, LONG_S, "the taint of a cordoned node"
    )

    three.cluster.kubectl("uncordon", host)
    three.wait_whole()
    three.cluster.kubectl("cordon", host)
    assert is_ready(three.keeper(host))
    three.cluster.kubectl("uncordon", host)
    three.wait_whole()


@pytest.mark.parametrize("credentials", ["kept", "new"])
def test_a_node_that_was_deleted_loses_its_pods_and_joins_again(three, credentials):
    host = three.lab.layout.host("lab3")
    kept = three.keeper("lab3")
    pod_range = three.cluster.get("node", "lab3")["spec"]["podCIDR"]

    def is_reached():
        return pod_range in three.cluster.in_host("ip", "route", "show", "proto", "107").stdout

    assert is_reached()
    three.cluster.kubectl("delete", "node", "lab3")

    def emptied():
        pods = {pod["spec"].get("nodeName") for pod in three.cluster.get("pods")["items"]}
        return "lab3" not in pods and not machine.docker(host, ["ps", "-q"]).stdout

    wait_until(emptied, LONG_S, "a host without pods")
    assert three.cluster.kubectl("get", "node", "lab3", check=False).returncode == 1
    wait_until(lambda: not is_reached(), LONG_S, "no way to its pods")
    three.lab.stop(host)
    if credentials == "new":
        shutil.rmtree(host.data_dir)
    three.lab.start(host)
    three.wait_whole()
    assert three.keeper("lab3")["metadata"]["uid"] != kept["metadata"]["uid"]
    wait_until(lambda: name_of(three.keeper("lab3")) in three.answering("lab2"), LONG_S, "its pod in the Service")
