"""The playbooks against two hosts with systemd and firewalld: site, site again, an upgrade under load, reset.

The tests stand in the order of a cluster's life; each begins where the one before it ended.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.lab.cluster import wait_until, web
from minikube_py.testing.lab.installed_host import INSTALLED, InstalledHost
from minikube_py.testing.lab.systemd_host import systemd_hosts
from minikube_py.testing.playbooks import ROOT, Control

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

CONNECTIONS = Path(__file__).parent / "ansible_connections"
PASSWORD = "a-password-of-theirs"
"""What the cluster's own token is made of: `token` in the server's settings."""
EVICTIONS = "eviction-hard=memory.available<20Mi,nodefs.available<50Mi,imagefs.available<50Mi"


class Cluster:
    """The control host of two hosts, with somebody's cluster in its kubeconfig."""

    def __init__(self, folder, hosts):
        self._control = Control(folder, CONNECTIONS)
        self.hosts = hosts
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(SOMEBODYS))
        server, agent = hosts
        self._control.write_inventory(self._variables(server, token=PASSWORD), self._variables(agent))

    @staticmethod
    def _variables(host, **settings):
        variables = {
            "ansible_connection": "lab_host",
            "ansible_python_interpreter": "/usr/bin/python3",
            "lab_host_entry": host.entry,
            "minikube_py_node_ip": host.address,
            "minikube_py_config": {"kubelet-arg": [EVICTIONS], **settings},
        }
        return {host.name: variables}

    def play(self, name, program):
        """Run a playbook and return what it changed, by host."""
        variables = {
            "minikube_py_file": str(program),
            "minikube_py_kubeconfig": str(self.kubeconfig),
            "minikube_py_kubectl": str(KUBECTLS[NEWEST]),
            "minikube_py_agents_at_once": "100%",
        }
        played = self._control.play(name, variables)
        assert not re.search(rf"K10[0-9a-f]{{64}}::|{PASSWORD}", played.said), "a token is logged"
        return played.changed

    def kubectl(self, *words, stdin=None):
        argv = [KUBECTLS[NEWEST], f"--kubeconfig={self.kubeconfig}", "--context=minikube-py", *words]
        return subprocess.run(argv, capture_output=True, text=True, input=stdin, check=True).stdout


SOMEBODYS = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "theirs", "cluster": {"server": "https://192.0.2.1:6443"}}],
    "users": [{"name": "theirs", "user": {"token": "t"}}],
    "contexts": [{"name": "theirs", "context": {"cluster": "theirs", "user": "theirs"}}],
    "current-context": "theirs",
}


def files_of(host):
    """Return every file that was written, but for firewalld's: it keeps a zone that was changed and changed back."""
    return {name for name in host.files() if not name.startswith("/etc/firewalld/")}


def firewall_of(host):
    """Return what firewalld lets in, now and after its next start."""
    asked = [(*when, what) for when in ((), ("--permanent",)) for what in ("--list-all-zones", "--list-all-policies")]
    return [host.run("firewall-cmd", *words).stdout for words in asked]


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    with systemd_hosts(Path(tempfile.mkdtemp(prefix="mkpya", dir="/run")), 2, InstalledHost) as hosts:
        for host in hosts:
            host.run("systemctl", "start", "firewalld")
        control = Cluster(tmp_path_factory.mktemp("ansible"), hosts)
        control.before = [(files_of(host), host.links(), firewall_of(host)) for host in hosts]
        control.program = hosts[0].write_program("minikube-py")
        for host in hosts:
            host.load_image()
        yield control


def test_site_makes_every_host_a_ready_node(control):
    assert all(control.play("site", control.program).values())
    nodes = json.loads(control.kubectl("get", "nodes", "-o", "json"))["items"]
    ready = {
        n["metadata"]["name"]: c["status"] for n in nodes for c in n["status"]["conditions"] if c["type"] == "Ready"
    }
    assert ready == {"lab1": "True", "lab2": "True"}
    assert yaml.safe_load(control.kubeconfig.read_text())["current-context"] == "theirs"


def test_a_second_site_changes_nothing(control):
    assert control.play("site", control.program) == {"lab1": 0, "lab2": 0}


def test_the_firewall_lets_nodes_pods_and_node_ports_through_and_nothing_else(control):
    server, agent = control.hosts
    control.kubectl(
        "apply", "-f", "-", stdin=web(replicas=4).replace("spec:\n  selector", "spec:\n  type: NodePort\n  selector")
    )
    control.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    pods = json.loads(control.kubectl("get", "pods", "-l", "app=web", "-o", "json"))["items"]
    service = json.loads(control.kubectl("get", "service", "web", "-o", "json"))["spec"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"lab1", "lab2"}

    def got(host, target):
        return host.run("curl", "-sS", "--noproxy", "*", "-m", "5", f"http://{target}/", check=False).stdout.strip()

    for one, other in ((server, agent), (agent, server)):
        assert one.run("firewall-cmd", "--state").stdout.strip() == "running"
        for pod in pods:
            assert got(one, f"{pod['status']['podIP']}:8080") == pod["metadata"]["name"]
        assert got(one, service["clusterIP"]).startswith("web-")
        assert got(one, f"{other.address}:{service['ports'][0]['nodePort']}").startswith("web-")
        one.run("systemd-run", "--unit=closed", sys.executable, "-m", "http.server", "8099")
        wait_until(lambda one=one: got(one, f"{one.address}:8099"), what="an answer to the host itself")
        assert got(other, f"{one.address}:8099") == ""
        one.run("systemctl", "stop", "closed")
    for pod in pods:
        for peer in pods:
            url = f"http://{peer['status']['podIP']}:8080/"
            said = control.kubectl("exec", pod["metadata"]["name"], "--", "timeout", "5", "wget", "-qO-", url)
            assert said.strip() == peer["metadata"]["name"]
    control.kubectl("delete", "deployment/web", "service/web")


def test_an_upgrade_to_the_one_file_loses_no_request_that_goes_through_a_service(control, binary):
    # Its servers end at once on TERM: as everywhere, a pod that other hosts send to waits until all of them know.
    manifest = web(replicas=4).replace(
        "readinessProbe:", "lifecycle: {preStop: {sleep: {seconds: 3}}}\n        readinessProbe:"
    )
    control.kubectl("apply", "-f", "-", stdin=manifest)
    control.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    address = json.loads(control.kubectl("get", "service", "web", "-o", "json"))["spec"]["clusterIP"]
    argv = [*control.hosts[1].entry, f"PYTHONPATH={ROOT}", sys.executable]
    load = subprocess.Popen(
        [*argv, "-m", "minikube_py.testing.load", "load", address, "80"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        changed = control.play("upgrade", binary)
    finally:
        outcome = json.loads(load.communicate("", timeout=30)[0])
    assert all(changed.values())
    offered = hashlib.sha256(binary.read_bytes()).hexdigest()
    assert [host.run("sha256sum", INSTALLED).stdout.split()[0] for host in control.hosts] == [offered] * 2
    assert sum(outcome["answers"].values()) > 100
    assert outcome["failures"] == 0, outcome
    assert "SchedulingDisabled" not in control.kubectl("get", "nodes")


def test_a_reset_leaves_the_hosts_and_the_kubeconfig_as_they_were(control):
    control.play("reset", control.program)
    assert [(files_of(host), host.links(), firewall_of(host)) for host in control.hosts] == control.before
    assert [host.pod_cgroups() for host in control.hosts] == [[], []]
    assert yaml.safe_load(control.kubeconfig.read_text()) == SOMEBODYS
