"""A second host as a person brings it in: tokens, refusals, and a life without its master."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from minikube_py.api.certificate_requests import load_request
from minikube_py.api.join_tokens import hash_of_ca
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.kubelet.io.certificate_renewal import split_pair, store_pair
from minikube_py.kubelet.node_certificates import build_request, wanted_serving
from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.memory_api_server import loopback_pki

pytestmark = pytest.mark.node

ONE_USE = ("token", "create", "--uses", "1", "--ttl", "1h", "--description", "the second host")


class Pair:
    """A master and a worker."""

    def __init__(self, lab: Lab, cluster: Cluster) -> None:
        self.lab = lab
        self.cluster = cluster
        self.master, self.worker = lab.layout.hosts

    @property
    def server_flag(self) -> str:
        return f"--server=https://{self.master.address}:6443"

    @property
    def token(self) -> str:
        """Return the cluster's own token."""
        return (self.master.data_dir / "server" / "token").read_text().strip()

    def on_worker(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return machine.run(machine.in_host(self.worker, argv), check=False)

    def refusal(self, folder: Path, *flags: str, within: Sequence[str] = ()) -> str:
        """Return what an agent on the worker's host, started by the words `within`, says that cannot join.

        It leaves nothing behind.
        """
        before = self.registered()
        engine = f"--docker-host=unix://{self.worker.docker_socket}"
        command = [*within, *self.lab.program, "agent", engine, f"--data-dir={folder}", *flags]
        done = self.on_worker(*command)
        assert done.returncode == 1, done.stderr
        assert not folder.exists()
        assert self.registered() == before
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("minikube-py: "))
        return line

    def registered(self) -> list[str]:
        """Return the names of all Nodes and certificate requests."""
        return [obj["metadata"]["name"] for obj in self.cluster.get("nodes,csr")["items"]]

    def tokens(self) -> list[dict]:
        return json.loads(self.cluster.minikube_py("token", "list", "-o", "json").stdout)

    def made_token(self, *flags: str) -> str:
        return self.cluster.minikube_py("token", "create", *flags).stdout.strip()

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

    server = pair.server_flag.removesuffix(":6443")
    line = pair.refusal(tmp_path / "data", server, f"--token={token}", "--node-name=third")

    assert (listed["uses"], listed["nodes"], listed["description"]) == (1, ["lab2"], "the second host")
    assert token.rpartition("::")[2] not in json.dumps(pair.cluster.get("secrets", "-n", "kube-system"))
    assert "is used up (by lab2): make another one with `minikube-py token create`" in line
    assert [node["metadata"]["name"] for node in pair.cluster.get("nodes")["items"]] == ["lab1", "lab2"]


def test_hosts_that_may_not_join_are_told_why_in_one_line_and_leave_nothing(pair, tmp_path):
    folder, server, token = tmp_path / "data", pair.server_flag, pair.token
    ca_hash = token.removeprefix("K10").partition("::")[0]
    wrong_secret = f"K10{ca_hash}::server:guessed"

    assert "--server https://HOST:6443 and --token" in pair.refusal(folder)
    assert "not one of this cluster" in pair.refusal(folder, server, f"--token={wrong_secret}", "--node-name=n3")
    assert 'there is a node "lab1" already' in pair.refusal(folder, server, f"--token={token}", "--node-name=lab1")
    deleted = pair.made_token()
    pair.cluster.minikube_py("token", "delete", deleted)
    assert "was deleted" in pair.refusal(folder, server, f"--token={deleted}", "--node-name=n3")
    short = pair.made_token("--ttl=1s", "--description=short")
    (ends,) = (datetime.fromisoformat(shown["expires"]) for shown in pair.tokens() if shown["description"] == "short")
    wait_until(lambda: datetime.now(UTC) > ends, what="the token's end")
    assert f"expired at {ends:%Y-%m-%dT%H:%M:%S}" in pair.refusal(
        folder, server, f"--token={short}", "--node-name=n3"
    )


@pytest.mark.parametrize("role", ["agent", "server"])
def test_another_agent_on_the_same_data_folder_is_refused_and_the_first_one_goes_on(pair, role):
    data = pair.worker.data_dir
    flags = (f"--docker-host=unix://{pair.worker.docker_socket}", f"--data-dir={data}", "--node-name=lab2")
    done = pair.on_worker(*pair.lab.program, role, *flags)

    assert (done.returncode, f"an agent runs on the data folder {data} already" in done.stderr) == (1, True)
    assert not (data / "server").exists()
    status = pair.on_worker(*pair.lab.program, "status", "-o", "json", f"--data-dir={data}")
    assert json.loads(status.stdout)["ready"]


@contextmanager
def impostor(pair, pki, ca_pem):
    """Stand where the server is, with another one's certificate: give `ca_pem`, and note what is asked and shown."""
    shown = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            shown.append((self.path, self.headers.get("Authorization")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ca_pem)

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer((pair.lab.layout.gateway, 0), Handler)
    server.socket = pki.server_context().wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"--server=https://{pair.lab.layout.gateway}:{server.server_address[1]}", shown
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_forged_ca_is_refused_and_never_shown_the_token(pair, tmp_path):
    folder, token = tmp_path / "data", f"--token={pair.token}"
    other = loopback_pki(tmp_path / "other", time.time())
    other_token = f"--token=K10{hash_of_ca(other.ca.certificate_pem)}::{pair.token.partition('::')[2]}"
    own_ca = (pair.master.data_dir / "server" / "tls" / "ca.crt").read_bytes()

    assert "has another CA" in pair.refusal(folder, pair.server_flag, other_token, "--node-name=n3")
    with impostor(pair, other, other.ca.certificate_pem) as (server, shown):
        assert "has another CA" in pair.refusal(folder, server, token, "--node-name=n3")
    assert shown == [("/cacerts", None)]
    with impostor(pair, other, own_ca) as (server, shown):
        line = pair.refusal(folder, server, token, "--node-name=n3")
    assert "does not come from the cluster's CA" in line
    assert shown == [("/cacerts", None)]


@pytest.mark.parametrize(("when", "words"), [("30 days ago", "30 days behind"), ("500 days", "500 days ahead of")])
def test_a_host_whose_clock_is_off_is_told_by_how_much(pair, tmp_path, when, words):
    flags = (pair.server_flag, f"--token={pair.token}", "--node-name=n3")
    line = pair.refusal(tmp_path / "data", *flags, within=("faketime", when))

    assert f"this host's clock is {words} the server's, which says 20" in line
    assert "set it" in line


def test_a_version_that_does_not_fit_is_named_with_the_servers(pair, tmp_path):
    own = metadata.version("minikube-py")
    other = tmp_path / "programs" / "minikube_py-99.0.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: minikube-py\nVersion: 99.0.0\n")
    path = f"PYTHONPATH={other.parent}:{os.environ.get('PYTHONPATH', '')}"
    flags = (pair.server_flag, f"--token={pair.token}", "--node-name=n3")

    line = pair.refusal(tmp_path / "data", *flags, within=("env", path))
    assert f"the server runs minikube-py {own}, this host 99.0.0: give both the same version" in line


def test_systemctl_reload_makes_agents_show_the_certificates_on_disk_and_ends_none(pair):
    tls = pair.master.data_dir / "server" / "tls"
    authority = load_authority((tls / "ca.crt").read_bytes(), (tls / "ca.key").read_bytes())
    serving = pair.worker.data_dir / "agent" / "tls" / "serving-kubelet.pem"
    _, key_pem = split_pair(serving)
    request = load_request(b64encode(build_request(wanted_serving("lab2", [pair.worker.address]), key_pem)).decode())
    new = authority.sign(request, ("digital signature", "server auth"), 3600, time.time(), 1)
    store_pair(serving, new, key_pem)

    for host in (pair.master, pair.worker):
        pair.lab.signal(host, signal.SIGHUP)

    def shown() -> bytes:
        return ssl.get_server_certificate((pair.worker.address, 10250)).encode().strip()

    wait_until(lambda: shown() == new.strip(), what="the certificate on disk")
    wait_until(lambda: "certificates reloaded" in pair.master.agent_log.read_text(), what="the master's word")
    pair.cluster.kubectl("get", "--raw", "/api/v1/nodes/lab2/proxy/healthz")
    for host in (pair.master, pair.worker):
        pair.lab.wait_ready(host)


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
    cluster.kubectl("wait", "--for=condition=Ready", "node/lab2", "--timeout=60s")
    pods = cluster.get("pods", "-l", "app=web")["items"]
    assert pair.containers() == before
    assert [status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]] == [0, 0]
    assert cluster.kubectl("logs", first).stdout == "started\n"
