"""Certificates of a real node that live for less than a minute: renewed as they age, and after they ran out."""

import os
import shutil
import ssl
import subprocess
import time
from base64 import b64encode
from pathlib import Path

import pytest

from minikube_py.api.certificate_requests import load_request
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.kubelet.io.certificate_renewal import read_pair, split_pair, store_pair
from minikube_py.kubelet.node_certificates import build_request, wanted_client
from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

LIFETIME_S = 45


class Worker:
    """A worker that the master signs short-lived certificates for, with a pod."""

    def __init__(self, lab: Lab, cluster: Cluster) -> None:
        self.lab = lab
        self.cluster = cluster
        self.master, self.host = lab.layout.hosts
        tls = self.host.data_dir / "agent" / "tls"
        self.client, self.serving = tls / "kubelet-client.pem", tls / "serving-kubelet.pem"
        (self.pod,) = (pod["metadata"]["name"] for pod in cluster.get("pods", "-l", "app=web")["items"])

    def shown(self) -> bytes:
        """Return the certificate that the kubelet's server shows."""
        return ssl.get_server_certificate((self.host.address, 10250)).encode().strip()

    def is_let_in(self, pair: Path) -> bool:
        """Return whether the API server takes a client certificate."""
        tls = f"--cacert {self.master.data_dir}/server/tls/ca.crt --cert {pair} --key {pair}".split()
        url = f"https://{self.master.address}:6443/api/v1/nodes/{self.host.name}"
        asked = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *tls, url)
        return machine.run(machine.in_host(self.host, asked), check=False).stdout == "200"

    def containers(self) -> set[str]:
        return set(machine.docker(self.host, ["ps", "-q", "--no-trunc"]).stdout.split())


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    lab = Lab(Path(f"/run/mkpy-certs-{os.getpid()}"), 2, fast_timers=True)
    lab.server_flags = (f"--kube-controller-manager-arg=cluster-signing-duration={LIFETIME_S}s",)
    try:
        lab.make_hosts()
        cluster = Cluster(lab, tmp_path_factory.mktemp("kubectl"))
        cluster.load_images(tmp_path_factory.mktemp("images"))
        lab.start_agents()
        cluster.kubectl("cordon", "lab1")
        cluster.apply("default", web(replicas=1))
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        yield Worker(lab, cluster)
    finally:
        for host in lab.layout.hosts:
            if host.agent_log.exists():
                shutil.copy(host.agent_log, tmp_path_factory.getbasetemp() / f"certificates-{host.name}.log")
        lab.down()


def test_certificates_are_renewed_in_the_running_agent_and_connections_stay(worker, tmp_path):
    cluster, agent = worker.cluster, worker.lab.pids["lab2/agent"]
    files = (worker.client, worker.serving)
    before, held = [split_pair(path) for path in files], [read_pair(path) for path in files]
    assert worker.shown() == before[1][0]
    old = tmp_path / "old.pem"
    shutil.copy(worker.client, old)
    assert worker.is_let_in(old)

    session = cluster.kubectl_argv("exec", "-i", worker.pod, "--", "cat")
    with subprocess.Popen(session, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as echo:
        echo.stdin.write(b"before\n")
        echo.stdin.flush()
        assert echo.stdout.readline() == b"before\n"
        wait_until(
            lambda: all(split_pair(path)[0] != pair[0] for path, pair in zip(files, before, strict=True)),
            2 * LIFETIME_S,
            "two new certificates",
        )
        wait_until(lambda: time.time() > max(pair.not_after_s for pair in held), 2 * LIFETIME_S, "the old ones' end")

        wait_until(lambda: worker.shown() == split_pair(worker.serving)[0], what="the new serving certificate")
        assert all(split_pair(path)[1] != pair[1] for path, pair in zip(files, before, strict=True))
        assert not worker.is_let_in(old)
        assert worker.is_let_in(worker.client)
        assert cluster.kubectl("logs", worker.pod).stdout == "started\n"
        assert cluster.kubectl("exec", worker.pod, "--", "echo", "new").stdout == "new\n"
        echo.stdin.write(b"after\n")
        echo.stdin.flush()
        assert echo.stdout.readline() == b"after\n"
        echo.stdin.close()
        assert echo.wait(30) == 0
    renewed_at = cluster.get("lease", "lab2", "-n", "kube-node-lease")["spec"]["renewTime"]
    wait_until(
        lambda: cluster.get("lease", "lab2", "-n", "kube-node-lease")["spec"]["renewTime"] > renewed_at,
        what="a heartbeat with the new certificate",
    )
    assert machine.is_running(agent)
    cluster.kubectl("wait", "--for=condition=Ready", "node/lab2", "--timeout=60s")


def test_a_node_whose_certificate_ran_out_is_itself_again_with_a_valid_token(worker):
    cluster, uid = worker.cluster, worker.cluster.get("node", "lab2")["metadata"]["uid"]
    worker.lab.stop(worker.host)
    tls = worker.master.data_dir / "server" / "tls"
    authority = load_authority((tls / "ca.crt").read_bytes(), (tls / "ca.key").read_bytes())
    _, key_pem = split_pair(worker.client)
    request = load_request(b64encode(build_request(wanted_client("lab2"), key_pem)).decode())
    # It was off for too long: its certificate ended a minute ago.
    ended = authority.sign(
        request, ("digital signature", "client auth"), LIFETIME_S, time.time() - 60 - LIFETIME_S, 1
    )
    store_pair(worker.client, ended, key_pem)
    before = worker.containers()
    assert not worker.is_let_in(worker.client)

    worker.lab.start(worker.host)
    assert "the certificate of node lab2 ran out" in worker.host.agent_log.read_text()
    assert worker.is_let_in(worker.client)
    assert cluster.get("node", "lab2")["metadata"]["uid"] == uid
    cluster.kubectl("wait", "--for=condition=Ready", "node/lab2", "--timeout=60s")
    assert worker.containers() == before
    assert cluster.kubectl("exec", worker.pod, "--", "echo", "here").stdout == "here\n"
