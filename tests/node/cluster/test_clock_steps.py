"""Hosts whose clocks are set while their agents run: what has a lifetime is renewed by the agents that are there.

The agents run under libfaketime, which reads from a file how far their clock is ahead; intervals (CLOCK_MONOTONIC)
stay true, as on a host whose clock is set.
"""

import json
import os
import sys
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from minikube_py.kubelet.io.certificate_renewal import read_pair
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node

LIFETIME_S = 600
"""The shortest that the API server makes a token for."""
SIGNED_S = 3600
"""How long the certificates of nodes live."""
READER = f"""
apiVersion: v1
kind: Pod
metadata: {{name: reader}}
spec:
  nodeName: lab2
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: {IMAGE}
    command: [sh, -c, 'while token=$(cat /identity/token) && [ "${{#token}}" -gt 500 ]; do usleep 20000; done']
    volumeMounts: [{{name: identity, mountPath: /identity}}]
  volumes:
  - name: identity
    projected: {{sources: [{{serviceAccountToken: {{path: token, expirationSeconds: {LIFETIME_S}}}}}]}}
"""
"""It ends as soon as it finds no whole token: the file changes at one moment, or the pod does not run on."""


class Hosts:
    """A master and a worker by one clock."""

    def __init__(self, lab: Lab, cluster: Cluster, clock: Path) -> None:
        self.lab, self.cluster = lab, cluster
        self.worker = lab.layout.hosts[1]
        self._clock = clock

    def set_ahead(self, seconds: int) -> None:
        """Set the clock of all agents to so much after the true time."""
        step = self._clock.with_suffix(".step")
        step.write_text(f"+{seconds}\n")
        step.rename(self._clock)

    def token(self) -> str:
        return self.cluster.kubectl("exec", "reader", "--", "cat", "/identity/token").stdout

    def review(self, token: str) -> dict:
        """Return what the API server says of a token."""
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        made = self.cluster.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(asked))
        return json.loads(made.stdout)["status"]


def claims(token):
    payload = token.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def preloaded():
    """Return the library that `faketime` has programs start with."""
    return machine.run(["faketime", "-f", "+0", "printenv", "LD_PRELOAD"]).stdout.strip()


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clock")
    lab = Lab(Path(f"/run/mkpy-clock-{os.getpid()}"), 2, fast_timers=True)
    clock = folder / "ahead"
    clock.write_text("+0\n")
    settings = {
        "LD_PRELOAD": preloaded(),
        "FAKETIME_TIMESTAMP_FILE": clock,
        "FAKETIME_CACHE_DURATION": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        "NO_FAKE_STAT": 1,
    }
    lab.program = (
        "env",
        *(f"{name}={value}" for name, value in settings.items()),
        sys.executable,
        "-m",
        "minikube_py",
    )
    lab.server_flags = (f"--kube-controller-manager-arg=cluster-signing-duration={SIGNED_S}s",)
    try:
        lab.make_hosts()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        lab.start_agents()
        cluster.apply("default", READER)
        cluster.kubectl("wait", "--for=condition=Ready", "pod/reader", "--timeout=60s")
        yield Hosts(lab, cluster, clock)
    finally:
        lab.down()


def test_a_pods_token_is_replaced_while_it_still_counts_and_the_pod_runs_on(hosts):
    def of_pod():
        pod = hosts.cluster.get("pod", "reader")
        (status,) = pod["status"]["containerStatuses"]
        return pod["metadata"]["uid"], status["containerID"], status["restartCount"], list(status["state"])

    before, first = of_pod(), hosts.token()
    hosts.set_ahead(LIFETIME_S - 80)
    second = wait_until(lambda: (token := hosts.token()) != first and token, what="another token")
    subject = "system:serviceaccount:default:default"
    for token in (first, second):
        said = hosts.review(token)
        assert (said.get("authenticated"), said["user"]["username"]) == (True, subject)
    old, new = claims(first), claims(second)
    assert {key: old[key] for key in ("sub", "iss", "aud")} == {key: new[key] for key in ("sub", "iss", "aud")}
    assert old["kubernetes.io"]["pod"] == new["kubernetes.io"]["pod"] == {"name": "reader", "uid": before[0]}
    assert new["exp"] - old["exp"] >= LIFETIME_S - 80

    hosts.set_ahead(LIFETIME_S + 60)
    wait_until(lambda: not hosts.review(first).get("authenticated"), what="the end of the first one")
    assert hosts.review(second)["authenticated"]
    assert of_pod() == before == (*before[:2], 0, ["running"])


def test_a_node_whose_certificates_ran_out_while_no_master_was_there_comes_back_by_itself(hosts):
    lab, cluster, agent = hosts.lab, hosts.cluster, hosts.lab.pids["lab2/agent"]
    tls = hosts.worker.data_dir / "agent" / "tls"
    pairs = [tls / name for name in ("kubelet-client.pem", "serving-kubelet.pem")]
    before = cluster.get("pod", "reader")["status"]["containerStatuses"]
    ended_s = max(read_pair(pair).not_after_s for pair in pairs)
    lab.stop(lab.layout.master)
    hosts.set_ahead(2 * SIGNED_S)
    lab.start(lab.layout.master)

    wait_until(lambda: all(read_pair(pair).not_after_s > ended_s for pair in pairs), what="other certificates")
    wait_until(lambda: hosts.worker.agent_log.read_text().count("node lab2 joined") == 2, what="the line in the log")
    cluster.kubectl("wait", "--for=condition=Ready", "node/lab2", "--timeout=60s")
    wait_until(lambda: hosts.review(hosts.token()).get("authenticated"), what="a token that counts")
    assert machine.is_running(agent)
    assert cluster.get("pod", "reader")["status"]["containerStatuses"] == before
