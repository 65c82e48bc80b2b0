"""A second host as a person brings it in: tokens, refusals, and a life without its master."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node

ONE_USE = ("token", "create", "--uses", "1", "--ttl", "1h", "--description", "the second host")


class Pair:
    """A master and a worker."""

    def __init__(self, lab: Lab, cluster: Cluster) -> None:
        self.lab = lab
        self.cluster = cluster
        self.master, self.worker = lab.layout.hosts

    def on_worker(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return machine.run(machine.in_host(self.worker, argv), check=False)

    def refusal(self, folder: Path, *argv: str) -> str:
        """Return what an agent on the worker's host says that cannot join; it leaves nothing behind."""
        command = self.lab.command(self.worker, ["agent", f"--docker-host=unix://{self.worker.docker_socket}", *argv])
        done = machine.run([*command[:-1], f"--data-dir={folder}"], check=False)
        assert done.returncode == 1, done.stderr
        assert not folder.exists()
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("minikube-py: "))
        return line

    def tokens(self) -> list[dict]:
        return json.loads(self.cluster.minikube_py("token", "list", "-o", "json").stdout)

    def containers(self) -> set[str]:
        return set(machine.docker(self.worker, ["ps", "-q", "--no-trunc"]).stdout.split())


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = Path(f"/run/mkpy-join-{os.getpid()}")
    lab = Lab(folder, 2, fast_timers=True)
    try:
        lab.make_hosts()
        cluster = Cluster(lab, tmp_path_factory.mktemp("kubectl"))
        lab.start(lab.layout.hosts[0])
        cluster.load_images(tmp_path_factory.mktemp("images"))
        made = cluster.minikube_py(*ONE_USE).stdout.strip()
        token_file = folder / "token"
        token_file.write_text(made)
        lab.agent_flags = (*lab.agent_flags, f"--token-file={token_file}")
        lab.start(lab.layout.hosts[1])
        lab.agent_flags = lab.agent_flags[:-1]
        yield Pair(lab, cluster)
    finally:
        for log in folder.glob("*/agent.log"):
            shutil.copy(log, tmp_path_factory.getbasetemp() / f"{log.parent.name}.log")
        lab.down()


def test_a_host_joins_by_a_token_and_its_use_is_counted_over_a_kill_of_the_master(pair, tmp_path):
    token = (pair.lab.layout.dir / "token").read_text()
    pair.lab.stop(pair.master, sig=signal.SIGKILL)
    pair.lab.start(pair.master)
    (listed,) = pair.tokens()

    server = f"--server=https://{pair.master.address}"
    line = pair.refusal(tmp_path / "data", server, f"--token={token}", "--node-name=third")

    assert (listed["uses"], listed["nodes"], listed["description"]) == (1, ["lab2"], "the second host")
    assert token.rpartition("::")[2] not in json.dumps(pair.cluster.get("secrets", "-n", "kube-system"))
    assert "is used up (by lab2): make another one with `minikube-py token create`" in line
    assert [node["metadata"]["name"] for node in pair.cluster.get("nodes")["items"]] == ["lab1", "lab2"]


def test_hosts_that_may_not_join_are_told_why_in_one_line_and_leave_nothing(pair, tmp_path):
    folder, server = tmp_path / "data", f"--server=https://{pair.master.address}:6443"
    token = (pair.master.data_dir / "server" / "token").read_text().strip()
    before = {request["metadata"]["name"] for request in pair.cluster.get("csr")["items"]}
    ca_hash, _, credential = token.removeprefix("K10").partition("::")
    other_ca = f"K10{ca_hash[::-1]}::{credential}"
    wrong_secret = f"K10{ca_hash}::server:guessed"

    assert "--server https://HOST:6443 and --token" in pair.refusal(folder)
    assert "has another CA" in pair.refusal(folder, server, f"--token={other_ca}", "--node-name=n3")
    assert "not one of this cluster" in pair.refusal(folder, server, f"--token={wrong_secret}", "--node-name=n3")
    assert 'there is a node "lab1" already' in pair.refusal(folder, server, f"--token={token}", "--node-name=lab1")
    assert {request["metadata"]["name"] for request in pair.cluster.get("csr")["items"]} == before


def test_pods_and_services_of_a_worker_go_on_without_the_master_even_over_its_agents_restart(pair):
    cluster = pair.cluster
    cluster.kubectl("cordon", "lab1")
    cluster.apply("default", web(replicas=2))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    service = cluster.get("service", "web")["spec"]["clusterIP"]
    (first, *_) = (pod["metadata"]["name"] for pod in cluster.get("pods", "-l", "app=web")["items"])
    replica = pair.worker.data_dir / "agent" / "replica"
    wait_until(lambda: service in (replica / "services.json").read_text(), what="the Service on the worker's disk")
    wait_until(lambda: first in (replica / "endpointslices.discovery.k8s.io.json").read_text(), what="its endpoints")

    pair.lab.stop(pair.master)
    pair.lab.stop(pair.worker, sig=signal.SIGKILL)
    before = pair.containers()
    pair.on_worker("nft", "delete", "table", "ip", "minikube-py")
    pair.lab.start(pair.worker, wait=False)

    def answers() -> bool:
        return "web-" in pair.on_worker("curl", "-s", "-m", "2", f"http://{service}/").stdout

    wait_until(answers, what="the Service after the agent's restart, without a master")
    assert pair.containers() == before
    assert not machine.is_running(pair.lab.pids["lab1/agent"])

    pair.lab.start(pair.master)
    pair.lab.wait_ready(pair.worker)
    cluster.kubectl("wait", "--for=condition=Ready", "node/lab2", "--timeout=30s")
    pods = cluster.get("pods", "-l", "app=web")["items"]
    assert pair.containers() == before
    assert [status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]] == [0, 0]
    assert cluster.kubectl("logs", first).stdout == "started\n"
